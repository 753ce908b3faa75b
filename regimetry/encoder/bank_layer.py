"""The bank of convolutions as a Keras layer, which no training changes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from regimetry.encoder.convolutions import ConvolutionBank


def with_bank(bank: ConvolutionBank, encoder: keras.Model | None) -> keras.Model:
    """Put a bank before an encoder's own features, or in its place.

    Parameters
    ----------
    bank : ConvolutionBank
    encoder : keras.Model or None
        Windows (batch, W, F) to embeddings (batch, D).

    Returns
    -------
    keras.Model
        Windows (batch, W + reach, F) to embeddings.
    """
    windows = keras.Input((bank.window_size + bank.reach, bank.n_features), name="windows")
    layer = BankLayer(
        bank.window_size,
        [[k.dilation, *k.weights[k.owners].shape[::2]] for k in bank.kernels],
        name="convolutions",
    )
    embedding = layer(windows)
    layer.set_weights(
        [
            array
            for group in bank.kernels
            for array in (group.weights[group.owners].transpose(2, 1, 0), group.thresholds)
        ]
    )
    if encoder is not None:
        recent = keras.layers.Cropping1D((bank.reach, 0), name="recent")(windows)
        own = encoder(recent)
        embedding = keras.layers.Concatenate(name="embedding")([embedding, own])
    return keras.Model(windows, embedding, name="UnsupervisedTransformerEncoder")


@keras.saving.register_keras_serializable("regimetry")
class BankLayer(keras.layers.Layer):
    """Windows (batch, W + reach, F) to the shares and means of a bank, (batch, D).

    Parameters
    ----------
    window_size : int
        W.
    groups : list of list of int
        Dilation, number of thresholds and taps of each group of kernels.
    """

    def __init__(self, window_size: int, groups: list[list[int]], **kwargs: Any) -> None:
        super().__init__(**kwargs, trainable=False)
        self.window_size, self.groups = window_size, groups

    def build(self, input_shape: Any) -> None:
        """Create the kernels and their thresholds."""
        self.kernels = []
        for number, (_, count, taps) in enumerate(self.groups):
            shape = (taps, input_shape[-1], count)
            kernel = self.add_weight(name=f"kernel_{number}", shape=shape)
            self.kernels.append(
                (kernel, self.add_weight(name=f"threshold_{number}", shape=(count,)))
            )

    def call(self, windows: Any) -> Any:
        """Return the features."""
        rows, size = windows.shape[1], self.window_size
        found = []
        for (dilation, _, taps), (kernel, threshold) in zip(self.groups, self.kernels, strict=True):
            read = windows[:, rows - size - dilation * (taps - 1) :]
            response = ops.conv(read, kernel, padding="valid", dilation_rate=dilation)
            above = ops.cast(ops.greater(response, threshold), response.dtype)
            found.append(ops.mean(above, axis=1))
        return ops.concatenate([*found, ops.mean(windows[:, rows - size :], axis=1)], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments; the kernels are weights."""
        config = super().get_config()
        del config["trainable"]
        return {**config, "window_size": self.window_size, "groups": self.groups}
