"""Stages 2 to 4 of a refit: the regimes go on from those of an earlier model.

Encoder, units, window and number of regimes are the earlier model's. Its labels of the rows are
where clusters, or the densities of single bars, begin; from there they follow the rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from regimetry.contract import Candidate, ModelContract
from regimetry.encoder.convolutions import label_offset
from regimetry.errors import ConfigError, DataError
from regimetry.export.kept import kept_encoder
from regimetry.fit.fitted_encoder import FittedEncoder
from regimetry.fit.learn import BARS_A_REGIME, densities, newest_bars, volatility, with_hindsight
from regimetry.fit.learned import Learned
from regimetry.fit.options import FitOptions
from regimetry.fit.rows import TrainingRows, slow_directions_of
from regimetry.fit.stages import Stages
from regimetry.regimes.clustering.head import Head, fit_head
from regimetry.regimes.evidence.refine import refine
from regimetry.regimes.memory import require_memory
from regimetry.regimes.novelty import fit_novelty
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.recursion import jump_path
from regimetry.windows import with_later


def encoder_of(earlier: RegimeModel, device: str) -> FittedEncoder:
    """Return the encoder inside a model file, as that of a fit."""
    kept, training = kept_encoder(earlier), earlier.contract.training
    return FittedEncoder(
        description=dict(training.configuration["encoder"]),
        part=kept.part,
        twin=kept.embed,
        twin_is_fast=False,
        made_by_keras=False,
        keras_model=_no_keras_model,
        history={name: list(values) for name, values in training.history.items()},
        device=device,
        halves=earlier.contract.halves,
    )


def _no_keras_model() -> object:
    raise ConfigError(
        "The encoder was taken out of a model file; there is no Keras model of it. Use the "
        "detector that was fitted."
    )


# As in a fit: threads that wait for each other.
@threadpool_limits.wrap(limits=1)
def relearn(
    rows: TrainingRows,
    options: FitOptions,
    earlier: RegimeModel,
    encoder: FittedEncoder,
    outputs: Mapping[str, NDArray[np.floating]],
    *,
    stages: Stages,
) -> Learned:
    """Fit head, evidence and novelty, beginning with an earlier model's labels of the rows.

    Parameters
    ----------
    rows : TrainingRows
        In the earlier model's units.
    options : FitOptions
    earlier : RegimeModel
    encoder : FittedEncoder
        The earlier model's.
    outputs : mapping
        ``embedding`` (N, D) of the earlier model for the windows, and the distances (N, K) that
        its labels with hindsight are of.
    stages : Stages

    Returns
    -------
    Learned
        Its regimes in the earlier model's order.

    Raises
    ------
    DataError
        The rows hold less than a window of one of the regimes.
    """
    contract, read = earlier.contract, rows.windows()
    require_memory(len(read), encoder.part.size, options.n_landmarks)
    stages.begin("head")
    embeddings, windows = outputs["embedding"].astype(np.float32), read.last(rows.window_size)
    start = windows_labels(contract, outputs[contract.hindsight], windows.offsets)
    _require_all_regimes(start, contract)
    if contract.evidence == "bar" and len(windows) < BARS_A_REGIME * contract.n_regimes:
        raise DataError(
            f"The rows hold {len(windows)} windows, and single rows tell the regimes of this "
            f"model, which needs {BARS_A_REGIME * contract.n_regimes}. Give the rows of the "
            "earlier fit as well, or fit anew."
        )
    chosen = _chosen(contract)
    head = fit_head(
        embeddings,
        volatility(windows),
        n_regimes=contract.n_regimes,
        lag=rows.window_size,
        n_landmarks=options.n_landmarks,
        seed=options.seed,
        offsets=windows.offsets,
        slow=None if rows.complete else slow_directions_of(rows, encoder),
        labels=start if chosen.segments is not None else None,
        start=start,
        landmarks=chosen.landmarks,
        halves=encoder.halves,
    )
    refinement = density = single = None
    if len(windows) >= BARS_A_REGIME * contract.n_regimes:
        kept = chosen.segments is not None or contract.evidence == "bar"
        told = start if kept else with_hindsight(head, windows, embeddings)
        newest = newest_bars(head, rows, windows, told, options.seed)
        if contract.evidence == "bar":
            refinement = refine(newest, windows, head.points(embeddings))
        density, single = densities(newest, refinement)
    novelty, threshold = fit_novelty(windows, seed=options.seed)
    return Learned(
        preprocessing=rows.preprocessing,
        encoder=encoder,
        read=read,
        windows=windows,
        embeddings=embeddings,
        head=head,
        candidates=(_kept(chosen, head),),
        refinement=refinement,
        density=density,
        single_density=single,
        novelty=novelty,
        novelty_threshold=threshold,
    )


def windows_labels(
    contract: ModelContract, distance: NDArray[np.floating], offsets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the earlier model's label of each window (N,) with hindsight: looks ahead.

    A model that reads single bars labels the newest one. A window has the label of the bar that it
    describes best, in its middle.
    """
    path = jump_path(distance, contract.smooth_penalty, offsets)
    if contract.evidence != "bar":
        return path
    size, reach = contract.window_size, contract.reach
    half = label_offset(size, reach) if reach else size - 1 - size // 2
    found = path.copy()
    rows = with_later(offsets, half)
    found[rows + half] = path[rows]
    return found


def _require_all_regimes(labels: NDArray[np.int64], contract: ModelContract) -> None:
    counts = np.bincount(labels, minlength=contract.n_regimes)
    rare = [
        f"{regime.name} has {count}"
        for regime, count in zip(contract.regimes, counts.tolist(), strict=True)
        if count < contract.window_size
    ]
    if rare:
        raise DataError(
            f"Of the windows of these rows {', '.join(rare)}; each regime needs "
            f"{contract.window_size}. Give the rows of the earlier fit as well, or fit anew."
        )


def _chosen(contract: ModelContract) -> Candidate:
    """Return the candidate that the earlier fit chose; an older file may not have recorded it."""
    found = (entry for entry in contract.training.candidates if entry.chosen)
    return next(found, Candidate(window_size=contract.window_size, n_regimes=contract.n_regimes))


def _kept(chosen: Candidate, head: Head) -> Candidate:
    """Return the candidate that goes on, without the scores, which were of other rows."""
    return Candidate(
        window_size=chosen.window_size,
        n_regimes=chosen.n_regimes,
        encoder=chosen.encoder,
        segments=chosen.segments,
        landmarks=head.landmarks,
        chosen=True,
    )
