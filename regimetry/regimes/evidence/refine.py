"""From labels of windows to evidence of single bars.

Windows find the regimes, whatever makes them different. But windows overlap: they repeat each piece
of evidence W times, and W / 2 bars late. So a density of the next bar in each regime is fitted from
their labels, by expectation maximisation, and one whose scales move; the Bayesian information
criterion orders them. The first whose labels explain windows about as well as the windows' own
labels do takes the windows' place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.agreement import adjusted_rand, contingency
from regimetry.contract import RefinementRecord
from regimetry.regimes.density.fit import FittedDensity
from regimetry.regimes.density.moving import MovingEmission
from regimetry.regimes.evidence.correlation_ratio import correlation_ratio_apart
from regimetry.regimes.evidence.emission import Array, Emission
from regimetry.regimes.evidence.newest import NewestBars
from regimetry.runtime.chain import filtered
from regimetry.runtime.recursion import jump_labels, jump_path
from regimetry.windows import Windows, begins_of

LEAST_RATIO = 0.85
"""Of what the windows' labels explain, how much a refinement must explain not to be dropped."""

LITTLE_RATIO, LEAST_AGREEMENT = 0.2, 0.5
"""One that explains no more than the first must have this adjusted Rand index with the windows', or
speak for its regimes by itself: see :attr:`Refinement.gain`."""

DISCOUNTS = tuple(np.arange(0.0, 3.1, 0.25).tolist())
"""By how much a change may be cheaper in the causal labels, in nats; see :func:`causal_price`."""

ALIKE = 1e-3
"""Prices whose labels are this much less probable still count, so that no rounding decides."""


@dataclass(frozen=True)
class Refinement:
    """Evidence of single bars, and the figures for it.

    Attributes
    ----------
    emission : Emission or MovingEmission
    stay : float
        Probability of staying in a regime from one bar to the next.
    criterion : float
        Bayesian information criterion as penalised log-likelihood, in nats; higher is better.
    density : FittedDensity
        Of every row given all before it: that of the emission, or, where scales move and yet are
        not what tells the regimes, that of the regimes that the emission finds.
    agreement : float
        Adjusted Rand index between its whole-series labels and those of the windows.
    correlation_ratio, correlation_ratio_of_windows : float
        Share of the variance of windows that its labels, and those of the windows, explain W bars
        away; see :func:`~regimetry.regimes.evidence.correlation_ratio.correlation_ratio_apart`.
    causal_penalty : float
        Price of a change in the causal labels.
    gain : float or None
        By how many nats its information criterion is better than that of one regime whose scale
        moves; ``None`` where nothing depends on it.
    """

    emission: Emission | MovingEmission
    stay: float
    criterion: float
    density: FittedDensity
    agreement: float
    correlation_ratio: float
    correlation_ratio_of_windows: float
    causal_penalty: float
    gain: float | None = None

    @property
    def penalty(self) -> float:
        """Price of a change in nats: the log odds of staying against each single change."""
        return price_of_change(self.stay, self.emission.n_regimes)

    def reordered(self, order: NDArray[np.integer]) -> Refinement:
        """Return the same with regime ``order[new]`` at place ``new``."""
        return replace(
            self, emission=self.emission.reordered(order), density=self.density.reordered(order)
        )

    @property
    def record(self) -> RefinementRecord:
        """The entry of the model file."""
        return RefinementRecord(
            channels=self.emission.channels,
            order=self.emission.order,
            freedom=tuple(self.emission.degrees_of_freedom.tolist()),
            stay=self.stay,
            agreement=self.agreement,
            explained=self.correlation_ratio,
            explained_by_windows=self.correlation_ratio_of_windows,
            criterion=self.criterion,
        )

    @property
    def explains_enough(self) -> bool:
        """Whether its labels explain windows about as well as the windows' own labels do.

        If neither explains much, this says nothing: then the two must also agree, or the bars alone
        must speak for more than one regime.
        """
        if self.correlation_ratio <= LITTLE_RATIO and self.agreement < LEAST_AGREEMENT:
            neither = self.correlation_ratio_of_windows <= LITTLE_RATIO
            return neither and self.gain is not None and self.gain > 0
        return self.correlation_ratio > LEAST_RATIO * self.correlation_ratio_of_windows


def price_of_change(stay: float, n_regimes: int) -> float:
    """Return the log odds of staying against each single change, in nats; 0 for one regime."""
    return float(np.log(stay / (1.0 - stay) * (n_regimes - 1))) if n_regimes > 1 else 0.0


