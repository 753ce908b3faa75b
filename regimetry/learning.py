"""Stages 1 to 4 of a fit: a series in, fitted preprocessing, encoder and head out.

The file that production runs is made of these by :mod:`regimetry.export.package`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.config import EncoderConfig
from regimetry.errors import ConfigError, DataError
from regimetry.series.preprocessing import Preprocessing, fit_preprocessing
from regimetry.windows import rolling_windows

if TYPE_CHECKING:
    import keras

    from regimetry.regimes.head import Head


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
    """

    preprocessing: Preprocessing
    description: dict[str, Any]
    encoder: keras.Model
    history: dict[str, list[float]]
    embeddings: NDArray[np.float32]
    head: Head


def learn(
    values: NDArray[np.floating],
    names: Sequence[str],
    *,
    window_size: int,
    n_regimes: int | None,
    encoder: EncoderConfig | keras.Model | None = None,
    objective: str | None = None,
    epochs: int | None = None,
    difference: str | Sequence[str] = "auto",
    n_landmarks: int = 1000,
    seed: int = 0,
    deterministic: bool = False,
    progress: bool = False,
) -> Learned:
    """Fit preprocessing, encoder and head on one series.

    Parameters are those of :class:`~regimetry.RegimeDetector`, checked there; ``n_regimes`` is
    ``None`` where the eigengap chooses.

    Parameters
    ----------
    values : ndarray of float, shape (T, F)
        Finite, in time order. All rows are training rows.
    names : sequence of str
        Of the F columns.

    Returns
    -------
    Learned

    Raises
    ------
    DataError
        Too few rows, or a constant column.
    ConfigError
        ``objective`` or ``difference`` has a value that is not allowed, or ``encoder`` is a model
        of another form than the windows or the objective need.
    """
    from regimetry.encoder.inference import embed_windows
    from regimetry.encoder.seeding import seeded
    from regimetry.regimes.head import fit_head

    preprocessing = fit_preprocessing(values, names, difference)
    windows = cut_windows(preprocessing, values, window_size)
    with seeded(seed, deterministic=deterministic):
        model, description = _make_encoder(encoder, windows)
        history = _train(model, windows, objective, epochs, seed, progress=progress)
    embeddings = embed_windows(model, windows)
    head = fit_head(
        embeddings,
        windows.std(axis=1).mean(axis=1),
        n_regimes=n_regimes,
        lag=window_size,
        n_landmarks=n_landmarks,
        seed=seed,
    )
    return Learned(preprocessing, description, model, history, embeddings, head)


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
        encoder = EncoderConfig(embedding_dim=64, pooling="moments")
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
