"""The verbs of a model about densities: what its regimes say of the next row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, DataError
from regimetry.runtime.chain import Array
from regimetry.runtime.forecast import Forecast, forecast
from regimetry.runtime.given import Given
from regimetry.runtime.opened import OpenModel, too_short
from regimetry.runtime.recursion import Recursion
from regimetry.runtime.regime_card import RegimeCard, cards
from regimetry.runtime.row_model import RowModel, chain_of
from regimetry.runtime.row_scores import Scored, log_scores, transformed_scores
from regimetry.runtime.simulate_rows import Start, draw
from regimetry.series.time_options import TimeKeywords

_BURNT = 200  # rows of a sample that come before its first: scales settle


class DensityModel(OpenModel):
    """A model that knows the density of the next row in each regime."""

    @property
    def regimes(self) -> tuple[RegimeCard, ...]:
        """What each regime says of its rows, in the columns' own units.

        Raises
        ------
        ModelError
            The file has no density.
        """
        return cards(RowModel.of_regimes(self.contract))

    def log_score(self, data: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Return the log density of each row given the rows before it.

        Of the columns that ``contract.density`` describes, as the model reads them: of a price that
        is differenced in logarithms, its log return. Where ``contract.single_density`` is there, it
        gives the score. After a gap the density begins anew.

        Parameters
        ----------
        data : array (T, F), frame or mapping
        by, **time
            As for :meth:`RegimeModel.label`.

        Returns
        -------
        ndarray of float64, shape (T,), or Series
            In nats. Row t uses rows up to t; NaN for the first ``rows - 1``.

        Raises
        ------
        ModelError
            The file has no density.
        DataError
            As for :meth:`RegimeModel.predict`.
        """
        given = self._given(data, by, time)
        return given.per_bar(self._log_scores(given), ["log_score"])

    def pit(self, data: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Return the probability integral transform of each row, of a density of one column.

        The probability, given the rows before, of a row at most as high. Where the densities are
        right, these are uniform and independent (Diebold, Gunther, Tay 1998): a histogram of them
        is flat, and a share q of them is below q.

        Parameters
        ----------
        data, by, **time
            As for :meth:`log_score`.

        Returns
        -------
        ndarray of float64, shape (T,), or Series
            Row t uses rows up to t; NaN for the first ``rows - 1``.

        Raises
        ------
        DataError
            The density describes several columns, or as for :meth:`log_score`.
        InstallError
            Without scipy, of the extra ``fit``.
        """
        model, given = RowModel.of(self.contract), self._given(data, by, time)
        if len(model.columns) > 1:
            raise DataError(
                f"The density describes {', '.join(model.columns)}, and the transform is of one "
                "column. Fit a model on that column alone."
            )
        found = transformed_scores(model, *self._parts(model, given))
        return given.per_bar(found, ["pit"])

    def score(self, X: Any, y: None = None, **time: Unpack[TimeKeywords]) -> float:
        """Return the mean of :meth:`log_score`, in nats a row, as scikit-learn's mixtures do.

        ``y`` is ignored.
        """
        return float(self._scored(X, time).mean())

    def aic(self, X: Any, **time: Unpack[TimeKeywords]) -> float:
        """Return Akaike's information criterion of the rows with a :meth:`log_score`; low is good.

        Akaike 1974: ``-2 log L + 2 p``, with the p parameters of the density that gives the scores.
        """
        scores = self._scored(X, time)
        return float(-2.0 * scores.sum() + 2.0 * self._parameters)

    def bic(self, X: Any, **time: Unpack[TimeKeywords]) -> float:
        """Return the Bayesian information criterion, as :meth:`aic`; low is good.

        Schwarz 1978: ``-2 log L + p log T``.
        """
        scores = self._scored(X, time)
        return float(-2.0 * scores.sum() + np.log(len(scores)) * self._parameters)

    def forecast(
        self,
        data: Any,
        horizon: int = 1,
        *,
        random_state: int = 0,
        **time: Unpack[TimeKeywords],
    ) -> Forecast:
        """Return the density of the next rows.

        Parameters
        ----------
        data : array (T, F) or frame
            One series, which may be the last ``rows`` rows; the longer, the better the scales.
        horizon : int
            H, at least 1.
        random_state : int
            Of the draws, where they are needed.
        **time
            As for :meth:`RegimeModel.label`.

        Raises
        ------
        ConfigError
            The horizon is not a positive whole number.
        DataError
            Many instruments, too few rows, or as for :meth:`RegimeModel.predict`.
        ModelError
            The file has no density.
        """
        if not isinstance(horizon, int | np.integer) or isinstance(horizon, bool) or horizon < 1:
            raise ConfigError(f"horizon is {horizon!r}; it must be a whole number of at least 1.")
        model, given = RowModel.of(self.contract), self._given(data, None, time)
        names = sorted(set(given.panel.instruments or ()))
        if len(names) > 1:
            raise DataError(
                f"The data hold {len(names)} instruments, such as {names[0]!r}; a forecast is of "
                "one. Give the rows of one."
            )
        if (last := int(given.panel.lengths[-1])) < given.rows:
            raise DataError(
                f"The last segment of the data has {last} rows; a forecast needs {given.rows} "
                "without a gap. Give more history, or a longer max_gap."
            )
        model = replace(model, instrument=names[0] if names else None)
        rows = model.rows(given.read.parts()[-1])
        logs, scales = model.follow(rows)
        if model.own_weights:
            known, chain = model.filter(logs)[-1], model.chain
        else:
            known, chain = self._probability(given)[-1], chain_of(self.contract)
        probability = [known @ chain]
        for _ in range(int(horizon) - 1):
            probability.append(probability[-1] @ chain)
        weights = probability if model.density.n_regimes > 1 else [np.ones(1)] * int(horizon)
        newest = rows[len(rows) - model.density.order :]
        start = Start(newest, scales[-1], weights[0])
        return forecast(model, start, weights, np.stack(probability), random_state)

    def sample(
        self, n_samples: int = 1, *, random_state: int | None = None
    ) -> tuple[Array, NDArray[np.int64]]:
        """Draw a series from the density: rows and their regimes.

        Parameters
        ----------
        n_samples : int
            T, at least 1.
        random_state : int or None
            The same integer gives the same series.

        Returns
        -------
        rows : ndarray, shape (T, C)
            Of the columns that ``contract.density`` describes, in the units of the data, or in the
            common ones of many instruments: what is differenced is summed again, after a 0, and
            log returns of prices after a price of 1.
        regimes : ndarray of int64, shape (T,)

        Raises
        ------
        ConfigError
            ``n_samples`` is not a positive whole number.
        ModelError
            The file has no density.
        """
        whole = isinstance(n_samples, int | np.integer) and not isinstance(n_samples, bool)
        if not whole or n_samples < 1:
            raise ConfigError(f"n_samples is {n_samples!r}; it must be a whole number above 0.")
        model = RowModel.of_regimes(self.contract)
        density = model.density
        begin = Start(
            np.zeros((density.order, density.n_channels)), density.begin, model.first_weights
        )
        rows, regimes = draw(
            density,
            model.chain,
            begin,
            horizon=_BURNT + int(n_samples),
            paths=1,
            rng=np.random.default_rng(random_state),
        )
        read = rows[0, _BURNT:] * model.deviation + model.mean
        summed = np.cumsum(read, axis=0)
        logs, levels = model.transforms == "log_difference", model.transforms == "level"
        return np.where(levels, read, np.where(logs, np.exp(summed), summed)), regimes[0, _BURNT:]

    @property
    def _parameters(self) -> int:
        return RowModel.of(self.contract).record.parameters

    def _scored(self, X: Any, time: TimeKeywords) -> Array:
        """Return the log scores of all rows that have one."""
        given = self._given(X, None, time)
        scores = self._log_scores(given)
        if not len(scores):
            raise DataError(too_short(given.panel, given.rows))
        return scores

    def _log_scores(self, given: Given) -> Array:
        """Return log scores (N,) of the rows that windows end with, in nats."""
        model = RowModel.of(self.contract)
        return log_scores(model, *self._parts(model, given))

    def _parts(self, model: RowModel, given: Given) -> tuple[list[Scored], Array | None]:
        """Return the segments that hold a window, and weights that the density lacks."""
        rows, read = self.contract.window_rows, given.read
        if not (given.panel.lengths >= given.rows).any() and given.panel.instruments is None:
            raise DataError(too_short(given.panel, given.rows))
        segments = [
            Scored(model.rows(part), name) for name, part in read.named if len(part) >= rows
        ]
        return segments, None if model.own_weights else self._weights(model, given)

    def _weights(self, model: RowModel, given: Given) -> Array:
        """Return the weights (N, K) of a density that has no filter of its own."""
        if model.density.n_regimes == 1:
            return np.ones((int(given.boundaries[-1]), 1))
        return self._probability(given)

    def _probability(self, given: Given) -> Array:
        """Return the causal probabilities (N, K) of the rows that windows end with."""
        distance = self._outputs(given, ("distance",))["distance"]
        labels, _ = Recursion.of(self.contract)(distance, offsets=given.boundaries)
        return np.asarray(labels.probability)
