"""From labels of windows to evidence of single bars.

Windows find the regimes, whatever makes them different. But windows overlap: they repeat each piece
of evidence W times, and W / 2 bars late. So a density of the next bar in each regime is fitted from
their labels, by expectation maximisation; the Bayesian information criterion chooses the order of
the autoregression. It takes the windows' place if its labels explain windows about as well as the
windows' own labels do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.agreement import adjusted_rand, contingency
from regimetry.contract import RefinementRecord
from regimetry.encoder.convolutions import label_offset
from regimetry.regimes.evidence.channels import own_channels
from regimetry.regimes.evidence.correlation_ratio import correlation_ratio_apart
from regimetry.regimes.evidence.em import Bars, Maximum, expectation_maximisation
from regimetry.regimes.evidence.emission import Array, Emission
from regimetry.runtime.recursion import jump_path
from regimetry.windows import Windows, with_later

ORDERS = (0, 1, 2, 3, 5)
"""Orders of autoregression that are tried, each if the one before it was an improvement."""

LEAST_RATIO = 0.85
"""Of what the windows' labels explain, how much a refinement must explain not to be dropped."""

LITTLE_RATIO, LEAST_AGREEMENT = 0.2, 0.5
"""One that explains no more than the first must have this adjusted Rand index with the windows'."""

UNKNOWN_BAR = 1.0
"""By how much a change is cheaper, in nats, while it is not known at which bar it happened.

The causal recursion follows the best path to each regime, where the filter of the same chain adds
up the paths that change at one of the last bars or another: about e of them matter.
"""


@dataclass(frozen=True)
class Refinement:
    """Evidence of single bars, and the figures for it.

    Attributes
    ----------
    emission : Emission
    stay : float
        Probability of staying in a regime from one bar to the next.
    agreement : float
        Adjusted Rand index between its whole-series labels and those of the windows.
    correlation_ratio, correlation_ratio_of_windows : float
        Share of the variance of windows that its labels, and those of the windows, explain W bars
        away; see :func:`~regimetry.regimes.evidence.correlation_ratio.correlation_ratio_apart`.
    criterion : float
        Bayesian information criterion as penalised log-likelihood, in nats; higher is better.
    """

    emission: Emission
    stay: float
    agreement: float
    correlation_ratio: float
    correlation_ratio_of_windows: float
    criterion: float

    @property
    def penalty(self) -> float:
        """Price of a change in nats: the log odds of staying against each single change."""
        return price_of_change(self.stay, self.emission.n_regimes)

    @property
    def causal_penalty(self) -> float:
        """Price of a change in the causal labels: less by :data:`UNKNOWN_BAR`."""
        return max(self.penalty - UNKNOWN_BAR, 0.0)

    def reordered(self, order: NDArray[np.integer]) -> Refinement:
        """Return the same with regime ``order[new]`` at place ``new``."""
        return replace(self, emission=self.emission.reordered(order))

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

        If neither explains much, this says nothing: then the two must also agree.
        """
        if self.correlation_ratio <= LITTLE_RATIO and self.agreement < LEAST_AGREEMENT:
            return False
        return self.correlation_ratio > LEAST_RATIO * self.correlation_ratio_of_windows


def price_of_change(stay: float, n_regimes: int) -> float:
    """Return the log odds of staying against each single change, in nats; 0 for one regime."""
    return float(np.log(stay / (1.0 - stay) * (n_regimes - 1))) if n_regimes > 1 else 0.0


def refine(
    windows: NDArray[np.floating] | Windows,
    labels: NDArray[np.integer],
    points: NDArray[np.floating],
    n_regimes: int,
    seed: int = 0,
    *,
    reach: int = 0,
) -> Refinement:
    """Fit a density of the next bar to each regime.

    Parameters
    ----------
    windows : ndarray of float, shape (N, W, F), or Windows
        Preprocessed, in time order, stride 1. The order of the autoregression stays below W.
    labels : ndarray of int, shape (N,)
        Whole-series labels of the windows.
    points : ndarray of float, shape (N, L)
        Where the windows lie among each other: what regimes should explain.
    n_regimes : int
        K.
    seed : int
        Of the windows that the choice of channels looks at.
    reach : int
        Rows before the windows that labels and points come from too.

    Returns
    -------
    Refinement
    """
    windows = Windows.of(windows)
    window_size = windows.shape[1]
    channels = own_channels(windows, seed)
    depth = min(ORDERS[-1] + 1, window_size)
    # (N, depth, C): the newest bar first. All orders are compared on the same bars.
    bars = windows.map(lambda w: w[:, : -depth - 1 : -1, list(channels)].astype(np.float64))
    half = label_offset(window_size, reach) if reach else window_size - 1 - window_size // 2
    centre = _labels_of_newest(labels, windows.offsets, half)
    start = (centre[:, None] == np.arange(n_regimes)).astype(float)

    def fitted(order: int, *, heavy: bool) -> Maximum:
        data = Bars(bars[:, 0], design_matrix(bars, order), windows.begins)
        return expectation_maximisation(data, start, channels, heavy=heavy)

    best = fitted(ORDERS[0], heavy=False)
    for order in ORDERS[1:]:
        candidate = fitted(order, heavy=False) if order < window_size else best
        if candidate.criterion <= best.criterion:
            break
        best = candidate
    heavy = fitted(best.emission.order, heavy=True)
    if heavy.criterion > best.criterion:
        best = heavy

    costs = -best.emission.density(design_matrix(bars, best.emission.order), bars[:, 0])
    path = jump_path(costs, price_of_change(best.stay, n_regimes), windows.offsets)
    known = centre >= 0

    def ratio(of_newest: NDArray[np.integer]) -> float:
        # The window around a bar ends ``half`` later; the next ones that share nothing with it,
        # all that one reads before and after.
        ahead, behind = window_size + reach + half, window_size + reach - half
        return correlation_ratio_apart(
            points, np.where(known, of_newest, -1), ahead, behind, windows.offsets
        )

    return Refinement(
        emission=best.emission,
        stay=best.stay,
        agreement=adjusted_rand(contingency(centre[known], path[known], n_regimes, n_regimes)),
        correlation_ratio=ratio(path),
        correlation_ratio_of_windows=ratio(centre),
        criterion=best.criterion,
    )


def _labels_of_newest(
    labels: NDArray[np.integer], offsets: NDArray[np.int64], bars: int
) -> NDArray[np.int64]:
    """Return the label of each window's newest bar: that of the window ``bars`` later, or -1."""
    found = np.full(len(labels), -1)
    rows = with_later(offsets, bars)
    found[rows] = labels[rows + bars]
    return found


def design_matrix(bars: Array, order: int) -> Array:
    """Return a 1 and the bars before the newest, (N, 1 + P C), of bars (N, depth, C)."""
    earlier = bars[:, 1 : order + 1].reshape(len(bars), order * bars.shape[2])
    return np.concatenate([np.ones((len(bars), 1)), earlier], axis=1)
