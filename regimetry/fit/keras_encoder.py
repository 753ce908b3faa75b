"""Encoders of a fit that Keras trains or made; importing this loads TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import keras

from regimetry.encoder.build import build_encoder, read_weights
from regimetry.encoder.config import EncoderConfig
from regimetry.encoder.inference import embed_windows
from regimetry.encoder.objectives import OBJECTIVES
from regimetry.encoder.own import describe_own, own_encoder
from regimetry.encoder.pretraining.folded import Folded
from regimetry.encoder.pretraining.keras_model import folded_model, folded_of
from regimetry.encoder.registry import BUILT_IN
from regimetry.encoder.seeding import seeded
from regimetry.encoder.training import train_encoder
from regimetry.export.convert import encoder_to_onnx
from regimetry.export.encoder import encoder_part
from regimetry.export.inline import inlined_part
from regimetry.export.part import EncoderPart
from regimetry.fit.fitted_encoder import FittedEncoder
from regimetry.fit.options import FitOptions
from regimetry.windows import Windows

_LEAST_TRAINED = 20  # windows of an instrument that trains, in window sizes


def trained(
    options: FitOptions, config: EncoderConfig, windows: Windows, *, progress: bool
) -> FittedEncoder:
    """Build an encoder in Keras, and train it if there is an objective."""
    with seeded(options.seed, deterministic=options.deterministic):
        model = build_encoder(config, seed=options.seed)
        history = _train(model, windows, options, progress=progress)
    if config.pooling in BUILT_IN:
        part = encoder_part(config, read_weights(model), options.opset)
    else:
        part = _converted(model, options)
    return _of_keras(model, part, config.to_dict(), history, options)


def own(options: FitOptions, windows: Windows, *, progress: bool) -> FittedEncoder:
    """Copy the user's own model, and train it if there is an objective."""
    with seeded(options.seed, deterministic=options.deterministic):
        model = own_encoder(options.encoder, *windows.shape[1:])
        history = _train(model, windows, options, progress=progress)
    return _of_keras(model, _converted(model, options), describe_own(model), history, options)


def tuned(
    options: FitOptions, folded: Folded, windows: Windows, *, progress: bool
) -> tuple[Folded, dict[str, list[float]]]:
    """Train a folded network further by the objective of a fit.

    Parameters
    ----------
    options : FitOptions
        With an ``objective``.
    folded : Folded
        Unchanged.
    windows : Windows, shape (N, W + reach, F)
        Preprocessed.
    progress : bool
        Show the epochs.

    Returns
    -------
    folded : Folded
        With the trained weights, kernels and thresholds included.
    history : dict of list of float
        Loss curves.

    Raises
    ------
    ConfigError
        The objective scores tokens of single rows, and those of this network are patches.
    DataError
        Too few windows.
    """
    with seeded(options.seed, deterministic=options.deterministic):
        model = folded_model(folded)
        history = _train(model, windows, options, progress=progress)
    return folded_of(model, folded), history


def _of_keras(
    model: keras.Model,
    part: EncoderPart,
    description: dict[str, Any],
    history: Mapping[str, list[float]],
    options: FitOptions,
) -> FittedEncoder:
    return FittedEncoder(
        description=description,
        part=part,
        twin=partial(embed_windows, model),
        twin_is_fast=True,
        made_by_keras=True,
        keras_model=partial(_itself, model),
        history=history,
        device=options.device,
    )


def _itself(model: keras.Model) -> keras.Model:
    return model


def _converted(model: keras.Model, options: FitOptions) -> EncoderPart:
    _, window_size, n_features = model.input_shape
    graph = encoder_to_onnx(model, opset=options.opset)
    return inlined_part(graph, window_size, n_features, model.output_shape[-1], options.opset)


def _train(
    model: keras.Model, windows: Windows, options: FitOptions, *, progress: bool
) -> dict[str, list[float]]:
    if options.objective is None:
        return {}
    objective = OBJECTIVES[options.objective](windows.shape[1])
    budget = objective.options
    if options.epochs is not None:
        budget = replace(budget, epochs=options.epochs, steps=None)
    longest = max(windows.series, key=len)
    # A short instrument has no pairs of windows, or nothing left to validate on.
    long = [series for series in windows.series if len(series) >= _LEAST_TRAINED * series.shape[1]]
    return train_encoder(
        model, long or [longest], objective, budget, seed=options.seed, progress=progress
    )
