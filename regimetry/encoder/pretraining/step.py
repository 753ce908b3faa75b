"""One step of the pretraining, in TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from regimetry.encoder.pretraining.architecture import Geometry
from regimetry.encoder.pretraining.batches import CHUNK, Batch
from regimetry.encoder.pretraining.initial import Weights
from regimetry.encoder.pretraining.layers import (
    patch_tokens,
    shares,
    stem_responses,
    token_embeddings,
)
from regimetry.encoder.pretraining.objective import pretraining_loss
from regimetry.errors import ConfigError


def batch_embeddings(weights: Mapping[str, Any], geometry: Geometry, batch: Any) -> Any:
    """Embed the patches of the windows of a batch: (G, N, P, 32)."""
    rows, slots, windows = batch
    n_series, n_windows = windows.shape
    size, patch, tokens = geometry.window_size, geometry.patch, geometry.tokens
    features = []
    for group, response in enumerate(stem_responses(weights, rows, slots, geometry)):
        kernels = response.shape[2]
        possible = response.shape[1] // size
        cut = ops.reshape(response[:, : possible * size], (n_series, possible, size, kernels))
        chosen = tf.gather(cut, windows, batch_dims=1)[:, :, size - patch * tokens :]
        above = shares(weights, group, chosen)
        above = ops.reshape(above, (n_series * n_windows, tokens, patch, above.shape[-1]))
        features.append(ops.mean(above, axis=2))
    found = token_embeddings(weights, patch_tokens(weights, features))
    return ops.reshape(found, (n_series, n_windows, tokens, found.shape[-1]))


class Trainer:
    """Weights, and their steps.

    Parameters
    ----------
    weights : mapping of str to ndarray
        To begin with.
    xla : bool
        Compile the steps with XLA.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], *, xla: bool = False) -> None:
        self._xla = xla
        self.variables = {
            name: keras.Variable(array, name=name, dtype="float32")
            for name, array in weights.items()
        }
        self.optimizer = keras.optimizers.AdamW(
            learning_rate=1e-3, weight_decay=0.01, beta_2=0.98, global_clipnorm=1.0
        )
        self.optimizer.exclude_from_weight_decay(
            [v for name, v in self.variables.items() if does_not_decay(name)]
        )
        self.optimizer.build(list(self.variables.values()))
        self._functions: dict[tuple[int, bool], Callable[..., Any]] = {}
        self._pool = ThreadPoolExecutor(CHUNK)
        self._apply = tf.function(self._applied, jit_compile=xla)

    def weights(self) -> Weights:
        """Return the weights as they are."""
        return {name: np.array(v.value) for name, v in self.variables.items()}

    def assign(self, weights: Weights) -> None:
        """Take other weights."""
        for name, array in weights.items():
            self.variables[name].assign(array)

    def optimizer_state(self) -> dict[str, NDArray[np.float32]]:
        """Return what the optimizer keeps, by its place."""
        return {
            str(place): np.asarray(variable.value, np.float32)
            for place, variable in enumerate(self.optimizer.variables)
        }

    def restore(self, kept: Mapping[str, NDArray[np.float32]]) -> None:
        """Give the optimizer what it kept, if anything.

        Raises
        ------
        ConfigError
            It was kept by an optimizer of other arrays.
        """
        own = {str(place): tuple(v.shape) for place, v in enumerate(self.optimizer.variables)}
        if kept and {place: array.shape for place, array in kept.items()} != own:
            raise ConfigError(
                f"The checkpoint has {len(kept)} arrays of an optimizer, and this release of Keras "
                f"keeps {len(own)}, or others. Go on with the release that wrote it, or begin in "
                "an empty folder."
            )
        for place, array in kept.items():
            variable = self.optimizer.variables[int(place)]
            variable.assign(array.astype(variable.dtype))

    def step(self, batches: Sequence[Batch], learning_rate: float) -> float:
        """Learn from the mean gradient of batches, and return their mean cross-entropy.

        Each batch has a thread of its own. The same batches give the same weights.
        """
        self.optimizer.learning_rate.assign(learning_rate)
        functions = [self._function(batch.window_size, train=True) for batch in batches]
        found = list(self._pool.map(_run, functions, batches))
        self._apply([gradients for _, gradients in found])
        return float(np.mean([float(entropy) for (_, entropy, _), _ in found]))

    def score(self, batch: Batch) -> tuple[float, float, float]:
        """Return loss, cross-entropy and share of states told right, and learn nothing."""
        found = _run(self._function(batch.window_size, train=False), batch)
        loss, entropy, right = (float(value) for value in found)
        return loss, entropy, right

    def _function(self, window_size: int, *, train: bool) -> Callable[..., Any]:
        key = (window_size, train)
        if key not in self._functions:
            self._functions[key] = self._made(window_size, train=train)
        return self._functions[key]

    def _applied(self, gradients: list[list[Any]]) -> None:
        """Move the weights against the mean of the gradients of some batches."""
        mean = [sum(parts) / len(parts) for parts in zip(*gradients, strict=True)]
        self.optimizer.apply(mean, list(self.variables.values()))

    def _made(self, window_size: int, *, train: bool) -> Callable[..., Any]:
        geometry = Geometry.of(window_size)

        def losses(rows: Any, slots: Any, windows: Any, states: Any, support: Any) -> Any:
            weights = {name: v.value for name, v in self.variables.items()}
            found = batch_embeddings(weights, geometry, (rows, slots, windows))
            return pretraining_loss(found, states, support)

        def gradients(*batch: Any) -> Any:
            with tf.GradientTape() as tape:
                found = losses(*batch)
            variables = [v.value for v in self.variables.values()]
            return found, tape.gradient(found[0], variables, unconnected_gradients="zero")

        return tf.function(gradients, jit_compile=self._xla) if train else tf.function(losses)


def _run(function: Callable[..., Any], batch: Batch) -> Any:
    return function(batch.rows, batch.slots, batch.windows, batch.states, batch.support)


def does_not_decay(name: str) -> bool:
    """Whether an array is a gain, a bias or a threshold, which keep their size."""
    return name.endswith(("norm", "bias", "relative", "gain", "offset"))
