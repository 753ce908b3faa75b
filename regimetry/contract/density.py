"""The density of the next row in each regime, as a model file keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True, kw_only=True)
class DensityRecord:
    """Parameters of :class:`~regimetry.runtime.density.RowDensity`, in units of training.

    Attributes
    ----------
    channels : tuple of int
        Features that it describes: those that the others do not explain.
    coefficients : tuple, (K, 1 + P C, C)
        Intercept and autoregression.
    factors : tuple, (K, C, C)
        Lower triangular, with ones on the diagonal.
    omega, leverage : tuple, (K, C)
        Of the scales: what is added on every row, and what a fall adds to a shock.
    shock, memory, fall_memory : tuple of float, length K
        Of the scales, and of what falls add; all 0 where they do not move.
    freedom : tuple of float, length K
        Degrees of freedom of the tails.
    skew : tuple of float, length C
        1 for none.
    begin : tuple, (K, 2 C)
        Scales before the first row, and behind them what falls have added.
    typical : tuple, (K, C)
        Mean scales over the training rows of each regime.
    stay : float
        Probability of staying in a regime from one row to the next.
    weights : {"density", "regimes"}
        Where the probabilities of the regimes come from: the density's own filter, or the causal
        labels, which windows tell.
    log_likelihood : float
        Of ``rows`` training rows, in nats and in units of training.
    parameters : int
        How many numbers were estimated.
    rows : int
        How many training rows they were estimated on.
    surprise : float or None
        A row is surprising where its log score is below, in nats and in the columns' own units (of
        many instruments, in common ones); 1 % of the training rows are.
    score : float or None
        Mean log score of the training rows, each given those before it, in the same units.
    """

    channels: tuple[int, ...]
    coefficients: tuple[tuple[tuple[float, ...], ...], ...]
    factors: tuple[tuple[tuple[float, ...], ...], ...]
    omega: tuple[tuple[float, ...], ...]
    leverage: tuple[tuple[float, ...], ...]
    shock: tuple[float, ...]
    memory: tuple[float, ...]
    fall_memory: tuple[float, ...]
    freedom: tuple[float, ...]
    skew: tuple[float, ...]
    begin: tuple[tuple[float, ...], ...]
    typical: tuple[tuple[float, ...], ...]
    stay: float
    weights: Literal["density", "regimes"]
    log_likelihood: float
    parameters: int
    rows: int
    surprise: float | None = None
    score: float | None = None

    def is_possible(self, n_regimes: int, n_features: int, most: int) -> bool:
        """Say whether these are parameters of a density: shapes, and what keeps scales positive.

        Parameters
        ----------
        n_regimes : int
            K.
        n_features : int
            F.
        most : int
            The highest order for which a window has rows.
        """
        size, columns = len(self.channels), range(n_features)
        if not size or len(set(self.channels)) < size or not set(self.channels) <= set(columns):
            return False
        width = len(self.coefficients[0]) if self.coefficients else 0
        if width < 1 or (width - 1) % size or (width - 1) // size > most:
            return False
        k = n_regimes
        shapes: dict[str, tuple[int, ...]] = {
            "coefficients": (k, width, size),
            "factors": (k, size, size),
            **dict.fromkeys(("omega", "leverage", "typical"), (k, size)),
            "begin": (k, 2 * size),
            **dict.fromkeys(("shock", "memory", "fall_memory", "freedom"), (k,)),
            "skew": (size,),
        }
        if any(_shape(getattr(self, name)) != shape for name, shape in shapes.items()):
            return False
        factors, begin = np.array(self.factors), np.array(self.begin)
        least = (self.omega, self.leverage, self.shock, self.memory, self.fall_memory, self.begin)
        return bool(
            np.allclose(np.diagonal(factors, axis1=1, axis2=2), 1.0)
            and all(np.min(one) >= 0 for one in least)
            and (begin[:, :size] > 0).all()
            and max(*self.memory, *self.fall_memory) < 1
            and min(self.freedom) > _LEAST_FREEDOM
            and min(self.skew) > 0
            and 0 < self.stay < 1
        )


_LEAST_FREEDOM = 2.0  # there is no variance below


def _shape(nested: Any) -> tuple[int, ...] | None:
    """Return the shape of nested tuples, ``None`` where they are ragged."""
    try:
        return tuple(np.shape(nested))
    except ValueError:
        return None
