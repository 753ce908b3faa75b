"""The padding mask; the look-ahead mask is Keras's own ``use_causal_mask``."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

_LARGEST = float(np.finfo(np.float32).max)


@keras.saving.register_keras_serializable("regimetry")
class PaddingMask(keras.layers.Layer):
    """Splits windows (batch, W, F) into clean values and a mask of usable rows.

    A row with a NaN is masked, whatever its other values are: its values become 0 and its mask
    entry False. The mark is in the data, so the exported graph keeps its single input.
    """

    def call(self, windows: Any) -> tuple[Any, Any]:
        """Return ``(values (batch, W, F), mask (batch, W))``."""
        missing = keras.ops.isnan(windows)
        mask = keras.ops.logical_not(keras.ops.any(missing, axis=-1))
        # Where directly on IsNaN: tf2onnx turns any other selection into x * mask, which keeps NaN.
        values = keras.ops.where(missing, keras.ops.zeros_like(windows), windows)
        # An infinity beside the NaN times 0 would be NaN again.
        values = keras.ops.clip(values, -_LARGEST, _LARGEST)
        return values * keras.ops.cast(mask, values.dtype)[..., None], mask
