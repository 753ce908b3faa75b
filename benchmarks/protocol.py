"""The protocol that labels of regimes are judged by: arrays in, numbers out.

Three tasks, each of labels (T,) against the states (T,) that made the bars:

- *offline*: fitted on the whole series; the label of a window stands at its centre;
- *causal*: the same fit; the label of bar t uses bars up to t and stands at the last of them;
- *out of sample*: fitted on the first 60 %, which also fixes what each label stands for; scored on
  the causal labels of the rest.

The first and the last 60 bars of the series are dropped. A label is an integer from 0 on, and -1
where there is none; within the bars that are scored there must be one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

Integers = NDArray[np.integer]

EDGE_BARS = 60
"""Bars at either end of a series that no score looks at."""

TRAINING_SHARE = 0.6

HOLD_BARS = 5
"""A change counts as detected from the first of this many bars in a row that name its state."""


@dataclass(frozen=True)
class Scores:
    """What one labelling is worth.

    Attributes
    ----------
    ari : float
        Adjusted Rand index; knows no matching.
    bac : float
        Balanced accuracy after the matching: the mean over states of the share of their bars that
        are named rightly.
    delay : float
        Median over changes of state of the bars until the label names the new one; a change that
        is missed counts the whole stay in the new state. NaN without a change.
    missed : float
        Share of changes that the label never names. NaN without a change.
    """

    ari: float
    bac: float
    delay: float
    missed: float


def training_rows(n_rows: int) -> int:
    """Return how many of the first bars an out-of-sample fit sees."""
    return int(TRAINING_SHARE * n_rows)


def at_last_bar(window_labels: Integers, n_rows: int) -> NDArray[np.int64]:
    """Put the label of each window (N,) at its last bar: (T,), -1 before the first."""
    return at_bar(window_labels, n_rows, 0)


def at_centre(window_labels: Integers, n_rows: int, window_size: int) -> NDArray[np.int64]:
    """Put the label of each window (N,) W // 2 bars before its last: (T,), -1 at both ends."""
    return at_bar(window_labels, n_rows, window_size // 2)


def at_bar(window_labels: Integers, n_rows: int, after: int) -> NDArray[np.int64]:
    """Put the label of each window (N,) ``after`` bars before its last: (T,), -1 at the ends."""
    if len(window_labels) > n_rows:
        raise ValueError(f"{len(window_labels)} windows of stride 1 do not fit in {n_rows} bars.")
    labels = np.full(n_rows, -1, dtype=np.int64)
    last = np.arange(n_rows - len(window_labels), n_rows)
    inside = last >= after
    labels[last[inside] - after] = np.asarray(window_labels)[inside]
    return labels


def score_in_sample(states: Integers, labels: Integers) -> Scores:
    """Score offline or causal labels; the matching is the best for the bars that are scored.

    Parameters
    ----------
    states, labels : ndarray of int, shape (T,)

    Returns
    -------
    Scores
    """
    part = slice(EDGE_BARS, len(states) - EDGE_BARS)
    return _score(states, labels, part, part)


def score_out_of_sample(states: Integers, labels: Integers) -> Scores:
    """Score causal labels of a whole series, given by a fit on its first 60 %, on the rest.

    Parameters
    ----------
    states, labels : ndarray of int, shape (T,)
        The labels of the first 60 %, causal too, fix the matching and are not scored.

    Returns
    -------
    Scores
    """
    cut = training_rows(len(states))
    return _score(
        states, labels, slice(EDGE_BARS, cut), slice(cut, max(cut, len(states) - EDGE_BARS))
    )


def _begun(labels: Integers, part: slice) -> slice:
    """Return a part without the bars before its first label: a long window has none there."""
    known = np.flatnonzero(labels[part] >= 0)
    return slice(part.start + int(known[0]), part.stop) if len(known) else part


def _score(states: Integers, labels: Integers, matched: slice, scored: slice) -> Scores:
    states, labels = np.asarray(states), np.asarray(labels)
    if states.shape != labels.shape:
        raise ValueError(f"There are {states.shape} states and {labels.shape} labels.")
    matched, scored = (_begun(labels, part) for part in (matched, scored))
    for part in (matched, scored):
        if not len(labels[part]) or labels[part].min() < 0:
            raise ValueError(
                f"Bars {part.start} to {part.stop} must all have a label; "
                f"{int((labels[part] < 0).sum())} of {len(labels[part])} have none."
            )
    named = rename(labels, best_matching(states[matched], labels[matched]))
    spells = change_delays(states[scored], named[scored])
    delays, found = np.array([s.delay for s in spells]), np.array([s.found for s in spells])
    return Scores(
        ari=float(adjusted_rand_score(states[scored], labels[scored])),
        bac=balanced_accuracy(states[scored], named[scored]),
        delay=float(np.median(delays)) if len(spells) else float("nan"),
        missed=float(np.mean(~found)) if len(spells) else float("nan"),
    )


def best_matching(states: Integers, labels: Integers) -> NDArray[np.int64]:
    """Return the state of each label, one to one, for which balanced accuracy is largest.

    Parameters
    ----------
    states, labels : ndarray of int, shape (T,)
        All from 0 on.

    Returns
    -------
    ndarray of int64, shape (largest label + 1,)
        -1 for a label that stands for no state: there are more labels than states.
    """
    counts = np.zeros((int(states.max()) + 1, int(labels.max()) + 1))
    np.add.at(counts, (states, labels), 1.0)
    recalls = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    mapping = np.full(counts.shape[1], -1, dtype=np.int64)
    rows, columns = linear_sum_assignment(recalls, maximize=True)
    mapping[columns] = rows
    return mapping


def rename(labels: Integers, mapping: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the state that each label stands for, -1 for missing labels and those without one."""
    known = (labels >= 0) & (labels < len(mapping))
    return np.where(known, mapping[np.where(known, labels, 0)], -1)


def balanced_accuracy(states: Integers, named: Integers, n_states: int | None = None) -> float:
    """Return the mean over states of the share of their bars that carry the state's own name.

    Parameters
    ----------
    states : ndarray of int, shape (T,)
    named : ndarray of int, shape (T,)
        Labels by the name of the state they stand for; see :func:`rename`.
    n_states : int or None
        K: a state without a bar counts as 0. ``None`` takes the mean over the states that occur.
    """
    present = np.unique(states)
    recalls = [float(np.mean(named[states == state] == state)) for state in present]
    return float(np.sum(recalls) / (len(present) if n_states is None else n_states))


@dataclass(frozen=True)
class ChangeDelay:
    """How long one change of state took to be seen; ``delay`` in bars, 0 for the first bar."""

    delay: int
    found: bool


def change_delays(states: Integers, named: Integers, hold: int = HOLD_BARS) -> list[ChangeDelay]:
    """Return how long each change of state took to be seen.

    The delay of a change at bar t to a state that lasts L bars is the smallest d for which bars
    t + d to t + d + hold - 1, all of them before t + L, carry the new state's name. A single bar
    is not enough: labels that flicker would meet it at once. If there is no such d the change is
    missed and d is L. Stays shorter than ``hold`` are left out, and so is the first stay, whose
    change was not seen.

    Parameters
    ----------
    states, named : ndarray of int, shape (T,)
        Labels by the name of the state they stand for; see :func:`rename`.
    hold : int

    Returns
    -------
    list of ChangeDelay
    """
    starts = np.flatnonzero(np.diff(states)) + 1
    result = []
    for start, stop in pairwise([*starts, len(states)]):
        length = int(stop - start)
        if length < hold:
            continue
        right = named[start:stop] == states[start]
        runs = np.lib.stride_tricks.sliding_window_view(right, hold).all(axis=1)
        found = bool(runs.any())
        result.append(ChangeDelay(int(np.argmax(runs)) if found else length, found))
    return result


def share_of_one(chosen: Integers) -> float:
    """Return the share of series with one regime for which K = 1 was chosen."""
    return float(np.mean(np.asarray(chosen) == 1))


@dataclass(frozen=True)
class Paired:
    """Two methods on the same series.

    Attributes
    ----------
    median : float
        Of the differences, ours minus theirs.
    wins, losses : int
        Series on which ours is higher, and lower; ties are neither.
    """

    median: float
    wins: int
    losses: int


def paired(ours: NDArray[np.floating], theirs: NDArray[np.floating]) -> Paired:
    """Compare scores (S,) of two methods on the same S series, pair by pair."""
    difference = np.asarray(ours, float) - np.asarray(theirs, float)
    return Paired(
        float(np.median(difference)), int(np.sum(difference > 0)), int(np.sum(difference < 0))
    )
