"""Stages 2 to 4 of a fit: rows in common units in, encoder and head out.

The file that production runs is made of these by :mod:`regimetry.fit.package`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from regimetry.encoder.config import DEFAULT_ENCODER, EncoderConfig
from regimetry.errors import ConfigError
from regimetry.fit.rows import cut_part, cut_windows
from regimetry.fit.stages import Stage, no_stage
from regimetry.parameters import require_choice
from regimetry.series.preprocessing import Preprocessing
from regimetry.windows import Windows, rolling_windows

if TYPE_CHECKING:
    import keras

    from regimetry.contract import WindowCandidate
    from regimetry.fit.rows import TrainingRows
    from regimetry.regimes.clustering.head import Head
    from regimetry.regimes.clustering.slow import SlowDirections
    from regimetry.regimes.evidence.refine import Refinement
    from regimetry.regimes.novelty import NoveltyMap

EVIDENCE = ("auto", "window")
"""What regimes are told by: single bars where they say enough of windows, or windows."""

_BARS_A_REGIME = 30  # fewer of them are not refined
_LEAST_TRAINED = 20  # windows of an instrument that trains, in window sizes


@dataclass(frozen=True)
class Learned:
    """What a fit learned.

    Attributes
    ----------
    preprocessing : Preprocessing
    description : dict
        Of the encoder, as plain data: its configuration with window size and number of features
        set, or the layers of a model of the user's own.
    encoder : keras.Model
    history : dict of list of float
        Loss curves; empty if untrained.
    windows : Windows, shape (N, W, F)
        The training windows, preprocessed.
    embeddings : ndarray of float32, shape (N, D)
        Of these, by Keras.
    head : Head
        Finds the regimes, and tells them apart by whole windows.
    refinement : Refinement or None
        Tells the same regimes apart by single bars; ``None`` where the head does it itself.
    novelty : NoveltyMap
    novelty_threshold : float
        Of its running mean; 5 % of known bars exceed it.
    """

    preprocessing: Preprocessing
    description: dict[str, Any]
    encoder: keras.Model
    history: dict[str, list[float]]
    windows: Windows
    embeddings: NDArray[np.float32]
    head: Head
    refinement: Refinement | None
    novelty: NoveltyMap
    novelty_threshold: float

    @property
    def penalties(self) -> tuple[float, float]:
        """Prices of a change, causal and whole-series; see :func:`penalties_of`."""
        return penalties_of(self.refinement)

    @cached_property
    def distance(self) -> NDArray[np.float64]:
        """What each regime costs in each training window, (N, K)."""
        if self.refinement is None:
            return self.head.outputs(self.embeddings)["distance"]
        return self.windows.map(self.refinement.emission.costs)

    def reordered(self, order: NDArray[np.integer]) -> Learned:
        """Return the same with regime ``order[new]`` at place ``new``."""
        refinement = None if self.refinement is None else self.refinement.reordered(order)
        return replace(self, head=self.head.reordered(order), refinement=refinement)


def penalties_of(refinement: Refinement | None) -> tuple[float, float]:
    """Return prices of a change that suit the evidence, causal and whole-series, in its units."""
    from regimetry.regimes.clustering.head import CAUSAL_PENALTY, WHOLE_SERIES_PENALTY

    if refinement is None:
        return CAUSAL_PENALTY, WHOLE_SERIES_PENALTY
    return refinement.causal_penalty, refinement.penalty


# A thread waiting for another that the machine does not run waits actively: on a busy machine the
# many small eigenproblems would take ten times as long on all cores as on one.
@threadpool_limits.wrap(limits=1)
def learn(
    parts: Sequence[NDArray[np.floating]],
    preprocessing: Preprocessing,
    *,
    window_size: int,
    n_regimes: int | None,
    min_dwell: float | None = None,
    encoder: EncoderConfig | keras.Model | None = None,
    objective: str | None = None,
    epochs: int | None = None,
    n_landmarks: int = 1000,
    evidence: str = "auto",
    slow: Callable[[keras.Model], SlowDirections] | None = None,
    seed: int = 0,
    deterministic: bool = False,
    progress: bool = False,
    stage: Stage = no_stage,
) -> Learned:
    """Fit encoder and head on one series or several.

    Parameters are those of :class:`~regimetry.RegimeDetector`, checked there; ``n_regimes`` is
    ``None`` where the table of candidates decides.

    Parameters
    ----------
    parts : sequence of ndarray of float, shape (T_i, F)
        Each finite and in time order; no window crosses from one into the next. All are training
        rows.
    preprocessing : Preprocessing
    slow : callable or None
        Gives the slow directions of an encoder, where they are to come of more windows than these;
        ``None`` takes these.
    stage : callable
        Told when the encoder and when the head begins.

    Returns
    -------
    Learned

    Raises
    ------
    DataError
        Too few rows, or more windows or landmarks than memory holds.
    ConfigError
        ``objective`` or ``evidence`` has a value that is not allowed, or ``encoder`` is a model of
        another form than the windows or the objective need.
    """
    from regimetry.encoder.inference import embed_windows
    from regimetry.encoder.seeding import seeded
    from regimetry.regimes.clustering.head import fit_head
    from regimetry.regimes.memory import require_memory
    from regimetry.regimes.novelty import fit_novelty

    require_choice("evidence", evidence, EVIDENCE)
    cut = cut_windows if len(parts) == 1 else cut_part
    windows = Windows([cut(preprocessing, rows, window_size) for rows in parts])
    stage("encoder")
    with seeded(seed, deterministic=deterministic):
        model, description = _make_encoder(encoder, windows)
        history = _train(model, windows, objective, epochs, seed, progress=progress)
    require_memory(len(windows), model.output_shape[-1], n_landmarks)
    stage("head")
    embeddings = windows.map(partial(embed_windows, model))
    head = fit_head(
        embeddings,
        _volatility(windows),
        n_regimes=n_regimes,
        lag=window_size,
        n_landmarks=n_landmarks,
        min_dwell=min_dwell,
        seed=seed,
        offsets=windows.offsets,
        slow=None if slow is None else slow(model),
    )
    refinement = None
    if evidence == "auto":
        head, refinement = refined(head, windows, embeddings, seed)
    novelty, threshold = fit_novelty(windows, seed=seed)
    return Learned(
        preprocessing=preprocessing,
        description=description,
        encoder=model,
        history=history,
        windows=windows,
        embeddings=embeddings,
        head=head,
        refinement=refinement,
        novelty=novelty,
        novelty_threshold=threshold,
    )


def window_candidates(
    rows: TrainingRows, encoder: EncoderConfig | keras.Model | None, seed: int
) -> tuple[WindowCandidate, ...]:
    """Compare window sizes by untrained encoders, on the longest stretch of the training rows."""
    from regimetry.encoder.inference import embed_windows
    from regimetry.encoder.seeding import seeded
    from regimetry.regimes.choice.window import assess_windows

    longest = rows.preprocessing.apply(max(rows.scaled.parts(), key=len))

    def embed(size: int, step: int, n_rows: int) -> NDArray[np.float32]:
        windows = rolling_windows(longest[-n_rows:], size)[::step]
        with seeded(seed):
            model, _ = _make_encoder(encoder, Windows.of(windows))
        return embed_windows(model, windows)

    return assess_windows(embed, len(longest), seed=seed)


def refined(
    head: Head,
    windows: NDArray[np.float32] | Windows,
    embeddings: NDArray[np.float32],
    seed: int,
) -> tuple[Head, Refinement | None]:
    """Tell the regimes by single bars, where those explain enough of windows; renumber them."""
    from regimetry.regimes.clustering.head import canonical_order
    from regimetry.runtime.jump import jump_path

    windows = Windows.of(windows)
    n_regimes = len(head.centroids)
    if n_regimes == 1 or len(windows) < _BARS_A_REGIME * n_regimes:
        return head, None
    found = refinement_of(head, windows, embeddings, seed)
    if not found.explains_enough:
        return head, None
    costs = windows.map(found.emission.costs)
    order = canonical_order(
        jump_path(costs, found.penalty, windows.offsets), _volatility(windows), n_regimes
    )
    return head.reordered(order), found.reordered(order)


def refinement_of(
    head: Head, windows: Windows, embeddings: NDArray[np.float32], seed: int
) -> Refinement:
    """Fit what single bars say of a head's regimes, whether or not it is to stand."""
    from regimetry.regimes.clustering.head import WHOLE_SERIES_PENALTY
    from regimetry.regimes.evidence.refine import refine
    from regimetry.runtime.jump import jump_path

    distance = head.outputs(embeddings)["distance"]
    labels = jump_path(distance, WHOLE_SERIES_PENALTY, windows.offsets)
    points = head.slow.whiten(embeddings) @ head.projection
    return refine(windows, labels, points, len(head.centroids), seed)


