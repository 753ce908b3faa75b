"""What is known of a file before it is read."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regimetry.errors import ConfigError, DataError
from regimetry.series.time_options import FOUND, TimeOptions

STANDARD = Path("-")
"""Standard input, or output."""

SEPARATORS = {"tab": "\t", "space": " "}
"""Separators that have a word for the command line."""


@dataclass(frozen=True)
class FileOptions:
    r"""How a file is read.

    Attributes
    ----------
    time : TimeOptions
    separator : str or None
        What stands between the fields of text: one ASCII character, "tab", or "space" for blanks,
        any number of them. ``None`` decides by the header.
    decimal : {".", ","} or None
        ``None``: a point, or commas where the file shows that it has them.
    encoding : str or None
        Of text; ``None`` decides by the first bytes, and between UTF-8 and cp1252 by all.
    rename : tuple of str
        ``OLD=NEW`` each: columns are given other names before anything else.

    Raises
    ------
    ConfigError
        A value is not allowed.
    """

    time: TimeOptions = FOUND
    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    rename: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = self.separator
        if given is not None and given not in SEPARATORS:
            if len(given) != 1 or not given.isascii() or given in '"\r\n\0':
                raise ConfigError(
                    f"The separator is {given!r}; it must be one ASCII character, tab or space."
                )
            if given == (self.decimal or "."):
                raise ConfigError(f"The separator and the decimal sign are both {given!r}.")
        if self.decimal not in (None, ".", ","):
            raise ConfigError(f"The decimal sign is {self.decimal!r}; it must be '.' or ','.")
        try:
            codecs.lookup(self.encoding or "utf-8")
        except LookupError as error:
            raise ConfigError(
                f"The encoding is {self.encoding!r}, which Python does not know; it must be one "
                "as utf-8, utf-16 or cp1252."
            ) from error
        for pair in self.rename:
            if not all(pair.partition("=")):
                raise ConfigError(f"The new name is {pair!r}; it must be OLD=NEW.")

    @classmethod
    def of(cls, options: Any, repeated: str | None = None) -> FileOptions:
        """Take them from the options of a verb, or from a configuration.

        ``repeated`` is the rule of the model, where the options say none.
        """
        return cls(
            TimeOptions.of(options, repeated),
            options.separator,
            options.decimal,
            options.encoding,
            tuple(options.rename),
        )

    def require_none_of_text(self, path: Path) -> None:
        """Raise :class:`ConfigError` where something is said of text, or of names, of a folder."""
        for name in ("separator", "decimal", "encoding", "rename"):
            if getattr(self, name):
                raise ConfigError(
                    f"--{name} is for a single table; {path} is read as Parquet. Leave it out."
                )

    def renamed(self, names: list[str]) -> list[str]:
        """Return the names of columns, with the new ones in place of the old.

        Raises
        ------
        DataError
            There is no such column.
        """
        new = dict(pair.split("=", 1) for pair in self.rename)
        missing = [name for name in new if name not in names]
        if missing:
            raise DataError(
                f"There is no column {missing[0]!r} to rename; the columns are {', '.join(names)}."
            )
        return [new.get(name, name) for name in names]


PLAIN = FileOptions()
"""Nothing is known."""
