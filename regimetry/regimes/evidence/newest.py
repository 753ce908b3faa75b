"""The newest bars of windows, and the densities that are estimated on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.convolutions import label_offset
from regimetry.regimes.density.fit import (
    FittedDensity,
    constant_density,
    moving_density,
    spread,
)
from regimetry.regimes.evidence.channels import own_channels
from regimetry.regimes.evidence.em import Bars, Maximum, expectation_maximisation
from regimetry.regimes.evidence.emission import Array
from regimetry.windows import Windows, with_later

ORDERS = (0, 1, 2, 3, 5)
"""Orders of autoregression that are tried, each if the one before it was an improvement."""


@dataclass(frozen=True)
class NewestBars:
    """What windows hold of their newest bars, and what is known of the bars' regimes.

    Attributes
    ----------
    channels : tuple of int, length C
        Features that are read.
    prices : ndarray of bool, shape (C,)
        Which of them are returns of a price.
    bars : ndarray, shape (N, depth, C)
        The newest bar first.
    begins : ndarray of bool, shape (N,)
        Bars that follow no other.
    known : ndarray of int64, shape (N,)
        Regime of each newest bar, by the window that it describes best; -1 without one.
    n_regimes : int
        K.
    offset : int
        Bars between the one that a window describes best and its last one.
    window_size : int
        W; orders stay below it.
    rows_read : int
        Of a window and before it, by the labels.
    """

    channels: tuple[int, ...]
    prices: NDArray[np.bool_]
    bars: Array
    begins: NDArray[np.bool_]
    known: NDArray[np.int64]
    n_regimes: int
    offset: int
    window_size: int
    rows_read: int

    @classmethod
    def of(
        cls,
        windows: Windows,
        labels: NDArray[np.integer],
        n_regimes: int,
        prices: Sequence[bool],
        *,
        seed: int = 0,
        reach: int = 0,
    ) -> NewestBars:
        """Return those of preprocessed windows (N, W, F) with whole-series labels (N,).

        Parameters
        ----------
        windows : Windows
            In time order, stride 1.
        labels : ndarray of int, shape (N,)
        n_regimes : int
            K.
        prices : sequence of bool, length F
            Which features are returns of a price.
        seed : int
            Of the windows that the choice of channels looks at.
        reach : int
            Rows before the windows that the labels come from too.
        """
        window_size = windows.shape[1]
        channels = own_channels(windows, seed)
        depth = min(ORDERS[-1] + 1, window_size)
        newest = slice(None, -depth - 1, -1)
        bars = windows.map(lambda w: w[:, newest, list(channels)].astype(np.float64))
        offset = label_offset(window_size, reach) if reach else window_size - 1 - window_size // 2
        known = np.full(len(labels), -1)
        rows = with_later(windows.offsets, offset)
        known[rows] = labels[rows + offset]
        return cls(
            channels,
            np.array([prices[channel] for channel in channels], dtype=np.bool_),
            bars,
            windows.begins,
            known if n_regimes > 1 else np.zeros_like(known),
            n_regimes,
            offset,
            window_size,
            window_size + reach,
        )

    @property
    def weights(self) -> Array:
        """1 for the known regime of each bar, (N, K)."""
        return (self.known[:, None] == np.arange(self.n_regimes)).astype(float)

    def rows(self, order: int) -> Bars:
        """Return the bars and the ``order`` ones before each."""
        return Bars(self.bars[:, 0], design_matrix(self.bars, order), self.begins)

    def constant(self, *, fixed: bool = False) -> Maximum:
        """Return the best density of constant scale, by the Bayesian information criterion.

        ``fixed`` keeps the known regimes; else the likelihood has the last word.
        """

        def fitted(order: int, *, heavy: bool) -> Maximum:
            return expectation_maximisation(
                self.rows(order), self.weights, self.channels, heavy=heavy, fixed=fixed
            )

        best = fitted(ORDERS[0], heavy=False)
        for order in ORDERS[1:]:
            candidate = fitted(order, heavy=False) if order < self.window_size else best
            if candidate.criterion <= best.criterion:
                break
            best = candidate
        heavy = fitted(best.emission.order, heavy=True)
        return heavy if heavy.criterion > best.criterion else best

    def densities(self, best: Maximum, *, fixed: bool = False) -> tuple[FittedDensity, ...]:
        """Return the density of constant scale as such, and one whose scales move from it on."""
        rows, weights = spread(self.rows(best.emission.order), self.weights if fixed else None)
        return (
            constant_density(rows, best.emission, best.stay, best.parameters, weights),
            moving_density(rows, best.emission, best.stay, self.prices, weights),
        )

    def of_known(self) -> FittedDensity:
        """Return the better density of the known regimes, which keep their bars."""
        pair = self.densities(self.constant(fixed=True), fixed=True)
        return max(pair, key=lambda one: one.criterion)

    @cached_property
    def single(self) -> FittedDensity:
        """The density of all bars in one regime, whose scale moves."""
        one = replace(self, known=np.zeros_like(self.known), n_regimes=1)
        return one.densities(one.constant(fixed=True), fixed=True)[1]


def design_matrix(bars: Array, order: int) -> Array:
    """Return a 1 and the bars before the newest, (N, 1 + P C), of bars (N, depth, C)."""
    earlier = bars[:, 1 : order + 1].reshape(len(bars), order * bars.shape[2])
    return np.concatenate([np.ones((len(bars), 1)), earlier], axis=1)
