"""From a fit to the contract of its file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import transition_matrix
from regimetry.analysis.alarms import onsets
from regimetry.contract import ModelContract, RuleReport, TrainingRecord
from regimetry.encoder.convolutions import label_offset
from regimetry.fit.learned import Learned
from regimetry.fit.options import FitOptions
from regimetry.fit.rows import TrainingRows
from regimetry.regimes.naming import named
from regimetry.regimes.summary import summarise
from regimetry.regimes.temperature import fit_inverse_temperature
from regimetry.runtime.recursion import Recursion, jump_path, running_mean
from regimetry.runtime.row_model import RowModel
from regimetry.runtime.row_scores import Scored, log_scores
from regimetry.series.units import mostly_on_levels, near_unit_root
from regimetry.windows import begins_of

if TYPE_CHECKING:
    from regimetry.series.features import OhlcvFeatures
    from regimetry.series.panel import Panel

SURPRISING = 0.01
"""Share of the training rows that are."""

_VERSIONS = ("regimetry", "onnx", "scikit-learn", "scipy", "numpy")
_OF_KERAS = ("tensorflow", "keras", "tf2onnx")  # where they took part


def describe(
    learned: Learned,
    rows: TrainingRows,
    options: FitOptions,
    outputs: Mapping[str, NDArray[Any]],
    record: TrainingRecord,
) -> ModelContract:
    """Label the training windows, and make the contract of the file.

    Parameters
    ----------
    learned : Learned
    rows : TrainingRows
    options : FitOptions
    outputs : mapping
        Of the graph on all training windows.
    record : TrainingRecord
        What :func:`training_record` returns.

    Returns
    -------
    ModelContract
    """
    distance = outputs["distance"]
    n_regimes = distance.shape[1]
    panel, preprocessing, window_size = rows.scaled, rows.preprocessing, rows.window_size
    jump_penalty, smooth_penalty = learned.penalties(options)
    reading, begins = rows.source.reading, begins_of(panel.boundaries(rows.window_rows))
    # Stretches of a sample do not follow each other, even where states are carried over gaps.
    carry = reading.after_gap == "carry" and rows.complete
    offsets = panel.boundaries(rows.window_rows, carry=carry)
    found, states = Recursion(jump_penalty)(distance, offsets=offsets)
    hindsight = jump_path(outputs.get("hindsight", distance), smooth_penalty, offsets)
    features = np.concatenate(
        [preprocessing.transform(part)[window_size + rows.reach - 1 :] for part in panel.parts()]
    )
    matrix = transition_matrix(found.regime, n_regimes, begins)
    names = None if learned.alignment is None else learned.alignment.names
    contract = ModelContract(
        window_size=window_size,
        window_rows=rows.window_rows,
        reach=rows.reach,
        label_offset=label_offset(window_size, rows.reach) if rows.reach else None,
        schema=rows.source.schema,
        transforms=preprocessing.transforms,
        mean=tuple(preprocessing.mean.tolist()),
        scale=tuple(preprocessing.scale.tolist()),
        clip=preprocessing.clip,
        embedding_size=outputs["embedding"].shape[1],
        regimes=summarise(found.regime, features, n_regimes, names, begins),
        transition_matrix=tuple(map(tuple, matrix.tolist())),
        jump_penalty=jump_penalty,
        smooth_penalty=smooth_penalty,
        sharpness=1.0,
        evidence="window" if learned.refinement is None else "bar",
        halves=learned.head.halves,
        novelty_memory=1.0 / window_size,
        novelty_threshold=learned.novelty_threshold,
        by=rows.source.by,
        scaling=rows.scaling,
        reading=reading,
        unit=options.unit,
        training=record,
    )
    contract = _with_densities(contract, learned, rows, found.probability)
    sharpness = fit_inverse_temperature(states.costs, hindsight, contract.bars_until_label, offsets)
    alarms = None
    if rows.complete:
        means = running_mean(outputs["novelty"], contract.novelty_memory, offsets)
        alarms = int(onsets(means > learned.novelty_threshold, begins).sum())
    known = None
    if rows.known is not None:
        known = rows.known.held_against(found.regime, panel.ends(rows.window_rows), n_regimes)
    record = replace(record, alarms=alarms, known=known)
    return named(replace(contract, sharpness=sharpness, training=record), options.names)


def _with_densities(
    contract: ModelContract,
    learned: Learned,
    rows: TrainingRows,
    probability: NDArray[np.float64],
) -> ModelContract:
    """Return the contract with what densities say of the training rows, of which two stand apart.

    That of one regime is kept where its log scores, less what its parameters cost by the Bayesian
    information criterion, are better than those of the regimes.
    """
    if learned.density is None:
        return contract
    records, criteria = [], []
    for density in (learned.density, learned.single_density):
        if density is None:
            continue
        model = RowModel(contract, density.record)
        # Without their names: in common units, which instruments are alike in.
        parts = [
            Scored(model.rows(part))
            for part in rows.scaled.parts()
            if len(part) >= rows.window_rows
        ]
        one = np.ones((len(probability), 1)) if model.density.n_regimes == 1 else probability
        scores = log_scores(model, parts, None if model.own_weights else one)
        criteria.append(scores.sum() - 0.5 * np.log(len(scores)) * density.parameters)
        surprise = float(np.quantile(scores, SURPRISING))
        score = float(scores.mean())
        records.append(replace(density.record, surprise=surprise, score=score))
    if len(records) == 1:
        return replace(contract, density=records[0])
    single = records[1] if criteria[1] > criteria[0] else None
    return replace(
        contract,
        density=records[0],
        single_density=single,
        single_score=records[1].score,
    )


def training_record(
    learned: Learned,
    rows: TrainingRows,
    options: FitOptions,
    rules: tuple[RuleReport, ...],
    features: OhlcvFeatures | None,
) -> TrainingRecord:
    """Return what the file keeps of the fit."""
    panel, lengths, is_panel = rows.scaled, rows.measured.lengths, rows.measured.is_panel
    short = sum(
        np.diff(offsets).max() < rows.window_rows for offsets in rows.measured.segments.values()
    )
    refinement = learned.refinement
    versions = (*_VERSIONS, *(_OF_KERAS if learned.encoder.made_by_keras else ()))
    return TrainingRecord(
        rows=sum(lengths.values()),
        windows=len(learned.windows),
        start=_time(panel.timestamps, np.min),
        end=_time(panel.timestamps, np.max),
        fingerprint=fingerprint(panel.values, rows.source.schema.feature_names),
        seed=options.seed,
        configuration=_recorded_options(options, learned.encoder.description),
        history={name: tuple(losses) for name, losses in learned.encoder.history.items()},
        eigenvalues=tuple(learned.head.eigenvalues.tolist()),
        versions={name: metadata.version(name) for name in versions},
        candidates=learned.candidates,
        refinement=None if refinement is None else refinement.record,
        graph=rules,
        sampled_rows=len(panel.values) if is_panel or not rows.complete else None,
        instruments=len(lengths) if is_panel else None,
        short_instruments=int(short) if is_panel else None,
        features=features,
        alignment=learned.alignment,
        kept_levels=_kept_levels(rows) if options.difference == "auto" else (),
        step=_step(panel),
    )


def _step(panel: Panel) -> float | None:
    """Return the median time between rows that follow each other, in seconds."""
    times = panel.timestamps
    if times is None or times.dtype.kind != "M":
        return None
    steps = np.delete(np.diff(times), panel.offsets[1:-1] - 1)
    return float(np.median(steps / np.timedelta64(1, "ns"))) / 1e9 if len(steps) else None


def _kept_levels(rows: TrainingRows) -> tuple[str, ...]:
    statistics = list(rows.measured.statistics.values())
    kept = near_unit_root(statistics) & mostly_on_levels(statistics)
    return tuple(compress(rows.source.schema.feature_names, kept))


def _recorded_options(options: FitOptions, encoder: dict[str, Any]) -> dict[str, Any]:
    """Return the options as plain data, the encoder's as they were used."""
    plain = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(options).items()
        if name != "seed"
    }
    return {**plain, "encoder": encoder}


def fingerprint(values: NDArray[np.floating], names: Sequence[str]) -> str:
    """Return the SHA-256 of the feature names and the values as float32, row by row."""
    digest = hashlib.sha256("\x1f".join(names).encode())
    digest.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
    return digest.hexdigest()


def _time(timestamps: NDArray[Any] | None, which: Callable[[NDArray[Any]], Any]) -> str | None:
    if timestamps is None:
        return None
    time = which(timestamps)
    return (
        str(np.datetime_as_string(time, unit="auto")) if timestamps.dtype.kind == "M" else str(time)
    )
