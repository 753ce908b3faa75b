"""Estimates the density of the next row in each regime, with scales that move or stay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logit

from regimetry.contract.density import DensityRecord
from regimetry.regimes.density.likelihood import Posterior
from regimetry.regimes.density.parameters import Layout, start
from regimetry.regimes.evidence.em import Bars
from regimetry.regimes.evidence.emission import Emission
from regimetry.regimes.evidence.forward_backward import forward_backward
from regimetry.runtime.density import FIELDS, Array, RowDensity

MOST_ROWS, STRETCH = 10_000, 1_000
"""Of longer series so many rows are used, in stretches that are spread evenly."""

_ITERATIONS, _TOLERANCE = 150, 1e-8
_DIGITS = 2  # of a step: the order of a sum changes later ones


@dataclass(frozen=True)
class FittedDensity:
    """A density, and how well it describes the training rows.

    Attributes
    ----------
    channels : tuple of int, length C
    density : RowDensity
    stay : float
        Probability of staying in a regime from one row to the next.
    log_likelihood : float
        In nats, in units of training.
    parameters, rows : int
        Numbers that were estimated, rows that they were estimated on.
    own_weights : bool
        Whether its own filter tells the regimes; else their weights were given.
    """

    channels: tuple[int, ...]
    density: RowDensity
    stay: float
    log_likelihood: float
    parameters: int
    rows: int
    own_weights: bool

    @property
    def criterion(self) -> float:
        """Bayesian information criterion as penalised log-likelihood, in nats; higher is better."""
        return self.log_likelihood - 0.5 * np.log(self.rows) * self.parameters

    @property
    def record(self) -> DensityRecord:
        """The entry of the model file."""
        return DensityRecord(
            channels=self.channels,
            stay=self.stay,
            weights="density" if self.own_weights else "regimes",
            log_likelihood=self.log_likelihood,
            parameters=self.parameters,
            rows=self.rows,
            **{
                name: _nested(array) for name, array in vars(self.density).items() if name in FIELDS
            },
        )

    def reordered(self, order: NDArray[np.integer]) -> FittedDensity:
        """Return the same with regime ``order[new]`` at place ``new``."""
        return replace(self, density=self.density.reordered(order))


def spread(rows: Bars, weights: Array | None = None) -> tuple[Bars, Array | None]:
    """Return at most :data:`MOST_ROWS` rows, in stretches, and their weights."""
    count = len(rows.now)
    if count <= MOST_ROWS:
        return rows, weights
    firsts = np.linspace(0, count - STRETCH, MOST_ROWS // STRETCH).astype(np.int64)
    places = (firsts[:, None] + np.arange(STRETCH)).ravel()
    begins = rows.begins[places].copy()
    begins[::STRETCH] = True
    some = Bars(rows.now[places], rows.before[places], begins)
    return some, None if weights is None else weights[places]


def constant_density(
    rows: Bars, emission: Emission, stay: float, parameters: int, weights: Array | None = None
) -> FittedDensity:
    """Return the density of an emission, whose scale is constant.

    Parameters
    ----------
    rows : Bars
        On which the likelihood is computed, as :func:`spread` gives them.
    emission : Emission
    stay : float
    parameters : int
        How many numbers it has.
    weights : ndarray, shape (N, K), or None
        Of the regimes, where they are given.
    """
    factors, deviation = emission.unit_factors
    nothing = np.zeros(emission.n_regimes)
    density = RowDensity(
        coefficients=emission.coefficients,
        factors=factors,
        omega=deviation**2,
        leverage=np.zeros_like(deviation),
        shock=nothing,
        memory=nothing,
        fall_memory=nothing,
        freedom=emission.degrees_of_freedom,
        skew=np.ones(len(emission.channels)),
        begin=np.hstack([deviation**2, np.zeros_like(deviation)]),
        typical=deviation**2,
    )
    logs = emission.density(rows.before, rows.now)
    if weights is None:
        total = forward_backward(-logs, stay, rows.begins).log_likelihood
    else:
        total = float(np.sum(weights * logs))
    return FittedDensity(
        emission.channels, density, stay, total, parameters, len(logs), weights is None
    )


def moving_density(
    rows: Bars,
    emission: Emission,
    stay: float,
    prices: NDArray[np.bool_],
    weights: Array | None = None,
) -> FittedDensity:
    """Maximise the posterior of a density whose scales move, from one whose scale is constant.

    Parameters
    ----------
    rows : Bars
        As :func:`spread` gives them.
    emission : Emission
        To begin with.
    stay : float
        Of the emission; the chain that is found has its log odds within about .3.
    prices : ndarray of bool, shape (C,)
        Channels that are returns of a price, whose falls may move the scale more.
    weights : ndarray, shape (N, K), or None
        Of the regimes, where they are given.
    """
    count, size = emission.n_regimes, len(emission.channels)
    layout = Layout(
        n_regimes=count,
        n_channels=size,
        width=emission.coefficients.shape[1],
        prices=prices,
        chain=float(logit(stay)) if weights is None else None,
    )
    posterior = Posterior(
        layout, rows, weights, np.tile([1.0, 0.0], (count, 1)).repeat(size, axis=1)
    )
    units = layout.units

    def objective(steps: Array) -> tuple[float, Array]:
        value, gradient = posterior(steps * units)
        return value, gradient * units

    found = minimize(
        objective,
        start(layout, emission, stay) / units,
        jac=True,
        method="L-BFGS-B",
        bounds=layout.bounds,
        options={"maxiter": _ITERATIONS, "ftol": _TOLERANCE, "maxcor": 20},
    )
    vector = np.round(found.x, _DIGITS) * units
    density, own_stay = layout.density(vector, posterior.begin)
    begin, typical = posterior.mean_scales(density, own_stay)
    return FittedDensity(
        channels=emission.channels,
        density=replace(density, begin=begin, typical=typical),
        stay=own_stay if weights is None and count > 1 else stay,
        log_likelihood=posterior.log_likelihood(vector),
        parameters=layout.size,
        rows=len(rows.now),
        own_weights=weights is None,
    )


def _nested(array: Array) -> Any:
    """Return an array as tuples."""
    return tuple(map(_nested, array)) if array.ndim else float(array)
