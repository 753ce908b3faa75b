"""What a push of rows to series gives: labels row by row, and changes of regime that are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.runtime.bank import BankTicks
from regimetry.runtime.changes import NONE, ChangeRule, Changes
from regimetry.runtime.pushed import distinct, occurrences
from regimetry.serve.table import CAME


class Answers(NamedTuple):
    """What a push of B rows gives; an entry uses rows of its series up to its own.

    Attributes
    ----------
    came : ndarray of int64, shape (B,)
        Rows of the series that have come, this one included.
    regime : ndarray of int64, shape (B,)
        -1 where the row has no label; the others are then NaN and False.
    probability : ndarray of float64, shape (B, K)
    novelty : ndarray of float32, shape (B,)
    novel : ndarray of bool, shape (B,)
    """

    came: NDArray[np.int64]
    regime: NDArray[np.int64]
    probability: NDArray[np.float64]
    novelty: NDArray[np.float32]
    novel: NDArray[np.bool_]


class Told(NamedTuple):
    """A change of regime that is told: whose, of which series, and what."""

    client: str
    series: str
    change: dict[str, Any]


class Step(NamedTuple):
    """What a push changes beside the bank.

    Attributes
    ----------
    came : ndarray of int64, shape (B,)
        As in :class:`Answers`.
    touched : ndarray of int64, shape (U,)
        Series to which rows came, ascending.
    held : ndarray of int64, shape (U, 4)
        What is held of these afterwards.
    changes : Changes
    """

    came: NDArray[np.int64]
    touched: NDArray[np.int64]
    held: NDArray[np.int64]
    changes: Changes


def step_of(
    ids: NDArray[np.int64], ticks: BankTicks, held: NDArray[np.int64], rule: ChangeRule
) -> Step:
    """Return what a push of one row of each of the series ``ids`` changes.

    Parameters
    ----------
    ids : ndarray of int64, shape (B,)
    ticks : BankTicks
    held : ndarray of int64, shape (capacity, 4)
        Of all series, before.
    rule : ChangeRule
    """
    touched, which = distinct(ids)
    after = held[touched]
    came = after[which, CAME] + occurrences(ids)
    after[:, CAME] += np.bincount(which, minlength=len(touched))
    after[:, :CAME], changes = rule.follow(
        after[:, :CAME], which[ticks.row], ticks.regime, ticks.probability
    )
    return Step(came, touched, after, changes._replace(row=ticks.row[changes.row]))


def answers_of(step: Step, ticks: BankTicks, n_regimes: int) -> Answers:
    """Return the ticks row by row."""
    assert ticks.novelty is not None
    assert ticks.novel is not None
    size, row = len(step.came), ticks.row
    found = Answers(
        step.came,
        np.full(size, NONE),
        np.full((size, n_regimes), np.nan),
        np.full(size, np.nan, np.float32),
        np.zeros(size, np.bool_),
    )
    found.regime[row], found.probability[row] = ticks.regime, ticks.probability
    found.novelty[row], found.novel[row] = ticks.novelty, ticks.novel
    return found


def told_of(
    step: Step,
    client: str,
    names: Sequence[str],
    times: Sequence[Any] | None,
    regimes: Sequence[str],
) -> list[Told]:
    """Return the changes of a push as plain data, in the order of its rows."""
    told = []
    for row, before, regime, probability, bars in zip(
        *(column.tolist() for column in step.changes), strict=True
    ):
        change = {
            "series": names[row],
            "from": None if before == NONE else regimes[before],
            "to": regimes[regime],
            "regime": regime,
            "probability": probability,
            "bars": bars,
            "count": int(step.came[row]),
            "time": None if times is None else _plain(times[row]),
        }
        told.append(Told(client, names[row], change))
    return told


def _plain(time: Any) -> Any:
    return time.item() if isinstance(time, np.generic) else time
