"""Stages 1 to 4 of a fit: a series in, fitted preprocessing, encoder and head out.

The file that production runs is made of these by :mod:`regimetry.export.package`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from regimetry.encoder.config import DEFAULT_ENCODER, EncoderConfig
from regimetry.errors import ConfigError, DataError
from regimetry.parameters import require_choice
from regimetry.series.preprocessing import Preprocessing, fit_preprocessing
from regimetry.stages import Stage, no_stage
from regimetry.windows import rolling_windows

if TYPE_CHECKING:
    import keras

    from regimetry.regimes.head import Head
    from regimetry.regimes.novelty import NoveltyMap
    from regimetry.regimes.refine import Refinement
    from regimetry.regimes.window import WindowCandidate

EVIDENCE = ("auto", "window")
"""What regimes are told by: single bars where they mean what the windows mean, or windows."""

_BARS_A_REGIME = 30  # fewer of them are not refined


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
    embeddings : ndarray of float32, shape (N, D)
        Of the training windows, by Keras.
    head : Head
        Finds the regimes, and tells them apart by whole windows.
    refinement : Refinement or None
        Tells the same regimes apart by single bars; ``None`` where the head does it itself.
    novelty : NoveltyMap
    novelty_threshold : float
        Of its running mean; 5 % of known bars exceed it.
    window_candidates : tuple of WindowCandidate
        What each window size would do; empty where one was given.
    """

    preprocessing: Preprocessing
    description: dict[str, Any]
    encoder: keras.Model
    history: dict[str, list[float]]
    embeddings: NDArray[np.float32]
    head: Head
    refinement: Refinement | None
    novelty: NoveltyMap
    novelty_threshold: float
    window_candidates: tuple[WindowCandidate, ...] = ()

    @property
    def penalties(self) -> tuple[float, float]:
        """Prices of a change, causal and whole-series; see :func:`penalties_of`."""
        return penalties_of(self.refinement)

    def distance(self, windows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return what each regime costs in each training window.

        Parameters
        ----------
        windows : ndarray of float, shape (N, W, F)
            The preprocessed training windows, of which ``embeddings`` are.

        Returns
        -------
        ndarray of float64, shape (N, K)
        """
        if self.refinement is None:
            return self.head.outputs(self.embeddings)["distance"]
        return self.refinement.emission.costs(windows)

    def reordered(self, order: NDArray[np.integer]) -> Learned:
        """Return the same with regime ``order[new]`` at place ``new``."""
        refinement = None if self.refinement is None else self.refinement.reordered(order)
        return replace(self, head=self.head.reordered(order), refinement=refinement)


def penalties_of(refinement: Refinement | None) -> tuple[float, float]:
    """Return prices of a change that suit the evidence, causal and whole-series, in its units."""
    from regimetry.regimes.head import CAUSAL_PENALTY, WHOLE_SERIES_PENALTY

    if refinement is None:
        return CAUSAL_PENALTY, WHOLE_SERIES_PENALTY
    return refinement.causal_penalty, refinement.penalty


# A thread waiting for another that the machine does not run waits actively: on a busy machine the
# many small eigenproblems would take ten times as long on all cores as on one.
@threadpool_limits.wrap(limits=1)
def learn(
    values: NDArray[np.floating],
    names: Sequence[str],
    *,
    window_size: int | None,
    n_regimes: int | None,
    min_dwell: float | None = None,
    encoder: EncoderConfig | keras.Model | None = None,
    objective: str | None = None,
    epochs: int | None = None,
    difference: str | Sequence[str] = "auto",
    n_landmarks: int = 1000,
    evidence: str = "auto",
    seed: int = 0,
    deterministic: bool = False,
    progress: bool = False,
    stage: Stage = no_stage,
) -> Learned:
    """Fit preprocessing, encoder and head on one series.

    Parameters are those of :class:`~regimetry.RegimeDetector`, checked there; ``n_regimes`` is
    ``None`` where the table of candidates decides, and ``window_size`` where its own does.

    Parameters
    ----------
    values : ndarray of float, shape (T, F)
        Finite, in time order. All rows are training rows.
    names : sequence of str
        Of the F columns.
    stage : callable
        Told when the encoder and when the head begins.

    Returns
    -------
    Learned

    Raises
    ------
    DataError
        Too few rows, a constant column, or more windows or landmarks than memory holds.
    ConfigError
        ``objective``, ``difference`` or ``evidence`` has a value that is not allowed, or
        ``encoder`` is a model of another form than the windows or the objective need.
    """
    from regimetry.encoder.inference import embed_windows
    from regimetry.encoder.seeding import seeded
    from regimetry.regimes.head import fit_head
    from regimetry.regimes.memory import require_memory
    from regimetry.regimes.novelty import fit_novelty

    require_choice("evidence", evidence, EVIDENCE)
    preprocessing = fit_preprocessing(values, names, difference)
    window_candidates: tuple[WindowCandidate, ...] = ()
    if window_size is None:
        rows = preprocessing.apply(values)
        window_candidates = _window_candidates(encoder, rows, seed, deterministic=deterministic)
        window_size = next(entry.window_size for entry in window_candidates if entry.chosen)
    windows = cut_windows(preprocessing, values, window_size)
    stage("encoder")
    with seeded(seed, deterministic=deterministic):
        model, description = _make_encoder(encoder, windows)
        history = _train(model, windows, objective, epochs, seed, progress=progress)
    require_memory(len(windows), model.output_shape[-1], n_landmarks)
    stage("head")
    embeddings = embed_windows(model, windows)
    head = fit_head(
        embeddings,
        _volatility(windows),
        n_regimes=n_regimes,
        lag=window_size,
        n_landmarks=n_landmarks,
        min_dwell=min_dwell,
        seed=seed,
    )
    refinement = None
    if evidence == "auto":
        rows = preprocessing.apply(values)
        head, refinement = refined(head, rows, windows, embeddings, seed)
    novelty, threshold = fit_novelty(windows, seed=seed)
    return Learned(
        preprocessing=preprocessing,
        description=description,
        encoder=model,
        history=history,
        embeddings=embeddings,
        head=head,
        refinement=refinement,
        novelty=novelty,
        novelty_threshold=threshold,
        window_candidates=window_candidates,
    )


def _window_candidates(
    encoder: EncoderConfig | keras.Model | None,
    rows: NDArray[np.float32],
    seed: int,
    *,
    deterministic: bool,
) -> tuple[WindowCandidate, ...]:
    """Compare window sizes by untrained encoders."""
    from regimetry.encoder.inference import embed_windows
    from regimetry.encoder.seeding import seeded
    from regimetry.regimes.window import assess_windows

    def embed(size: int, step: int, n_rows: int) -> NDArray[np.float32]:
        windows = rolling_windows(rows[-n_rows:], size)[::step]
        with seeded(seed, deterministic=deterministic):
            model, _ = _make_encoder(encoder, windows)
        return embed_windows(model, windows)

    return assess_windows(embed, len(rows), seed=seed)


def refined(
    head: Head,
    rows: NDArray[np.float32],
    windows: NDArray[np.float32],
    embeddings: NDArray[np.float32],
    seed: int,
) -> tuple[Head, Refinement | None]:
    """Tell the regimes by single bars, where that means the same regimes; renumber them."""
    from regimetry.regimes.head import WHOLE_SERIES_PENALTY, canonical_order
    from regimetry.regimes.refine import refine
    from regimetry.runtime.jump import jump_path

    n_regimes = len(head.centroids)
    if n_regimes == 1 or len(windows) < _BARS_A_REGIME * n_regimes:
        return head, None
    labels = jump_path(head.outputs(embeddings)["distance"], WHOLE_SERIES_PENALTY)
    found = refine(rows, labels, n_regimes, windows.shape[1], seed)
    if not found.means_the_same:
        return head, None
    labels = jump_path(found.emission.costs(windows), found.penalty)
    order = canonical_order(labels, _volatility(windows), n_regimes)
    return head.reordered(order), found.reordered(order)


def _volatility(windows: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(windows.std(axis=1).mean(axis=1), dtype=np.float64)


def cut_windows(
    preprocessing: Preprocessing, values: NDArray[np.floating], window_size: int
) -> NDArray[np.float32]:
    """Return the preprocessed rolling windows (N, W, F) of a series (T, F), a view.

    Raises
    ------
    DataError
        Fewer rows than two windows need.
    """
    needed = window_size + preprocessing.lag + 1
    if len(values) < needed:
        raise DataError(
            f"{len(values)} rows are too few for windows of {window_size}; at least {needed} "
            "are needed. Give more rows or a smaller window_size."
        )
    return rolling_windows(preprocessing.apply(values), window_size)


def _make_encoder(
    encoder: EncoderConfig | keras.Model | None, windows: NDArray[np.float32]
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
    windows: NDArray[np.float32],
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
    return train_encoder(encoder, windows, chosen, options, seed=seed, progress=progress)
