"""The encoder of a fit, whatever the user gave for it: a part of the graph, and its twin.

A configuration becomes a graph from its weights, without Keras unless an objective trains them.
Keras models of the user's own, and poolings that they registered, go through tf2onnx. Convolutions
are put beside what they stand beside here, or in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.config import EncoderConfig
from regimetry.encoder.convolutions import ConvolutionBank, fit_bank
from regimetry.encoder.pretraining.config import PretrainedEncoder
from regimetry.encoder.pretraining.folded import fold
from regimetry.encoder.pretraining.reference import embed_series as embed_in_patches
from regimetry.encoder.reference import embed_in_numpy
from regimetry.encoder.registry import BUILT_IN
from regimetry.encoder.weights import Weights, draw_weights
from regimetry.errors import ConfigError
from regimetry.export.convolutions import bank_part, beside
from regimetry.export.encoder import encoder_part
from regimetry.fit.fitted_encoder import FittedEncoder, Twin, require_keras
from regimetry.fit.options import FitOptions
from regimetry.fit.pretrained import fit_pretrained
from regimetry.windows import Windows, rolling_windows

if TYPE_CHECKING:
    import keras


def encoder_reach(options: FitOptions, window_size: int) -> int:
    """Return how many rows before a window the encoder of a fit reads."""
    if not isinstance(options.encoder, EncoderConfig | PretrainedEncoder):
        return 0
    return options.encoder.reach_of(window_size, trained=options.objective is not None)


def _configured(
    options: FitOptions, window_size: int, num_features: int | None = None
) -> EncoderConfig:
    """Return the configuration of a fit's encoder for windows of a size."""
    given: EncoderConfig = options.encoder
    return given.of_windows(window_size, num_features, trained=options.objective is not None)


def fit_encoder(
    options: FitOptions, windows: Windows, window_size: int, *, progress: bool = False
) -> FittedEncoder:
    """Draw or read the weights of an encoder, and train them if there is an objective.

    Parameters
    ----------
    options : FitOptions
    windows : Windows, shape (N, W + reach, F)
        Preprocessed.
    window_size : int
        W.
    progress : bool
        Show the epochs.

    Raises
    ------
    ConfigError
        ``encoder`` is a model of another form than the windows or the objective need.
    InstallError
        What the fit needs is not installed.
    ExportError
        A layer cannot be written as ONNX operators.
    """
    given = options.encoder
    if isinstance(given, Path):
        return _of_file(given, options, windows)
    if isinstance(given, PretrainedEncoder):
        return fit_pretrained(options, windows, window_size, progress=progress)
    if not isinstance(given, EncoderConfig):
        require_keras("An encoder that is a Keras model")
        from regimetry.fit.keras_encoder import own

        return own(options, windows, progress=progress)
    config = _configured(options, window_size, windows.shape[2])
    if config.convolutions is None:
        return _transformer(options, config, windows, progress=progress)
    bank = fit_bank(windows.rows(), window_size, options.seed)
    if config.convolutions == "alone":
        return _alone(options, config, bank)
    recent = windows.last(window_size)
    return _beside(bank, _transformer(options, config, recent, progress=progress))


def embed_series(
    options: FitOptions, series: Sequence[NDArray[np.floating]], window_size: int, step: int
) -> list[NDArray[np.float32]]:
    """Embed the windows that end every ``step`` rows of preprocessed series, without a graph.

    What :func:`fit_encoder` would embed them to, in float32; of a configuration, or pretrained.

    Parameters
    ----------
    options : FitOptions
    series : sequence of ndarray, shape (T, F)
        Each of at least ``window_size + encoder_reach(options, window_size)`` rows.
    window_size : int
        W.
    step : int
    """
    if isinstance(options.encoder, PretrainedEncoder):
        folded = fold(options.encoder.weights.arrays, series, window_size, options.seed)
        return [embed_in_patches(folded, rows, step) for rows in series]
    config = _configured(options, window_size, series[0].shape[1])
    found: list[list[NDArray[np.float32]]] = []
    if config.convolutions is not None:
        bank = fit_bank(series, window_size, options.seed)
        found.append([bank.embed_series(rows, step) for rows in series])
    if config.convolutions != "alone":
        windows = Windows(
            [rolling_windows(rows[config.reach :], window_size)[::step] for rows in series]
        )
        own = _transformer(options, config, windows, progress=False)
        found.append([own.embed(part) for part in windows.series])
    return [np.concatenate(parts, axis=1) for parts in zip(*found, strict=True)]


def _transformer(
    options: FitOptions, config: EncoderConfig, windows: Windows, *, progress: bool
) -> FittedEncoder:
    if options.objective is None and config.pooling in BUILT_IN:
        weights = draw_weights(config, options.seed)
        return FittedEncoder(
            description=config.to_dict(),
            part=encoder_part(config, weights, options.opset),
            twin=partial(embed_in_numpy, config, weights),
            twin_is_fast=False,
            made_by_keras=False,
            keras_model=partial(_keras_model, config, weights),
            device=options.device,
        )
    require_keras(
        f"The pooling {config.pooling!r}"
        if options.objective is None
        else f"objective={options.objective!r}, which trains the encoder,"
    )
    from regimetry.fit.keras_encoder import trained

    return trained(options, config, windows, progress=progress)


def _alone(options: FitOptions, config: EncoderConfig, bank: ConvolutionBank) -> FittedEncoder:
    return FittedEncoder(
        description=config.to_dict(),
        part=bank_part(bank, options.opset),
        twin=bank.embed,
        twin_is_fast=False,
        made_by_keras=False,
        keras_model=partial(_keras_bank, bank, None),
        device=options.device,
        by_series=bank.embed_series,
    )


def _beside(bank: ConvolutionBank, own: FittedEncoder) -> FittedEncoder:
    return replace(
        own,
        part=beside(bank, own.part),
        twin=partial(_embed_both, bank, own.twin),
        twin_is_fast=False,
        keras_model=partial(_keras_bank, bank, own.keras_model),
    )


def _embed_both(
    bank: ConvolutionBank, twin: Twin, windows: NDArray[np.floating]
) -> NDArray[np.floating]:
    return np.concatenate([bank.embed(windows), twin(windows[:, bank.reach :])], axis=1)


def _keras_bank(bank: ConvolutionBank, own: Callable[[], keras.Model] | None) -> keras.Model:
    require_keras("The encoder as a Keras model")
    from regimetry.encoder.bank_layer import with_bank

    return with_bank(bank, None if own is None else own())


def _keras_model(config: EncoderConfig, weights: Weights) -> keras.Model:
    require_keras("The encoder as a Keras model")
    from regimetry.encoder.build import with_weights

    return with_weights(config, weights)


def _of_file(path: Path, options: FitOptions, windows: Windows) -> FittedEncoder:
    """Read an ONNX file; its twin is the file itself, before it was converted and rewritten."""
    from regimetry.export.encoder_file import read_encoder_file

    longest = max(windows.series, key=len)
    file = read_encoder_file(path, longest, options.opset)
    return FittedEncoder(
        description=file.describe(),
        part=file.part,
        twin=file.embed,
        twin_is_fast=True,
        made_by_keras=False,
        keras_model=partial(_no_keras_model, path),
        device=options.device,
    )


def _no_keras_model(path: Path) -> keras.Model:
    raise ConfigError(f"The encoder is the ONNX file {path}; there is no Keras model of it.")
