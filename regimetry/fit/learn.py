"""Stages 2 to 4 of a fit: rows in common units in, encoder and head out.

:mod:`regimetry.fit.package` makes the model file of these.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from regimetry.analysis.agreement import adjusted_rand, contingency
from regimetry.encoder.convolutions import label_offset
from regimetry.encoder.pretraining.config import AUTO
from regimetry.fit.choose import choose_count, choose_window, decided, given
from regimetry.fit.encoder import encoder_reach, fit_encoder
from regimetry.fit.learned import Learned
from regimetry.fit.options import FitOptions
from regimetry.fit.rows import TrainingRows, slow_directions_of, training_rows
from regimetry.fit.source import Source
from regimetry.fit.stages import SILENT, Stages
from regimetry.regimes.choice.candidates import SIZES
from regimetry.regimes.clustering.head import (
    Head,
    canonical_order,
    fit_head,
)
from regimetry.regimes.density.fit import FittedDensity
from regimetry.regimes.evidence.newest import NewestBars
from regimetry.regimes.evidence.refine import Refinement, refine
from regimetry.regimes.memory import require_memory
from regimetry.regimes.novelty import fit_novelty
from regimetry.runtime.recursion import jump_path
from regimetry.windows import Windows

BARS_A_REGIME = 30
"""Fewer windows than these have no density of single bars."""


# A thread waiting for another that the machine does not run waits actively: on a busy machine the
# many small eigenproblems would take ten times as long on all cores as on one.
@threadpool_limits.wrap(limits=1)
def learn(rows: TrainingRows, options: FitOptions, stages: Stages = SILENT) -> Learned:
    """Fit encoder and head.

    Parameters
    ----------
    rows : TrainingRows
    options : FitOptions
    stages : Stages
        Shows that the encoder or the head begins.

    Returns
    -------
    Learned

    Raises
    ------
    DataError
        Too few rows, or more windows or landmarks than memory holds.
    ConfigError, InstallError, ExportError
        As for :func:`~regimetry.fit.encoder.fit_encoder`.
    """
    read, options = rows.windows(), decided(options, rows.choice)
    stages.begin("encoder")
    encoder = fit_encoder(options, read, rows.window_size, progress=stages.shown)
    require_memory(len(read), encoder.part.size, options.n_landmarks)
    stages.begin("head")
    size = rows.window_size + rows.reach
    embeddings = np.concatenate([encoder.embed_series(part, size) for part in read.rows()])
    windows = read.last(rows.window_size)
    choice = rows.choice
    if choice is None and options.n_regimes != "auto":
        choice = given(options)
    elif choice is None:
        choice = choose_count(rows.preprocessed(), encoder, rows.window_size, rows.reach, options)
    labels = None
    if choice.segments is not None:
        first = rows.window_size + rows.reach - 1 - label_offset(rows.window_size, rows.reach)
        labels = choice.segments.labels(first + np.arange(len(embeddings)))
    known = None
    if rows.known is not None:
        before = label_offset(rows.window_size, rows.reach)
        known = rows.known.state[rows.scaled.ends(rows.window_rows) - before]
    head = fit_head(
        embeddings,
        volatility(windows),
        n_regimes=choice.chosen.n_regimes,
        lag=rows.window_size,
        n_landmarks=options.n_landmarks,
        seed=options.seed,
        offsets=windows.offsets,
        slow=None if rows.complete else slow_directions_of(rows, encoder),
        labels=labels,
        known=known,
        halves=encoder.halves,
    )
    candidates = choice.described(
        head.landmarks, None if labels is None else _agreement(head, embeddings, labels)
    )
    refinement = density = single = None
    if len(windows) >= BARS_A_REGIME * len(head.centroids):
        told = with_hindsight(head, windows, embeddings) if labels is None else labels
        newest = newest_bars(head, rows, windows, told, options.seed)
        if options.evidence == "auto" and labels is None:
            head, refinement = refined(head, windows, embeddings, newest)
        density, single = densities(newest, refinement)
    novelty, threshold = fit_novelty(windows, seed=options.seed)
    return Learned(
        preprocessing=rows.preprocessing,
        encoder=encoder,
        read=read,
        windows=windows,
        embeddings=embeddings,
        head=head,
        candidates=candidates,
        refinement=refinement,
        density=density,
        single_density=single,
        novelty=novelty,
        novelty_threshold=threshold,
    )


def _agreement(head: Head, embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return how the whole-series labels of one series agree with others, which made the head."""
    count = len(head.centroids)
    path = jump_path(head.hindsight(embeddings), head.penalty)
    return adjusted_rand(contingency(labels, path, count, count))


def measured_rows(source: Source, options: FitOptions) -> TrainingRows:
    """Measure a source, once; choose window size and encoder if they are "auto"; take the sample.

    Raises
    ------
    DataError, ConfigError
        As for :func:`~regimetry.fit.rows.training_rows`.
    """
    measured, size = source.measured(), options.window_size
    if size != "auto" and options.encoder != AUTO:
        return training_rows(source, measured, int(size), options)
    first = SIZES[0] if size == "auto" else int(size)
    rows = training_rows(source, measured, first, decided(options, None))
    choice = choose_window(rows.preprocessed(), options)
    own, chosen = decided(options, choice), choice.chosen.window_size or first
    if (chosen, encoder_reach(own, chosen)) != (rows.window_size, rows.reach):
        rows = training_rows(source, measured, chosen, own)
    return replace(rows, choice=choice)


def newest_bars(
    head: Head, rows: TrainingRows, windows: Windows, labels: NDArray[np.int64], seed: int
) -> NewestBars:
    """Return the bars that windows end with, and what labels of the windows say of them."""
    prices = rows.preprocessing.prices
    return NewestBars.of(windows, labels, len(head.centroids), prices, seed=seed, reach=rows.reach)


def with_hindsight(
    head: Head, windows: Windows, embeddings: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return the whole-series labels of windows by the head alone."""
    return jump_path(head.hindsight(embeddings), head.penalty, windows.offsets)


def densities(
    newest: NewestBars, refinement: Refinement | None
) -> tuple[FittedDensity, FittedDensity | None]:
    """Return the density of the next row in each regime, and in one for all if there are others."""
    density = newest.of_known() if refinement is None else refinement.density
    return density, newest.single if newest.n_regimes > 1 else None


def refined(
    head: Head, windows: Windows, embeddings: NDArray[np.float32], newest: NewestBars
) -> tuple[Head, Refinement | None]:
    """Use single bars as evidence if their labels explain windows well enough; renumber regimes."""
    n_regimes = len(head.centroids)
    if n_regimes == 1:
        return head, None
    found = refine(newest, windows, head.points(embeddings))
    if not found.explains_enough:
        return head, None
    costs = windows.map(found.emission.costs)
    order = canonical_order(
        jump_path(costs, found.penalty, windows.offsets), volatility(windows), n_regimes
    )
    return head.reordered(order), found.reordered(order)


def volatility(windows: Windows) -> NDArray[np.float64]:
    """Return the mean deviation of the features in each window, (N,)."""
    return windows.map(lambda w: np.asarray(w.std(axis=1).mean(axis=1), dtype=np.float64))
