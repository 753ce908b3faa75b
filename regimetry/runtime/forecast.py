"""What a model says of the rows that come next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, DataError
from regimetry.runtime.chain import Array
from regimetry.runtime.row_model import RowModel, mixed
from regimetry.runtime.row_scores import log_mixture
from regimetry.runtime.simulate_rows import Start, draw
from regimetry.runtime.skewed import skewed_cdf

PATHS = 20_000
"""Of the draws that stand where there is no closed form."""


@dataclass(frozen=True)
class Forecast:
    """The density of the next H rows, given all rows up to one.

    Of the columns as the model reads them: of a price that is differenced in logarithms, its log
    return over the step from one row to the next. Moments of the first row are exact. Those of
    later ones are exact where neither scales nor an autoregression move, and come from 20 000
    seeded draws elsewhere.

    Attributes
    ----------
    columns : tuple of str, length C
        Those that the density describes.
    transforms : tuple of str, length C
        What each is read as: ``level``, ``difference`` or ``log_difference``.
    mean, deviation : ndarray, shape (H, C)
    probability : ndarray, shape (H, K)
        Of each regime.
    """

    columns: tuple[str, ...]
    transforms: tuple[str, ...]
    mean: Array
    deviation: Array
    probability: Array
    _model: RowModel = field(repr=False, compare=False)
    _start: Start = field(repr=False, compare=False)
    _seed: int = field(default=0, repr=False, compare=False)

    @property
    def horizon(self) -> int:
        """H."""
        return len(self.mean)

    @cached_property
    def draws(self) -> Array:
        """Draws of the rows, (S, H, C)."""
        model = self._model
        rows, _ = draw(
            model.density,
            model.chain,
            self._start,
            horizon=self.horizon,
            paths=PATHS,
            rng=np.random.default_rng(self._seed),
        )
        return rows * model.deviation + model.mean

    def quantile(self, levels: float | Sequence[float], *, step: int = 1) -> Array:
        """Return the values that a column stays below with given probabilities.

        Exact for the first row of one column, to 1e-9 of its deviation; elsewhere those of
        :attr:`draws`.

        Parameters
        ----------
        levels : float or sequence of float
            Above 0 and below 1.
        step : int
            1 to H.

        Returns
        -------
        ndarray, shape (C,) or (len(levels), C)

        Raises
        ------
        ConfigError
            There is no such level or step.
        InstallError
            The exact one needs scipy, of the extra ``fit``.
        """
        asked = np.atleast_1d(np.asarray(levels, dtype=np.float64))
        if not len(asked) or not ((asked > 0) & (asked < 1)).all():
            raise ConfigError(f"levels are {levels!r}; each must lie above 0 and below 1.")
        self._require_step(step)
        if step == 1 and len(self.columns) == 1:
            found = np.array([[self._exact_quantile(level)] for level in asked.tolist()])
        else:
            found = np.quantile(self.draws[:, step - 1], asked, axis=0)
        return found[0] if np.ndim(levels) == 0 else found

    def value_at_risk(self, level: float = 0.05, *, step: int = 1) -> Array:
        """Return the loss (C,) that is exceeded with probability ``level``, as a positive number.

        Minus :meth:`quantile`, whose errors it raises.
        """
        return -self.quantile(level, step=step)

    def expected_shortfall(self, level: float = 0.05, *, step: int = 1) -> Array:
        """Return the mean loss (C,) where the value at risk is exceeded, from :attr:`draws`."""
        limit = -self.value_at_risk(level, step=step)
        drawn = self.draws[:, step - 1]
        below = drawn <= limit
        total: Array = np.sum(np.where(below, drawn, 0.0), axis=0)
        return np.asarray(-total / np.maximum(below.sum(axis=0), 1))

    def log_density(self, value: float | Sequence[float] | NDArray[np.floating]) -> float:
        """Return the log density of the next row at a value (C,), in nats, exactly.

        Raises
        ------
        DataError
            The value has not one number for each column.
        """
        given = np.atleast_1d(np.asarray(value, dtype=np.float64))
        if given.shape != (len(self.columns),) or not np.isfinite(given).all():
            raise DataError(
                f"The value is {value!r}; expected one number for each of "
                f"{', '.join(self.columns)}."
            )
        model, start = self._model, self._start
        row = (given - model.mean) / model.deviation
        logs, _ = model.follow(np.vstack([start.rows, row]), start.scales)
        return float(log_mixture(start.weights, logs)[0] - model.log_unit)

    def _exact_quantile(self, level: float) -> float:
        model, start = self._model, self._start
        density = model.density
        location = density.means(model.before(start.rows)[-1:])[0, :, 0]
        spans, xi, nu = (
            np.sqrt(density.total(start.scales)[:, 0]),
            float(density.skew[0]),
            density.freedom,
        )

        def below(y: float) -> float:
            return float(start.weights @ skewed_cdf((y - location) / spans, xi, nu)) - level

        wide = 1.0
        while below(-wide) > 0 or below(wide) < 0:
            wide *= 2.0
        from scipy.optimize import brentq

        found: Any = brentq(below, -wide, wide, xtol=1e-10)
        return float(found * model.deviation[0] + model.mean[0])

    def _require_step(self, step: int) -> None:
        if not 1 <= step <= self.horizon:
            raise ConfigError(
                f"step is {step}; the forecast has 1 to {self.horizon}. Ask for a longer horizon."
            )


def forecast(
    model: RowModel, start: Start, weights: Sequence[Array], probability: Array, seed: int
) -> Forecast:
    """Return the forecast of the next rows.

    Parameters
    ----------
    model : RowModel
    start : Start
    weights : sequence of ndarray, shape (K,)
        Of the density's regimes in each of the H rows.
    probability : ndarray, shape (H, K)
        Of the model's.
    seed : int
        Of the draws.
    """
    mean, covariance = model.moments(start.rows, start.scales)
    moments = [mixed(one, mean, covariance) for one in weights]
    found = Forecast(
        columns=tuple(model.columns),
        transforms=tuple(model.transforms.tolist()),
        mean=np.stack([centre for centre, _ in moments]),
        deviation=np.stack([spread for _, spread in moments]),
        probability=probability,
        _model=model,
        _start=start,
        _seed=seed,
    )
    if len(weights) > 1 and (model.density.moves or model.density.order):
        later = found.draws[:, 1:]
        found.mean[1:], found.deviation[1:] = later.mean(axis=0), later.std(axis=0)
    return found
