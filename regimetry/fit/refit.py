"""A refit that keeps the names of an earlier model's regimes."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError
from regimetry.fit.describe import fingerprint
from regimetry.fit.learned import Learned
from regimetry.fit.options import FitOptions
from regimetry.fit.rows import TrainingRows
from regimetry.regimes.alignment import align
from regimetry.runtime.labelling import MISSING, at_bars
from regimetry.runtime.model import RegimeModel, load
from regimetry.runtime.recursion import Recursion

_LEAST_SHARED = 0.1  # of the bars: fewer say little

if TYPE_CHECKING:
    from regimetry.contract import ModelContract
    from regimetry.series.features import OhlcvFeatures
    from regimetry.series.panel import Panel
    from regimetry.series.schema import Schema


def earlier_model(given: Any, name: str = "align_to") -> RegimeModel | None:
    """Return the model to align to, if any.

    Parameters
    ----------
    given : path, RegimeModel, fitted RegimeDetector or None
    name : str
        Of the parameter, for the refusal.

    Raises
    ------
    ConfigError
        It is none of these.
    ModelError
        The file is no model file.
    """
    if isinstance(given, str | PathLike):
        return load(given, device="cpu")
    model = getattr(given, "model_", given)
    if not isinstance(model, RegimeModel | None):
        raise ConfigError(
            f"{name} is {given!r}; it must be a model file, a RegimeModel or a fitted detector."
        )
    return model


def require_same_columns(
    earlier: RegimeModel | None, schema: Schema, features: OhlcvFeatures | None
) -> None:
    """Raise :class:`ConfigError` unless an earlier model, if any, reads the columns of a refit.

    Parameters
    ----------
    earlier : RegimeModel or None
    schema : Schema
        Of the refit.
    features : OhlcvFeatures or None
        What made the refit's columns.
    """
    if earlier is None:
        return
    contract = earlier.contract
    wanted, found = set(contract.schema.feature_names), set(schema.feature_names)
    if wanted != found:
        differences = [
            f"{verb} {', '.join(sorted(names))}"
            for verb, names in (("lack", wanted - found), ("have besides", found - wanted))
            if names
        ]
        raise ConfigError(
            f"The model to align to reads other columns: the data to fit "
            f"{' and '.join(differences)}. Give its columns, or fit without align_to."
        )
    if contract.training.features != features:
        raise ConfigError(
            "The model to align to was fitted on other features of bars than this fit. Make them "
            "with the same columns and window, or fit without align_to."
        )


def aligned(
    learned: Learned,
    rows: TrainingRows,
    options: FitOptions,
    earlier: RegimeModel | None,
    old_distance: NDArray[np.floating] | None = None,
) -> Learned:
    """Give the regimes of a refit the order and names of an earlier model's, if there is one.

    The causal labels of both are compared on the bars in the span that the earlier model was
    fitted on, if this span is known and has at least a tenth of the refit's bars; else on all bars.
    On other bars the earlier model gives a new regime the name of the nearest old one.

    Parameters
    ----------
    learned : Learned
    rows : TrainingRows
    options : FitOptions
    earlier : RegimeModel or None
        Of the same columns.
    old_distance : ndarray, shape (N, K), or None
        What it gives for the windows of the sample; ``None`` runs it.

    Returns
    -------
    Learned
        With its regimes in the new order, and how they stand to the earlier ones.
    """
    if earlier is None:
        return learned
    contract, panel, names = earlier.contract, rows.sample, rows.source.schema.feature_names
    if old_distance is None:
        order = [names.index(name) for name in contract.schema.feature_names]
        old_distance = earlier.outputs_of(
            replace(panel, values=panel.values[:, order]).scaled(contract.scaling), ("distance",)
        )["distance"]
    old = causal_labels(old_distance, contract.jump_penalty, panel, contract.window_rows)
    distance = learned.distance
    new = causal_labels(distance, learned.penalties(options)[0], panel, rows.window_rows)
    shared = _in_span(contract, panel)
    enough = np.sum(shared & (old >= 0) & (new >= 0)) >= _LEAST_SHARED * len(new)
    past = contract.training.alignment
    alignment, new_order = align(
        np.where(shared, old, MISSING) if enough else old,
        new,
        [regime.name for regime in contract.regimes],
        distance.shape[1],
        to=contract.fingerprint,
        over="shared" if enough else "all",
        retired=() if past is None else past.retired,
        old_looks=contract.looks,
    )
    return replace(learned.reordered(new_order), alignment=alignment)


def causal_labels(
    distance: NDArray[np.floating], jump_penalty: float, panel: Panel, window_rows: int
) -> NDArray[np.int64]:
    """Return the causal labels of the bars of a panel, (T,), from distances of windows (N, K)."""
    labels = Recursion(jump_penalty).labels(distance, panel.boundaries(window_rows))
    return at_bars(panel, labels, window_rows)


def _in_span(contract: ModelContract, panel: Panel) -> NDArray[np.bool_]:
    """Return which rows lie in the span that a model was fitted on: (T,); none if unknown.

    Found by timestamps, or, without timestamps, if the model's rows are the first of these.
    """
    training, times = contract.training, panel.timestamps
    rows = np.zeros(len(panel.values), dtype=np.bool_)
    if times is not None and training.start is not None and training.end is not None:
        try:
            start, end = (_moment(text, times) for text in (training.start, training.end))
        except ValueError:  # one has numbers, the other times
            return rows
        inside: NDArray[np.bool_] = (times >= start) & (times <= end)
        return inside
    count, names = training.rows, contract.schema.feature_names
    if count <= len(rows) and training.fingerprint == fingerprint(panel.values[:count], names):
        rows[:count] = True
    return rows


def _moment(text: str, times: NDArray[Any]) -> Any:
    return np.datetime64(text) if times.dtype.kind == "M" else float(text)
