"""The encoder of a fit, whatever the user gave for it: a part of the graph, and its twin.

A configuration becomes a graph from its weights, without Keras unless an objective trains them.
Keras models of the user's own, and poolings that they registered, go through tf2onnx.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.config import EncoderConfig
from regimetry.encoder.objectives import OBJECTIVES
from regimetry.encoder.reference import embed_in_numpy
from regimetry.encoder.registry import BUILT_IN
from regimetry.encoder.weights import Weights, draw_weights
from regimetry.errors import ConfigError, InstallError
from regimetry.export.assemble import assemble_encoder
from regimetry.export.encoder import encoder_part
from regimetry.export.part import EncoderPart
from regimetry.fit.options import FitOptions
from regimetry.runtime.batch import run_gathered
from regimetry.runtime.shared_session import SharedSession
from regimetry.runtime.threads import available_threads
from regimetry.windows import Windows

if TYPE_CHECKING:
    import keras

_LEAST_TRAINED = 20  # windows of an instrument that trains, in window sizes


@dataclass(frozen=True, kw_only=True)
class FitEncoder:
    """An encoder whose weights are settled.

    Attributes
    ----------
    description : dict
        Plain data: its configuration with window size and number of features set, or the layers
        of a model of the user's own.
    part : EncoderPart
        Writes it into a graph.
    twin : callable
        Preprocessed windows (N, W, F) to embeddings (N, D) by other code: the graph is compared
        with it.
    twin_is_fast : bool
        Whether it embeds all windows; otherwise those of the golden file.
    made_by_keras : bool
    keras_model : callable
        Gives it as a Keras model.
    history : mapping of str to list of float
        Loss curves; empty if untrained.
    device : str
        Where :meth:`embed` computes.
    """

    description: dict[str, Any]
    part: EncoderPart
    twin: Callable[[NDArray[np.float32]], NDArray[np.floating]]
    twin_is_fast: bool
    made_by_keras: bool
    keras_model: Callable[[], keras.Model]
    history: Mapping[str, list[float]] = field(default_factory=dict)
    device: str = "cpu"

    def embed(self, windows: NDArray[np.floating]) -> NDArray[np.float32]:
        """Embed preprocessed windows (N, W, F) by onnxruntime, as production does: (N, D)."""
        return run_gathered(self._session, windows, ("embedding",), threads=available_threads())[
            "embedding"
        ]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_session"}

    @cached_property
    def _session(self) -> SharedSession:
        return SharedSession(assemble_encoder(self.part).SerializeToString(), device=self.device)


def fit_encoder(options: FitOptions, windows: Windows, *, progress: bool = False) -> FitEncoder:
    """Draw or read the weights of an encoder, and train them if there is an objective.

    Parameters
    ----------
    options : FitOptions
    windows : Windows, shape (N, W, F)
        Preprocessed.
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
    given, (_, window_size, num_features) = options.encoder, windows.shape
    if isinstance(given, Path):
        return _of_file(given, options, windows)
    if not isinstance(given, EncoderConfig):
        require_keras("An encoder that is a Keras model")
        return _own(options, windows, progress=progress)
    config = replace(given, window_size=window_size, num_features=num_features)
    if options.objective is None and config.pooling in BUILT_IN:
        weights = draw_weights(config, options.seed)
        return FitEncoder(
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
    return _trained(options, config, windows, progress=progress)


def require_keras(what: str) -> None:
    """Raise :class:`InstallError` unless what only Keras does can be done."""
    try:
        import tensorflow  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise InstallError(
            f"{what} needs TensorFlow and tf2onnx, and {error.name} is not installed. Run: pip "
            "install 'regimetry[train]', or fit an EncoderConfig with objective=None."
        ) from error


def _keras_model(config: EncoderConfig, weights: Weights) -> keras.Model:
    require_keras("The encoder as a Keras model")
    from regimetry.encoder.build import with_weights

    return with_weights(config, weights)


def _trained(
    options: FitOptions, config: EncoderConfig, windows: Windows, *, progress: bool
) -> FitEncoder:
    """Build an encoder in Keras, and train it if there is an objective."""
    from regimetry.encoder.build import build_encoder, read_weights
    from regimetry.encoder.seeding import seeded

    with seeded(options.seed, deterministic=options.deterministic):
        model = build_encoder(config, seed=options.seed)
        history = _train(model, windows, options, progress=progress)
    if config.pooling in BUILT_IN:
        part = encoder_part(config, read_weights(model), options.opset)
    else:
        part = _converted(model, options)
    return _of_keras(model, part, config.to_dict(), history, options)


def _own(options: FitOptions, windows: Windows, *, progress: bool) -> FitEncoder:
    """Copy the user's own model, and train it if there is an objective."""
    from regimetry.encoder.own import describe_own, own_encoder
    from regimetry.encoder.seeding import seeded

    with seeded(options.seed, deterministic=options.deterministic):
        model = own_encoder(options.encoder, *windows.shape[1:])
        history = _train(model, windows, options, progress=progress)
    return _of_keras(model, _converted(model, options), describe_own(model), history, options)


def _of_file(path: Path, options: FitOptions, windows: Windows) -> FitEncoder:
    """Read an ONNX file; its twin is the file itself, before it was converted and rewritten."""
    from regimetry.export.encoder_file import read_encoder_file

    longest = max(windows.series, key=len)
    file = read_encoder_file(path, longest, options.opset)
    return FitEncoder(
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


def _of_keras(
    model: keras.Model,
    part: EncoderPart,
    description: dict[str, Any],
    history: Mapping[str, list[float]],
    options: FitOptions,
) -> FitEncoder:
    from regimetry.encoder.inference import embed_windows

    return FitEncoder(
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
    from regimetry.export.convert import encoder_to_onnx
    from regimetry.export.inline import inlined_part

    _, window_size, n_features = model.input_shape
    graph = encoder_to_onnx(model, opset=options.opset)
    return inlined_part(graph, window_size, n_features, model.output_shape[-1], options.opset)


def _train(
    model: keras.Model, windows: Windows, options: FitOptions, *, progress: bool
) -> dict[str, list[float]]:
    if options.objective is None:
        return {}
    from regimetry.encoder.training import train_encoder

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
