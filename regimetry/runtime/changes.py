"""When a change of regime is told: once, and only where it held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError
from regimetry.parameters import require_integer
from regimetry.runtime.pushed import occurrences

NONE = -1
"""A regime that is not there: nothing was told yet, or the series has no label."""


class Changes(NamedTuple):
    """Changes that are told, in the order of the rows at which they are.

    Attributes
    ----------
    row : ndarray of int64, shape (E,)
        Which of the rows.
    before : ndarray of int64, shape (E,)
        The regime that was told last of its series; -1 where this is the first.
    regime : ndarray of int64, shape (E,)
    probability : ndarray of float64, shape (E,)
        Of ``regime`` at this row.
    bars : ndarray of int64, shape (E,)
        How many bars with a label, up to this one, have had it.
    """

    row: NDArray[np.int64]
    before: NDArray[np.int64]
    regime: NDArray[np.int64]
    probability: NDArray[np.float64]
    bars: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ChangeRule:
    """A change is told at the first bar at which it has held long enough and is probable enough.

    A series' regime is told once ``bars`` labels in a row have been it and its probability reaches
    ``probability``, unless it is the one that was told last. So no regime is told twice in a row,
    and a regime that came and went in fewer bars is not told at all.

    Attributes
    ----------
    probability : float
        From 0 to 1; at least this much, at the bar at which the change is told.
    bars : int
        At least so many bars with a label; those without one neither count nor end a run.

    Raises
    ------
    ConfigError
        One of them is not allowed.
    """

    probability: float = 0.8
    bars: int = 3

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ConfigError(
                f"The probability of a change is {self.probability}; it must be from 0 to 1."
            )
        require_integer("The bars of a change", self.bars, 1)

    @staticmethod
    def begin(n_series: int) -> NDArray[np.int64]:
        """Return the state (n_series, 3) of series without labels.

        Its columns: the regime that was told last, that of the last bar, and how many bars in a
        row have had the latter.
        """
        return np.tile(np.array([NONE, NONE, 0], np.int64), (n_series, 1))

    def follow(
        self,
        state: NDArray[np.int64],
        series: NDArray[np.int64],
        regime: NDArray[np.int64],
        probability: NDArray[np.float64],
    ) -> tuple[NDArray[np.int64], Changes]:
        """Read the next labels of some series.

        Parameters
        ----------
        state : ndarray of int64, shape (M, 3)
            Of M series.
        series : ndarray of int64, shape (T,)
            Which of the M each label is of; those of one series in rising time.
        regime : ndarray of int64, shape (T,)
        probability : ndarray of float64, shape (T, K)

        Returns
        -------
        state : ndarray of int64, shape (M, 3)
            After these labels.
        changes : Changes
            What is told at row t uses rows up to t.
        """
        after = state.copy()
        mine = probability[np.arange(len(regime)), regime]
        found = [self._tell(after, rows, series, regime, mine) for rows in _rounds(series)]
        row, before, bars = np.concatenate(found, axis=1)
        by_row = np.argsort(row)
        row, before, bars = row[by_row], before[by_row], bars[by_row]
        return after, Changes(row, before, regime[row], mine[row], bars)

    def _tell(
        self,
        state: NDArray[np.int64],
        rows: NDArray[np.int64],
        series: NDArray[np.int64],
        regime: NDArray[np.int64],
        probability: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        """Read at most one label of each series, in place; return what :class:`Changes` needs."""
        places, found = series[rows], regime[rows]
        last, running, held = state[places].T
        held = np.where(found == running, held + 1, 1)
        told = (held >= self.bars) & (probability[rows] >= self.probability) & (found != last)
        state[places, 1], state[places, 2] = found, held
        state[places[told], 0] = found[told]
        return np.array([rows[told], last[told], held[told]])


def _rounds(series: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return rows such that none of them has two of a series, in the order of their time."""
    turn = occurrences(series)
    if not len(turn) or turn.max() == 1:
        return [np.arange(len(turn))]
    ends = np.cumsum(np.bincount(turn))
    return np.split(np.argsort(turn, kind="stable"), ends[1:-1])


class ChangesOfOne:
    """The changes of one series, label by label.

    Parameters
    ----------
    rule : ChangeRule
    """

    def __init__(self, rule: ChangeRule) -> None:
        self._rule, self._state = rule, rule.begin(1)

    def follow(self, regime: int, probability: NDArray[np.float64]) -> Changes:
        """Read the next label and its probabilities (K,); return one change, or none."""
        self._state, found = self._rule.follow(
            self._state, np.zeros(1, np.int64), np.array([regime]), probability[None]
        )
        return found
