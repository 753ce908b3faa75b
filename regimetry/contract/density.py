"""The density of the next row in each regime, as a model file keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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
        A row is surprising where its log score, in nats and in the columns' own units, is below;
        1 % of the training rows are.
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
