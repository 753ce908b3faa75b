"""The density of a live series: what it said of the row that came, and says of the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import ModelContract
from regimetry.errors import DataError
from regimetry.runtime.chain import Array
from regimetry.runtime.row_model import RowModel
from regimetry.runtime.snapshots import entry


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
        Of the next row.
    columns : tuple of str, length C
        Those that the density describes.
    """

    log_score: float
    surprising: bool
    mean: Array
    deviation: Array
    columns: tuple[str, ...]


class LiveDensity:
    """Follows one live series.

    Parameters
    ----------
    contract : ModelContract
    instrument : str or None
        Whose rows come, for a model that scales each instrument by itself: in its units.

    Raises
    ------
    ModelError
        The file has no density.
    """

    def __init__(self, contract: ModelContract, instrument: str | None = None) -> None:
        self._model = RowModel.of(contract, instrument)
        factor, offset = self._model.own_map
        self._own = None if (factor == 1).all() and not offset.any() else (factor, offset)
        surprise = self._model.record.surprise
        self._surprise = -np.inf if surprise is None else surprise
        self._columns = tuple(self._model.columns)
        self._step = self._model.step().step
        needs_none = self._model.own_weights or self._model.density.n_regimes == 1
        self._nothing = np.empty(0) if needs_none else None

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
        if state is None:
            state = self._begin(window[:-1])
        given = probability if self._nothing is None else self._nothing
        score, mean, deviation, scales, weights = self._step(window, given, *state)
        surprising = score < self._surprise  # of common units
        if self._own is not None:
            factor, offset = self._own
            score += float(np.log(factor).sum())
            mean, deviation = (mean - offset) / factor, deviation / factor
        outlook = Outlook(score, surprising, mean, deviation, self._columns)
        return DensityState(scales, weights), outlook

    def _begin(self, rows: NDArray[np.floating]) -> DensityState:
        """Return the state after the rows of a first window but its last."""
        model = self._model
        density = model.density
        if len(rows) <= model.rows_before:  # none of them has a density
            return DensityState(density.begin, model.first_weights)
        logs, scales = model.follow(model.rows(rows))
        weights = model.filter(logs)[-1] if model.own_weights else model.first_weights
        return DensityState(scales[-1], weights)


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
    scales, weights = (np.array(entry(snapshot, name)) for name in ("scales", "weights"))
    shape = len(record.freedom), 2 * len(record.channels)
    sound = all(
        found.shape == wanted and found.dtype == np.float64 and np.isfinite(found).all()
        for found, wanted in ((scales, shape), (weights, shape[:1]))
    )
    own = scales[..., : shape[1] // 2] if scales.ndim == 2 else scales
    if not sound or (scales < 0).any() or not (own > 0).all() or (weights < 0).any():
        raise DataError(
            f"The snapshot's scales have shape {scales.shape} and its weights {weights.shape}; "
            f"positive numbers {shape} and {shape[:1]} are needed. Restore an unchanged snapshot."
        )
    return DensityState(scales, weights)