def _volatility(windows: Windows) -> NDArray[np.float64]:
    return windows.map(lambda w: np.asarray(w.std(axis=1).mean(axis=1), dtype=np.float64))


def _make_encoder(
    encoder: EncoderConfig | keras.Model | None, windows: Windows
) -> tuple[keras.Model, dict[str, Any]]:
    """Build what a configuration describes, or copy a model of the user's own."""
    from regimetry.encoder.model import build_encoder
    from regimetry.encoder.own import describe_own, own_encoder

    _, window_size, num_features = windows.shape
    if encoder is None:
        encoder = DEFAULT_ENCODER
    if not isinstance(encoder, EncoderConfig):
        model = own_encoder(encoder, window_size, num_features)
        return model, describe_own(model)
    config = replace(encoder, window_size=window_size, num_features=num_features)
    return build_encoder(config), config.to_dict()


def _train(
    encoder: keras.Model,
    windows: Windows,
    objective: str | None,
    epochs: int | None,
    seed: int,
    *,
    progress: bool,
) -> dict[str, list[float]]:
    from regimetry.encoder.objectives import OBJECTIVES
    from regimetry.encoder.training import train_encoder

    if objective is None:
        return {}
    if objective not in OBJECTIVES:
        raise ConfigError(
            f"objective is {objective!r}; it must be None or one of "
            f"{', '.join(map(repr, OBJECTIVES))}."
        )
    chosen = OBJECTIVES[objective](windows.shape[1])
    options = (
        chosen.options if epochs is None else replace(chosen.options, epochs=epochs, steps=None)
    )
    longest = max(windows.series, key=len)
    # A short instrument has no pairs of windows, or nothing left to validate on.
    long = [series for series in windows.series if len(series) >= _LEAST_TRAINED * series.shape[1]]
    return train_encoder(encoder, long or [longest], chosen, options, seed=seed, progress=progress)
