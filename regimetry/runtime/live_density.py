"""The density of a live series: what it said of the row that came, and says of the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import ModelContract
from regimetry.errors import DataError
from regimetry.runtime.chain import Array
from regimetry.runtime.row_model import RowModel, log_mixture, mixed


class DensityState(NamedTuple):
    """Where the density of one series stands.

    Attributes
    ----------
    scales : ndarray, shape (K, 2 C)
        Those of the next row.
    weights : ndarray, shape (K,)
        Probability of each regime after the last row.
    """

    scales: Array
    weights: Array


class Outlook(NamedTuple):
    """What the density says; every field uses rows up to the last one.

    Attributes
    ----------
    log_score : float
        Log density of the row that came, given those before it, in nats.
    surprising : bool
        It is below ``surprise`` of the density, as 1 % of the training rows are.
    mean, deviation : ndarray of float64, shape (C,)
        Of the next row, of the columns that ``contract.density`` describes.
    """

    log_score: float
    surprising: bool
    mean: Array
    deviation: Array


class LiveDensity:
    """Follows one live series.

    Parameters
    ----------
    contract : ModelContract

    Raises
    ------
    ModelError
        The file has no density.
    """

    def __init__(self, contract: ModelContract) -> None:
        self._model = RowModel.of(contract)
        surprise = self._model.record.surprise
        self._surprise = -np.inf if surprise is None else surprise
        self._needed = self._model.rows_before + 1

    def follow(
        self, window: NDArray[np.floating], state: DensityState | None, probability: Array
    ) -> tuple[DensityState, Outlook]:
        """Take the row that a window (R, F) ends with.

        Parameters
        ----------
        window : ndarray, shape (R, F)
            As the graph reads it.
        state : DensityState or None
            After the row before; ``None`` of a first window, all of whose rows are new.
        probability : ndarray, shape (K,)
            Of the regimes after the row, by the causal labels.
        """
        model = self._model
        rows = model.rows(window if state is None else window[-self._needed :])
        logs, scales = model.follow(rows, None if state is None else state.scales)
        if state is not None:
            before = state.weights @ model.chain
        elif model.own_weights and len(logs) > 1:
            before = model.filter(logs[:-1])[-1] @ model.chain
        else:
            before = model.first_weights
        score = float(log_mixture(before, logs[-1:])[0]) - model.log_unit
        after = probability if model.density.n_regimes > 1 else before
        if model.own_weights:
            after = before * np.exp(logs[-1] - logs[-1].max())
            after = after / after.sum()
        mean, deviation = mixed(after @ model.chain, *model.moments(rows, scales[-1]))
        outlook = Outlook(score, score < self._surprise, mean, deviation)
        return DensityState(scales[-1], after), outlook


def density_state(state: DensityState | None) -> dict[str, Any]:
    """Copy a state into the entries of a snapshot."""
    if state is None:
        return {}
    return {"scales": state.scales.copy(), "weights": state.weights.copy()}


def density_of(snapshot: Mapping[str, Any], contract: ModelContract) -> DensityState | None:
    """Return the state that :func:`density_state` copied, ``None`` where there was none.

    Raises
    ------
    DataError
        It cannot be one.
    """
    if "scales" not in snapshot or contract.density is None:
        return None
    record = contract.single_density or contract.density
    scales, weights = (np.array(snapshot[name]) for name in ("scales", "weights"))
    shape = len(record.freedom), 2 * len(record.channels)
    sound = all(
        found.shape == wanted and found.dtype == np.float64 and np.isfinite(found).all()
        for found, wanted in ((scales, shape), (weights, shape[:1]))
    )
    if not sound or not (scales >= 0).all() or (weights < 0).any():
        raise DataError(
            f"The snapshot's scales have shape {scales.shape} and its weights {weights.shape}; "
            f"positive numbers {shape} and {shape[:1]} are needed. Restore an unchanged snapshot."
        )
    return DensityState(scales, weights)
