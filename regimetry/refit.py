"""A refit that keeps the names of an earlier model's regimes."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError
from regimetry.export.describe import fingerprint
from regimetry.learning import cut_windows
from regimetry.regimes.alignment import Alignment, align
from regimetry.runtime.jump import jump_forward
from regimetry.runtime.model import MISSING, RegimeModel, load
from regimetry.series.features import features_of

_LEAST_SHARED = 0.1  # of the bars: fewer say little

if TYPE_CHECKING:
    from regimetry.contract import ModelContract
    from regimetry.learning import Learned
    from regimetry.series.features import OhlcvFeatures
    from regimetry.series.schema import Schema
    from regimetry.series.series import Series


def earlier_model(given: Any, schema: Schema, features: OhlcvFeatures | None) -> RegimeModel:
    """Return the model to align to, if it reads what the refit reads.

    Parameters
    ----------
    given : path, RegimeModel or fitted RegimeDetector
    schema : Schema
        Of the refit.
    features : OhlcvFeatures or None
        What made the refit's columns.

    Raises
    ------
    ConfigError
        No model, or one of other columns or features.
    ModelError
        The file is no model file.
    """
    if isinstance(given, str | PathLike):
        model = load(given, device="cpu")
    else:
        model = getattr(given, "model_", given)
    if not isinstance(model, RegimeModel):
        raise ConfigError(
            f"align_to is {given!r}; it must be a model file, a RegimeModel or a fitted detector."
        )
    contract = model.contract
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
    if features_of(contract) != features:
        raise ConfigError(
            "The model to align to was fitted on other features of bars than this fit. Make them "
            "with the same columns and window, or fit without align_to."
        )
    return model


def aligned(
    learned: Learned,
    data: Any,
    series: Series,
    earlier: RegimeModel,
    jump_penalty: float | None,
) -> tuple[Learned, Alignment]:
    """Give the regimes of a refit the order and names of an earlier model's.

    The causal labels of both are compared on the bars in the span that the earlier model was
    fitted on, where they are known and a tenth of the refit's bars at least; else on all bars. On
    other bars the earlier model gives a regime that it has never seen the name of the nearest one.

    Parameters
    ----------
    learned : Learned
    data : array (T, F) or frame
        The training rows, as they were given.
    series : Series
        The same.
    earlier : RegimeModel
        What :func:`earlier_model` returns.
    jump_penalty : float or None
        Of the refit's causal labels; ``None`` takes what the fit found.

    Returns
    -------
    learned : Learned
        With its regimes in the new order.
    alignment : Alignment
    """
    contract = earlier.contract
    old = _causal_labels(
        earlier.outputs(data, ("distance",))["distance"], contract.jump_penalty, len(series.values)
    )
    window_size = learned.encoder.inputs[0].shape[1]
    distance = learned.distance(cut_windows(learned.preprocessing, series.values, window_size))
    penalty = learned.penalties[0] if jump_penalty is None else jump_penalty
    new = _causal_labels(distance, penalty, len(series.values))
    shared = _in_span(contract, series)
    enough = np.sum(shared & (old >= 0) & (new >= 0)) >= _LEAST_SHARED * len(new)
    past = contract.training.get("alignment") or {"retired": ()}
    alignment, order = align(
        np.where(shared, old, MISSING) if enough else old,
        new,
        [regime.name for regime in contract.regimes],
        distance.shape[1],
        to=contract.fingerprint,
        over="shared" if enough else "all",
        retired=past["retired"],
    )
    return learned.reordered(order), alignment


def _causal_labels(
    distance: NDArray[np.floating], jump_penalty: float, n_bars: int
) -> NDArray[np.int64]:
    labels, _ = jump_forward(distance, jump_penalty)
    return np.concatenate([np.full(n_bars - len(labels), MISSING), labels])


def _in_span(contract: ModelContract, series: Series) -> NDArray[np.bool_]:
    """Return which rows lie in the span that a model was fitted on: (T,); none if unknown.

    By its timestamps, or, where there are none, by its rows being the first of these.
    """
    training, times = contract.training, series.timestamps
    rows = np.zeros(len(series.values), dtype=np.bool_)
    if times is not None and training["start"] is not None:
        try:
            start, end = (_moment(training[name], times) for name in ("start", "end"))
        except ValueError:  # one has numbers, the other times
            return rows
        inside: NDArray[np.bool_] = (times >= start) & (times <= end)
        return inside
    count = training["rows"]
    names = contract.schema.feature_names
    if count <= len(rows) and training["fingerprint"] == fingerprint(series.values[:count], names):
        rows[:count] = True
    return rows


def _moment(text: str, times: NDArray[Any]) -> Any:
    return np.datetime64(text) if times.dtype.kind == "M" else float(text)
