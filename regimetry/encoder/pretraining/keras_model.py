"""The folded network as a Keras model: to train it further, and to keep it as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops

from regimetry.encoder.pretraining.architecture import SHARES
from regimetry.encoder.pretraining.folded import Folded, FoldedGroup
from regimetry.encoder.pretraining.layers import gated, token_embeddings


def folded_model(folded: Folded) -> keras.Model:
    """Build the model; it equals :func:`~regimetry.encoder.pretraining.reference.embed_in_numpy`.

    Parameters
    ----------
    folded : Folded

    Returns
    -------
    keras.Model
        Windows (batch, W + reach, F) to embeddings (batch, 64). Its layers are ``directions``,
        fixed, of wide tables alone; ``stem``; ``blocks``; and ``pooling``, which takes the
        embeddings of patches (batch, P, 32).
    """
    geometry = folded.geometry
    windows = keras.Input(
        (geometry.window_size + geometry.reach, folded.n_features), name="windows"
    )
    stem = PatchStem(
        geometry.patch,
        geometry.tokens,
        [[group.dilation, group.weights.shape[2]] for group in folded.groups],
        name="stem",
    )
    blocks = PatchBlocks(
        {name: list(array.shape) for name, array in folded.weights.items()}, name="blocks"
    )
    pooling = AskedPatches(list(geometry.asked), name="pooling")
    read = windows if folded.directions is None else _on_directions(windows, folded.directions)
    model = keras.Model(windows, pooling(blocks(stem(read))), name="PretrainedEncoder")
    for group, (kernel, offset) in zip(folded.groups, stem.kernels, strict=True):
        kernel.assign(group.weights.transpose(2, 1, 0))
        offset.assign(group.offsets)
    for name, array in folded.weights.items():
        blocks.arrays[name].assign(array)
    return model


def folded_of(model: keras.Model, folded: Folded) -> Folded:
    """Return the network with the weights that a model of it has now.

    Parameters
    ----------
    model : keras.Model
        Of :func:`folded_model`.
    folded : Folded
        That the model was made of.
    """
    groups = (
        FoldedGroup(group.dilation, _array(kernel).transpose(2, 1, 0).copy(), _array(offset))
        for group, (kernel, offset) in zip(
            folded.groups, model.get_layer("stem").kernels, strict=True
        )
    )
    arrays = model.get_layer("blocks").arrays
    weights = {name: _array(variable) for name, variable in arrays.items()}
    return replace(folded, groups=tuple(groups), weights=weights)


def _on_directions(windows: Any, directions: np.ndarray[Any, np.dtype[np.float32]]) -> Any:
    layer = keras.layers.Dense(
        directions.shape[1], use_bias=False, trainable=False, name="directions"
    )
    found = layer(windows)
    layer.kernel.assign(directions)
    return found


def _array(variable: keras.Variable) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(ops.convert_to_numpy(variable), np.float32)


@keras.saving.register_keras_serializable("regimetry")
class PatchStem(keras.layers.Layer):
    """Windows (batch, W + reach, M) to the shares of their patches, (batch, P, S).

    Parameters
    ----------
    patch : int
        Rows of a patch.
    tokens : int
        P, counted from the end of the window.
    groups : list of list of int
        Dilation and taps of each group of 64 kernels.
    """

    def __init__(self, patch: int, tokens: int, groups: list[list[int]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.patch, self.tokens, self.groups = patch, tokens, groups

    def build(self, input_shape: Any) -> None:
        """Create the kernels and their thresholds."""
        self.kernels = []
        for number, (_, taps) in enumerate(self.groups):
            kernel = self.add_weight(name=f"kernel_{number}", shape=(taps, input_shape[-1], SHARES))
            offset = self.add_weight(name=f"offset_{number}", shape=(SHARES,))
            self.kernels.append((kernel, offset))

    def call(self, windows: Any) -> Any:
        """Return the mean over each patch of how far responses exceed the thresholds."""
        described, found = self.patch * self.tokens, []
        for (dilation, taps), (kernel, offset) in zip(self.groups, self.kernels, strict=True):
            read = windows[:, windows.shape[1] - described - dilation * (taps - 1) :]
            response = ops.conv(read, kernel, padding="valid", dilation_rate=max(1, dilation))
            share = ops.sigmoid(response - offset)
            share = ops.reshape(share, (-1, self.tokens, self.patch, SHARES))
            found.append(ops.mean(share, axis=2))
        return ops.concatenate(found, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments; the kernels are weights."""
        own = {"patch": self.patch, "tokens": self.tokens, "groups": self.groups}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("regimetry")
class PatchBlocks(keras.layers.Layer):
    """Shares of patches (batch, P, S) to the embeddings of the patches, (batch, P, 32).

    Parameters
    ----------
    shapes : mapping of str to list of int
        Of the weights of gate, blocks and output, by name.
    """

    def __init__(self, shapes: Mapping[str, list[int]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shapes = dict(shapes)

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        self.arrays = {
            name: self.add_weight(name=name, shape=tuple(shape))
            for name, shape in self.shapes.items()
        }

    def call(self, patches: Any) -> Any:
        """Gate the shares, and relate the patches to each other."""
        mixed = ops.matmul(patches, self.arrays["gate"]) + self.arrays["gate_bias"]
        return token_embeddings(self.arrays, gated(mixed, self.arrays["gate_norm"]))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().get_config(), "shapes": self.shapes}


@keras.saving.register_keras_serializable("regimetry")
class AskedPatches(keras.layers.Layer):
    """Embeddings of patches (batch, P, 32) to those that are asked for, side by side.

    Parameters
    ----------
    asked : list of int
        Numbers of the patches.
    """

    def __init__(self, asked: list[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asked = asked

    def call(self, tokens: Any) -> Any:
        """Return the embeddings (batch, 64)."""
        return ops.concatenate([tokens[:, number] for number in self.asked], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().get_config(), "asked": self.asked}
