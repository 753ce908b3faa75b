"""A refit that goes on from an earlier model: the same encoder, units, window and regimes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.moved import Moved, moved
from regimetry.contract import ModelContract
from regimetry.contract.wording import UNIT
from regimetry.errors import ConfigError
from regimetry.fit.fitted_encoder import FittedEncoder
from regimetry.fit.learned import Learned
from regimetry.fit.options import FitOptions
from regimetry.fit.package import Packaged, package
from regimetry.fit.refit import aligned, causal_labels
from regimetry.fit.relearn import encoder_of, relearn
from regimetry.fit.rows import TrainingRows, training_rows
from regimetry.fit.source import PanelSource
from regimetry.fit.stages import Stages
from regimetry.runtime.given import as_given
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.threads import available_threads
from regimetry.series.preprocessing import Preprocessing, Transform
from regimetry.series.time_options import TimeOptions


class Updated(NamedTuple):
    """An update: what a fit gives, and what moved."""

    rows: TrainingRows
    learned: Learned
    packaged: Packaged
    moved: Moved


def updated(
    data: Any,
    earlier: RegimeModel,
    encoder: FittedEncoder | None,
    options: FitOptions,
    stages: Stages,
    *,
    by: str | None = None,
    time: TimeOptions,
) -> Updated:
    """Fit the regimes of an earlier model to rows.

    Parameters
    ----------
    data : array (T, F), frame or mapping
        As for :meth:`~regimetry.RegimeModel.predict`.
    earlier : RegimeModel
    encoder : FittedEncoder or None
        Of the earlier model, where it is at hand; ``None`` takes it out of the file.
    options : FitOptions
    stages : Stages
    by : str or None
        As for :meth:`~regimetry.RegimeModel.predict`.
    time : TimeOptions

    Raises
    ------
    ConfigError
        The options ask for another window or number of regimes.
    DataError
        The rows do not fit the model's columns, or lack one of its regimes.
    ModelError
        The encoder cannot be taken out of the file.
    ExportParityError
        The new graph does not compute what was fitted.
    """
    contract = earlier.contract
    _require_kept(options, contract)
    if options.unit == UNIT:
        options = replace(options, unit=contract.unit)
    # Units are applied by the fit itself.
    given = as_given(data, replace(contract, scaling=None), by, earlier.rules, time)
    source = PanelSource(
        given.read, contract.schema, contract.by, available_threads(), earlier.rules
    )
    preprocessing = Preprocessing(
        cast(tuple[Transform, ...], contract.transforms),
        np.array(contract.mean, np.float32),
        np.array(contract.scale, np.float32),
        contract.clip,
    )
    rows = training_rows(
        source,
        source.measured(),
        contract.window_size,
        options,
        units=(preprocessing, contract.scaling),
        reach=contract.reach,
    )
    if encoder is None:
        encoder = encoder_of(earlier, options.device)
    outputs = earlier.outputs_of(rows.scaled, sorted({"embedding", "distance", contract.hindsight}))
    distance = outputs["distance"]
    learned = relearn(rows, options, earlier, encoder, outputs, stages=stages)
    learned = aligned(learned, rows, options, earlier, distance)
    packaged = package(learned, rows, options, contract.training.features, stages)
    return Updated(rows, learned, packaged, _moved(contract, distance, packaged, rows))


def _require_kept(options: FitOptions, contract: ModelContract) -> None:
    for name, kept in (("window_size", contract.window_size), ("n_regimes", contract.n_regimes)):
        asked = getattr(options, name)
        if asked not in ("auto", kept):
            raise ConfigError(
                f"{name} is {asked}, and the model that goes on has {kept}; an update keeps it. "
                "For another one fit anew, with align_to so that the regimes keep their names."
            )


def _moved(
    before: ModelContract,
    distance: NDArray[np.floating],
    packaged: Packaged,
    rows: TrainingRows,
) -> Moved:
    """Compare the causal labels of both models on the same rows."""
    panel, after = rows.scaled, packaged.model.contract
    old = causal_labels(distance, before.jump_penalty, panel, before.window_rows)
    new = causal_labels(packaged.outputs["distance"], after.jump_penalty, panel, after.window_rows)
    return moved(before, after, old, new)