def causal_price(costs: Array, stay: float, offsets: NDArray[np.int64]) -> float:
    """Return the price at which the causal recursion agrees most with the filter of the chain.

    The recursion follows the best path to each regime, where the filter adds up all paths: while
    it is not known at which bar a change happened, several matter, and a change is cheaper. Of the
    prices less by :data:`DISCOUNTS`, those count whose causal labels of the training bars are most
    probable by the filter: a price whose labels are less so by :data:`ALIKE` counts 1 / e.

    Parameters
    ----------
    costs : ndarray, shape (N, K)
    stay : float
    offsets : ndarray of int64, shape (I + 1,)
        Boundaries of the series.
    """
    price = price_of_change(stay, costs.shape[1])
    likelihood = np.exp(costs.min(axis=1, keepdims=True) - costs)
    exact = filtered(likelihood, stay, begins_of(offsets))
    prices = np.maximum(price - np.array(DISCOUNTS), 0.0)
    rows = np.arange(len(costs))
    labels = [jump_labels(costs, one, offsets) for one in prices.tolist()]
    probable = np.array([exact[rows, one].mean() for one in labels])
    weights = np.exp((probable - probable.max()) / ALIKE)
    return float(weights @ prices / weights.sum())


def refine(newest: NewestBars, windows: Windows, points: NDArray[np.floating]) -> Refinement:
    """Fit a density of the next bar to each regime.

    Parameters
    ----------
    newest : NewestBars
    windows : Windows, shape (N, W, F)
        Preprocessed, in time order, stride 1.
    points : ndarray of float, shape (N, L)
        Where the windows lie among each other: what regimes should explain.

    Returns
    -------
    Refinement
        The first by its information criterion that explains enough, or simply the first.
    """
    best = newest.constant()
    pair = newest.densities(best)
    moving = MovingEmission(pair[1].channels, pair[1].density)
    emissions: list[Emission | MovingEmission] = [best.emission, moving]
    ordered = sorted(
        zip(emissions, pair, strict=True), key=lambda one: one[1].criterion, reverse=True
    )
    judged = _Judge(windows, points, newest)
    first = judged.refinement(*ordered[0])
    if first.explains_enough:
        return first
    second = judged.refinement(*ordered[1])
    if not second.explains_enough:
        return first
    if isinstance(second.emission, MovingEmission):
        return second
    return replace(second, density=judged.of_path(second))


@dataclass(frozen=True)
class _Judge:
    """What refinements of the same windows are judged by."""

    windows: Windows
    points: NDArray[np.floating]
    newest: NewestBars

    def refinement(self, emission: Emission | MovingEmission, density: FittedDensity) -> Refinement:
        """Return a density with the figures for it."""
        newest, n_regimes = self.newest, emission.n_regimes
        price = price_of_change(density.stay, n_regimes)
        costs, offsets = self._costs(emission), self.windows.offsets
        path = jump_path(costs, price, offsets)
        known = newest.known >= 0
        table = contingency(newest.known[known], path[known], n_regimes, n_regimes)
        result = Refinement(
            emission=emission,
            stay=density.stay,
            criterion=density.criterion,
            density=density,
            agreement=adjusted_rand(table),
            correlation_ratio=self._ratio(np.where(known, path, -1)),
            correlation_ratio_of_windows=self._ratio(newest.known),
            causal_penalty=causal_price(costs, density.stay, offsets),
        )
        if result.correlation_ratio > LITTLE_RATIO or result.agreement >= LEAST_AGREEMENT:
            return result
        return replace(result, gain=density.criterion - newest.single.criterion)

    def of_path(self, found: Refinement) -> FittedDensity:
        """Return the density of the regimes that a refinement finds, with hindsight."""
        path = jump_path(self._costs(found.emission), found.penalty, self.windows.offsets)
        return replace(self.newest, known=path).of_known()

    def _costs(self, emission: Emission | MovingEmission) -> Array:
        if isinstance(emission, MovingEmission):
            return self.windows.map(emission.costs)
        rows = self.newest.rows(emission.order)
        return -emission.density(rows.before, rows.now)

    def _ratio(self, of_newest: NDArray[np.int64]) -> float:
        # The window around a bar ends ``offset`` later; the next ones that share nothing with it,
        # all that one reads before and after.
        size, offset = self.newest.rows_read, self.newest.offset
        return correlation_ratio_apart(
            self.points, of_newest, size + offset, size - offset, self.windows.offsets
        )
