"""What is known of the times of a table before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from regimetry.errors import ConfigError


class TimeKeywords(TypedDict, total=False):
    """The fields of :class:`TimeOptions`, as keyword arguments."""

    time_column: str | None
    day_first: bool | None
    time_format: str | None


@dataclass(frozen=True)
class TimeOptions:
    """How the times of a frame or a file are found and read.

    Attributes
    ----------
    time_column : str or None
        The column that holds them; ``None`` finds it.
    day_first : bool or None
        Whether 01/02/2000 is the first of February; ``None`` decides by all rows.
    time_format : str or None
        As for ``datetime.strptime``; ``None`` reads the forms of :mod:`regimetry.series.times`.
    repeated : bool
        Whether rows may have the time of the row before.

    Raises
    ------
    ConfigError
        ``day_first`` is something else.
    """

    time_column: str | None = None
    day_first: bool | None = None
    time_format: str | None = None
    repeated: bool = False

    def __post_init__(self) -> None:
        if self.day_first not in (None, True, False):
            raise ConfigError(f"day_first is {self.day_first!r}; it must be None, True or False.")

    @classmethod
    def of(cls, options: Any, repeated: str | None = None) -> TimeOptions:
        """Take them from the options of a verb, or from a configuration.

        ``repeated`` is the rule of the model, where the options say none.
        """
        keep = (getattr(options, "repeated", None) or repeated) == "keep"
        return cls(options.time_column, options.day_first, options.time_format, keep)


FOUND = TimeOptions()
"""Nothing is known."""
