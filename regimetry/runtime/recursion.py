"""The causal recursion: a state and the graph's outputs in, labels and the next state out.

`jump_path`, of the extension, is the other way to label: the cheapest path of a whole series, which
looks ahead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from regimetry._core import follow, jump_labels, jump_path
from regimetry.series.spans import segment_offsets

if TYPE_CHECKING:
    from regimetry.contract import ModelContract

__all__ = [
    "Labelling",
    "Recursion",
    "State",
    "jump_labels",
    "jump_path",
    "probabilities",
    "running_mean",
]


class Labelling(NamedTuple):
    """The labels of T rows; row t uses rows up to t.

    Attributes
    ----------
    regime : ndarray of int64, shape (T,), or Series
    probability : ndarray of float64, shape (T, K), or DataFrame
    novelty : ndarray of float32, shape (T,), or Series
    novel : ndarray of bool, shape (T,), or Series
        The running mean of novelty exceeds the contract's ``novelty_threshold``. False where there
        is no full window.
    """

    regime: Any
    probability: Any
    novelty: Any
    novel: Any


class State(NamedTuple):
    """Where the recursion of M series stands, or where it stood after each of M rows.

    Attributes
    ----------
    costs : ndarray of float64, shape (M, K)
        V, less the least of each row.
    means : ndarray of float64, shape (M,)
        Running mean of novelty; NaN before the first row.
    """

    costs: NDArray[np.float64]
    means: NDArray[np.float64]

    @classmethod
    def begin(cls, n_series: int, n_regimes: int) -> Self:
        """Return the state of series without rows."""
        return cls(np.zeros((n_series, n_regimes)), np.full(n_series, np.nan))

    @classmethod
    def of_numbers(cls, numbers: NDArray[np.float64]) -> Self:
        """Return the state whose :meth:`numbers` (M, K + 1) these are."""
        return cls(numbers[:, :-1], numbers[:, -1])

    def numbers(self) -> NDArray[np.float64]:
        """Return the state as one array (M, K + 1): costs, and behind them the mean."""
        return np.column_stack(self)

    def after(self, rows: Self, offsets: NDArray[np.int64]) -> Self:
        """Return the state behind ``rows``, those of each series from ``offsets`` (M + 1,) on.

        A series without rows keeps its own.
        """
        moved = np.diff(offsets) > 0
        last = offsets[1:][moved] - 1
        costs, means = self.costs.copy(), self.means.copy()
        costs[moved], means[moved] = rows.costs[last], rows.means[last]
        return type(self)(costs, means)


class Segments(NamedTuple):
    """Segments of the next rows of series, those of a series together.

    Attributes
    ----------
    series : ndarray of int64, shape (S,)
        Whose each is.
    counts : ndarray of int64, shape (S,)
        Rows of each that have costs.
    begins : ndarray of bool, shape (S,)
        Whether it begins here; the first of a series may go on.
    """

    series: NDArray[np.int64]
    counts: NDArray[np.int64]
    begins: NDArray[np.bool_]


@dataclass(frozen=True)
class Recursion:
    """The recursion of labels and of novelty, the same for every caller.

    ``V_t = d_t + min(V_{t-1}, min(V_{t-1}) + penalty)``, the label is ``argmin V_t``. The costs V
    are those of the best path that ends in each regime, so ``softmax(-sharpness V)`` is the
    max-product filter of a hidden Markov model whose log-likelihoods are ``-sharpness * distance``
    and whose changes cost ``sharpness * penalty``; its most likely regime is the causal label. A
    running mean ``m += memory (novelty - m)``, begun with the first row, tells a novel state from
    an odd bar.

    Attributes
    ----------
    penalty, sharpness, memory : float
    threshold : float
        A row is novel where the mean exceeds it.
    """

    penalty: float
    sharpness: float = 1.0
    memory: float = 1.0
    threshold: float = math.inf

    @classmethod
    def of(cls, contract: ModelContract) -> Self:
        """Return the recursion that a model file describes."""
        threshold = contract.novelty_threshold
        return cls(
            contract.jump_penalty,
            contract.sharpness,
            contract.novelty_memory,
            math.inf if threshold is None else threshold,
        )

    def __call__(
        self,
        distance: NDArray[np.floating],
        novelty: NDArray[np.floating] | None = None,
        state: State | None = None,
        offsets: NDArray[np.int64] | None = None,
    ) -> tuple[Labelling, State]:
        """Follow the rows of one series, or of several that lie one after the other.

        Parameters
        ----------
        distance : ndarray of float, shape (N, K)
        novelty : ndarray of float, shape (N,), or None
            Without it there is no mean, and no row is novel.
        state : State or None
            Of M series; ``None`` begins afresh.
        offsets : ndarray of int64, shape (M + 1,), or None
            Boundaries of M series, from 0 to N; ``None`` is one series.

        Returns
        -------
        labelling : Labelling
            Of the N rows.
        states : State
            After each of the N rows; :meth:`State.after` gives that of the series.

        Raises
        ------
        DataError
            A distance is not finite, or sizes do not agree.
        """
        costs, means = (None, None) if state is None else state
        regime, probability, novel, costs, means = follow(
            distance,
            novelty,
            self.penalty,
            self.sharpness,
            self.memory,
            self.threshold,
            costs,
            means,
            offsets,
        )
        return Labelling(regime, probability, novelty, novel), State(costs, means)

    def follow_segments(
        self,
        distance: NDArray[np.floating],
        novelty: NDArray[np.floating] | None,
        state: State,
        segments: Segments,
        *,
        carry: bool,
    ) -> tuple[Labelling, NDArray[np.int64], State]:
        """Follow rows of series that fall into segments.

        Parameters
        ----------
        distance, novelty
            As for a call: the rows of each segment together, one segment after the other.
        state : State
            Where the series of each of S segments stood.
        segments : Segments
        carry : bool
            Go on over gaps; else a segment that begins begins afresh.

        Returns
        -------
        labelling : Labelling
        series : ndarray of int64, shape (M,)
            The series that have segments here.
        state : State
            Where each of them stands now.
        """
        series, counts, begins = segments
        firsts = np.flatnonzero(np.diff(series, prepend=-1))
        bounds = segment_offsets(counts)
        if carry:
            bounds = np.append(bounds[firsts], bounds[-1])
            state = State(state.costs[firsts], state.means[firsts])
        else:
            costs, means = state.costs.copy(), state.means.copy()
            costs[begins], means[begins] = 0.0, np.nan
            state = State(costs, means)
        found, states = self(distance, novelty, state, bounds)
        after = state.after(states, bounds)
        if not carry:
            lasts = np.append(firsts[1:], len(series)) - 1 if len(firsts) else firsts
            after = State(after.costs[lasts], after.means[lasts])
        return found, series[firsts], after

    def labels(
        self, distance: NDArray[np.floating], offsets: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """Return the labels alone, (N,), of series that begin here: memory holds nothing else."""
        return jump_labels(distance, self.penalty, offsets)


def running_mean(
    novelty: NDArray[np.floating], memory: float, offsets: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return the running mean of novelty (N,) after each row; ``offsets`` as for the recursion."""
    nothing = np.zeros((len(novelty), 1))
    return Recursion(0.0, memory=memory)(nothing, novelty, offsets=offsets)[1].means


def probabilities(costs: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    """Return ``softmax(-sharpness * costs)`` along the last axis, as the recursion gives it."""
    weights: NDArray[np.float64] = np.exp(-sharpness * costs)
    weights /= np.add.reduce(weights, axis=-1, keepdims=True)
    return weights
