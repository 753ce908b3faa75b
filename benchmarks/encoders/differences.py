"""Paired differences of two kinds of features on the same series."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.encoders.sets import RECORDINGS

GROUPS: dict[str, tuple[str, ...]] = {
    "S1 to S5": ("s1", "s2", "s3", "s4", "s5"),
    "S6": ("s6",),
    "prior": ("prior",),
    **{name: (name,) for name in RECORDINGS},
}
"""Columns whose series are looked at together."""

TIE = 0.01
"""Scores no farther apart are neither better nor worse."""

_DRAWS = 4000
_SHARES = (2.5, 97.5)  # percentiles


@dataclass(frozen=True)
class Difference:
    """Of the scores of two kinds of features, series by series.

    Attributes
    ----------
    mean, low, high : float
        Mean difference, and its 95 % interval over series.
    better, worse : int
        Series on which the first is ahead, and behind, by more than :data:`TIE`.
    count : int
    """

    mean: float
    low: float
    high: float
    better: int
    worse: int
    count: int

    def __str__(self) -> str:
        return (
            f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}] ({self.better}:{self.worse} "
            f"of {self.count})"
        )


def groups_of(columns: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the groups of a run: where it left out one of S1 to S5, each of the others alone."""
    five = GROUPS["S1 to S5"]
    if set(five) <= set(columns):
        return GROUPS
    some = {column.upper(): (column,) for column in five if column in columns}
    return some | {name: group for name, group in GROUPS.items() if group != five}


def difference(ours: NDArray[np.floating], theirs: NDArray[np.floating]) -> Difference:
    """Compare scores (S,) on the same series, S at least 1.

    The interval is the percentile bootstrap of the mean (Efron, Tibshirani 1993), with series drawn
    again; it repeats.
    """
    found = np.asarray(ours, float) - np.asarray(theirs, float)
    drawn = np.random.default_rng(0).integers(0, len(found), (_DRAWS, len(found)))
    low, high = np.percentile(found[drawn].mean(axis=1), _SHARES)
    return Difference(
        float(found.mean()),
        float(low),
        float(high),
        int(np.sum(found > TIE)),
        int(np.sum(found < -TIE)),
        len(found),
    )


def between(
    part: pd.DataFrame, ours: str, theirs: str, columns: Sequence[str]
) -> Difference | None:
    """Compare two kinds of features on the series of some columns that both have.

    Parameters
    ----------
    part : pandas.DataFrame
        Results of one task, evidence and choice.
    ours, theirs : str
    columns : sequence of str

    Returns
    -------
    Difference or None
        ``None`` without such a series.
    """
    some = part[part.column.isin(columns) & (part.states > 1)]
    wide = some.pivot_table(index=["column", "series"], columns="features", values="score")
    if not {ours, theirs} <= set(wide.columns):
        return None
    both = wide[[ours, theirs]].dropna()
    return difference(both[ours].to_numpy(), both[theirs].to_numpy()) if len(both) else None
