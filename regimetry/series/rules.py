"""How the rows of a series are read: missing values, gaps, equal times, irregular clocks."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from regimetry.errors import ConfigError, DataWarning
from regimetry.parameters import check_fields, option
from regimetry.series.gaps import Span, StepCounts, as_span, found_gap
from regimetry.series.time_options import TimeOptions


@dataclass(frozen=True, kw_only=True)
class ReadingRules:
    """What becomes of rows that do not simply follow each other.

    A series falls into segments, which no window crosses. Every rule decides on row t by rows up to
    t, so that a stream decides as a table does.

    Parameters
    ----------
    missing
        Of rows with a missing value. "trim": those before the first complete row are left out, a
        later one is refused. "gap": all are left out, and a segment ends there. "ffill": the
        column's last value stands in for up to ``max_fill`` rows, never across a gap; beyond it, as
        for "gap". "error": every one is refused.
    max_fill
        For "ffill": rows that a value may be old.
    max_gap
        The longest step in time between two rows of a segment: a duration such as "5D", or a number
        where times are numbers. "auto" decides at the fit, :func:`~regimetry.series.gaps.found_gap`
        by what rule. ``None``: time makes no gap.
    after_gap
        Of the causal state, the costs of the regimes and the running mean of novelty. "restart": as
        at the beginning of a series. "carry": it goes on, as if no time had passed. Either way a
        label needs a full window of rows since the gap.
    repeated
        Of rows with the time of the row before: an error, or kept in the order in which they come.
    resample
        Length of the bins that rows are gathered in, such as "1s"; ``None``: a row is a row. A bin
        is read when it has closed, by a row at its end or later.
    resample_how
        What stands for a bin: each column's last value, or its mean.

    Raises
    ------
    ConfigError
        A value is not allowed.
    """

    missing: Literal["trim", "gap", "ffill", "error"] = option(
        "trim",
        "rows with a missing value: leave out leading ones (trim), split the series (gap), "
        "fill forward (ffill), or refuse (error)",
    )
    max_fill: int = option(
        5, "with missing ffill, rows that a value may be old", minimum=1, metavar="ROWS"
    )
    max_gap: float | str | None = option(
        None,
        "longest time between rows that follow each other, such as 5D; auto finds sessions; null "
        "means none",
        metavar="TIME|auto",
    )
    after_gap: Literal["restart", "carry"] = option(
        "restart", "causal state after a gap: afresh, or carried over"
    )
    repeated: Literal["refuse", "keep"] = option("refuse", "rows of equal times")
    resample: str | None = option(
        None, "gather rows in bins of this length, such as 1s; null reads each row", metavar="TIME"
    )
    resample_how: Literal["last", "mean"] = option("last", "what stands for a bin")

    def __post_init__(self) -> None:
        check_fields(self)
        if self.max_gap not in (None, "auto"):
            as_span("max_gap", self.max_gap)
        if self.resample is not None and not as_span("resample", self.resample).is_duration:
            raise ConfigError(f"resample is {self.resample!r}; it must be a duration such as 1s.")

    @classmethod
    def of(cls, options: Any) -> ReadingRules:
        """Take them from whatever has them all, such as the options of a fit."""
        return cls(**{entry.name: getattr(options, entry.name) for entry in fields(ReadingRules)})

    def of_times(self, time: TimeOptions) -> TimeOptions:
        """Return what is known of the times, with what these rules say of equal ones."""
        return replace(time, repeated=self.repeated == "keep")

    @property
    def fill(self) -> int:
        """Rows that a value may be old."""
        return self.max_fill if self.missing == "ffill" else 0

    @property
    def gap(self) -> Span | None:
        """The longest step; ``None`` also where it is not decided yet."""
        if self.max_gap is None or self.max_gap == "auto":
            return None
        return as_span("max_gap", self.max_gap)

    @property
    def splits(self) -> bool:
        """Whether a row with a missing value ends a segment, and is not refused."""
        return self.missing in ("gap", "ffill")


PLAIN = ReadingRules()
"""The defaults."""


def decided(rules: ReadingRules, counts: StepCounts, *, is_dates: bool) -> ReadingRules:
    """Return the rules with the gap that "auto" means for such steps between rows.

    Warns
    -----
    DataWarning
        A gap was found.
    """
    gap = found_gap(counts)
    if gap is None:
        return replace(rules, max_gap=None)
    made = replace(rules, max_gap=f"{gap:.12g}s" if is_dates else gap)
    warnings.warn(
        f"max_gap is {made.max_gap}, found by the steps between rows: windows end at longer ones",
        DataWarning,
        stacklevel=4,
    )
    return made
