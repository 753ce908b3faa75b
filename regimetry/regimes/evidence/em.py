"""Expectation maximisation of a vector autoregression that switches between regimes.

Dempster, Laird, Rubin 1977, with the chain of Hamilton 1989 and a prior that it mostly stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import digamma

from regimetry.regimes.evidence.emission import Array, Emission
from regimetry.regimes.evidence.forward_backward import Posterior, forward_backward

NORMAL = 200.0
"""Degrees of freedom at which the t distribution passes for the normal one."""

_HEAVIEST = 2.1  # degrees of freedom: below 2 there is no variance
_ITERATIONS = 20
_TOLERANCE = 1e-5  # nats a bar
_STAY, _STAY_WEIGHT = 0.99, 10.0  # prior of the chain: so many bars' worth of this much staying
STAY_LIMITS = (0.9, 0.999)
"""Of the probability of staying: what lasts less is noise rather than regimes."""

_RIDGE = 1.0
_LEAST_VARIANCE = 1e-3  # of a scaled channel


@dataclass(frozen=True)
class Bars:
    """Bars (N, C), a 1 and what came before them (N, 1 + P C), and which follow no other (N,)."""

    now: Array
    before: Array
    begins: NDArray[np.bool_]


@dataclass(frozen=True)
class Maximum:
    """What was found.

    Attributes
    ----------
    emission : Emission
    stay : float
        Probability of staying in a regime from one bar to the next.
    criterion : float
        Bayesian information criterion as penalised log-likelihood, in nats; higher is better.
    parameters : int
        Numbers that were estimated.
    """

    emission: Emission
    stay: float
    criterion: float
    parameters: int


def expectation_maximisation(
    bars: Bars, start: Array, channels: tuple[int, ...], *, heavy: bool, fixed: bool = False
) -> Maximum:
    """Maximise the likelihood of bars in K regimes, and of a chain that stays or changes.

    Parameters
    ----------
    bars : Bars
    start : ndarray, shape (N, K)
        Weights of the regimes to begin with; 0 where nothing is known.
    channels : tuple of int, length C
        Which of the features the bars are.
    heavy : bool
        Whether tails may be heavier than the normal distribution's.
    fixed : bool
        Whether ``start`` gives the weights for good: then only the densities are estimated.
    """
    before, now = bars.before, bars.now
    followers = len(now) - int(bars.begins.sum())
    weights, n_regimes = start, start.shape[1]
    degrees_of_freedom = np.full(n_regimes, 8.0 if heavy else NORMAL)
    stay, last = _STAY, -np.inf
    for _ in range(_ITERATIONS):
        emission = _maximisation(before, now, weights, degrees_of_freedom, channels, heavy=heavy)
        degrees_of_freedom = emission.degrees_of_freedom
        logs = emission.density(before, now)
        if fixed:
            likelihood, used = float(np.sum(weights * logs)), stay
            if not heavy or likelihood - last < _TOLERANCE * len(now):
                break
            last = likelihood
            continue
        found: Posterior = forward_backward(-logs, stay, bars.begins)
        weights, used, likelihood = found.state, stay, found.log_likelihood
        stay = (found.stays + _STAY_WEIGHT * _STAY) / (followers + _STAY_WEIGHT)
        stay = float(np.clip(stay, *STAY_LIMITS))
        if abs(likelihood - last) < _TOLERANCE * len(now):
            break
        last = likelihood
    size = now.shape[1]
    each = size * before.shape[1] + size * (size + 1) // 2 + int(heavy)
    parameters = n_regimes * each + 1
    criterion = likelihood - 0.5 * np.log(len(now)) * parameters
    return Maximum(emission, used, float(criterion), parameters)


def _maximisation(
    before: Array,
    now: Array,
    weights: Array,
    degrees_of_freedom: Array,
    channels: tuple[int, ...],
    *,
    heavy: bool,
) -> Emission:
    """Maximise the expected log-likelihood for weights (T, K); Liu, Rubin 1995 for heavy tails."""
    fits = [
        _weighted_autoregression(
            before, now, weights[:, k], float(degrees_of_freedom[k]), heavy=heavy
        )
        for k in range(weights.shape[1])
    ]
    return Emission(
        channels,
        np.stack([fit[0] for fit in fits]),
        np.stack([fit[1] for fit in fits]),
        np.array([fit[2] for fit in fits]),
    )


def _weighted_autoregression(
    before: Array, now: Array, weight: Array, nu: float, *, heavy: bool
) -> tuple[Array, Array, float]:
    """Return coefficients, factor of the precision and degrees of freedom, ``nu`` before."""
    size = now.shape[1]
    total = max(float(weight.sum()), 1e-9)
    ridge = np.full(before.shape[1], _RIDGE)
    ridge[0] = 1e-3  # the intercept is free
    tail_weight = np.ones(len(now))
    for _ in range(3 if heavy else 1):
        weighted = before * (weight * tail_weight)[:, None]
        coefficients = np.linalg.solve(weighted.T @ before + np.diag(ridge), weighted.T @ now)
        residual = now - before @ coefficients
        covariance = (residual * (weight * tail_weight)[:, None]).T @ residual / total
        factor = np.linalg.cholesky(np.linalg.inv(_shrunk(covariance, total)))
        if heavy:
            squares = np.sum((residual @ factor) ** 2, axis=1)
            tail_weight = (nu + size) / (nu + squares)
    if heavy:
        mean = float(np.sum(weight * (np.log(tail_weight) - tail_weight)) / total)
        mean += float(digamma((nu + size) / 2) - np.log((nu + size) / 2))
        nu = _root(lambda x: float(-digamma(x / 2) + np.log(x / 2)) + 1 + mean)
    return np.asarray(coefficients), np.asarray(factor), nu


def _shrunk(covariance: Array, total: float) -> Array:
    """Shrink towards independent channels, by the weight of C + 1 bars, and off zero."""
    size = len(covariance)
    share = (size + 1) / (total + size + 1)
    target = np.diag(np.diag(covariance)) + _LEAST_VARIANCE * np.eye(size)
    return (1.0 - share) * covariance + share * target


def _root(falling: Callable[[float], float]) -> float:
    """Return where a falling function of the degrees of freedom crosses 0, within their limits."""
    if falling(NORMAL) > 0:
        return NORMAL
    return float(brentq(falling, _HEAVIEST, NORMAL)) if falling(_HEAVIEST) > 0 else _HEAVIEST
