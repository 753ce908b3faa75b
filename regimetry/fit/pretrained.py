"""The pretrained encoder of a fit: frozen, or trained further by an objective."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from regimetry.encoder.pretraining.architecture import LARGEST, MOST_FEATURES, SMALLEST
from regimetry.encoder.pretraining.config import PretrainedEncoder
from regimetry.encoder.pretraining.folded import Folded, fold
from regimetry.encoder.pretraining.reference import embed_in_numpy, embed_series
from regimetry.encoder.pretraining.weights import PretrainedWeights
from regimetry.errors import RegimeWarning
from regimetry.export.pretrained import pretrained_part
from regimetry.fit.fitted_encoder import FittedEncoder, require_keras
from regimetry.fit.options import FitOptions
from regimetry.windows import Windows

if TYPE_CHECKING:
    import keras


def fit_pretrained(
    options: FitOptions, windows: Windows, window_size: int, *, progress: bool
) -> FittedEncoder:
    """Fold the weights for the channels and windows of a fit.

    Parameters
    ----------
    options : FitOptions
        ``encoder`` is a :class:`PretrainedEncoder`.
    windows : Windows, shape (N, W + reach, F)
        Preprocessed.
    window_size : int
        W.
    progress : bool
        Show the epochs of a training.
    """
    weights = options.encoder.weights
    _say_unlike(window_size, windows.shape[2])
    folded = fold(weights.arrays, windows.rows(), window_size, options.seed)
    history: dict[str, list[float]] = {}
    if options.objective is not None:
        from regimetry.fit.keras_encoder import tuned

        folded, history = tuned(options, folded, windows, progress=progress)
    return FittedEncoder(
        description=describe(options.encoder, weights, window_size, windows.shape[2]),
        part=pretrained_part(folded, options.opset),
        twin=partial(embed_in_numpy, folded),
        twin_is_fast=False,
        made_by_keras=options.objective is not None,
        keras_model=partial(_keras_model, folded),
        history=history,
        device=options.device,
        by_series=partial(embed_series, folded),
        halves=True,
    )


def describe(
    encoder: PretrainedEncoder, weights: PretrainedWeights, window_size: int, n_features: int
) -> dict[str, Any]:
    """Describe the encoder for the model file, as plain data."""
    return {
        "pretrained": str(encoder),
        "sha256": weights.sum,
        "series": weights.card["series"],
        "window_size": window_size,
        "num_features": n_features,
    }


def _say_unlike(window_size: int, n_features: int) -> None:
    """Warn of windows and tables unlike those of the pretraining."""
    if window_size < SMALLEST or window_size > LARGEST:
        how = "their kernels are spread wider" if window_size > LARGEST else "they hold few patches"
        warnings.warn(
            f"Windows have {window_size} rows; the encoder was pretrained on {SMALLEST} to "
            f"{LARGEST}, and {how}.",
            RegimeWarning,
            stacklevel=2,
        )
    if n_features > MOST_FEATURES:
        warnings.warn(
            f"There are {n_features} channels; the encoder was pretrained on {MOST_FEATURES} at "
            f"most, and reads the {MOST_FEATURES} main directions of these.",
            RegimeWarning,
            stacklevel=2,
        )


def _keras_model(folded: Folded) -> keras.Model:
    require_keras("The encoder as a Keras model")
    from regimetry.encoder.pretraining.keras_model import folded_model

    return folded_model(folded)
