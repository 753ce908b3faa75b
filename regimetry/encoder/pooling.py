"""Pooling over time: tokens (batch, W, D) and an optional mask (batch, W) to one embedding.

Masked rows are left out; a window whose rows are all masked gives zeros.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def _mask_weights(tokens: Any, mask: Any) -> Any:
    """Return weights (batch, W, 1) that sum to 1 over the unmasked rows."""
    weights = ops.cast(mask, tokens.dtype)[..., None]
    return weights / ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1.0)


def _zero_if_unseen(pooled: Any, mask: Any) -> Any:
    """Return ``pooled`` (batch, size), 0 where no row of the window is unmasked."""
    seen = ops.any(mask, axis=1, keepdims=True)
    return pooled * ops.cast(seen, pooled.dtype)


class _Pooling(keras.layers.Layer):
    """Takes a mask but passes none on, because an embedding has no time axis."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, _inputs: Any, _previous_mask: Any = None) -> None:
        """Return no mask."""


@keras.saving.register_keras_serializable("regimetry")
class MeanPooling(keras.layers.GlobalAveragePooling1D):
    """Mean of the tokens. Keras's own would divide by 0 where every row is masked."""

    def call(self, tokens: Any, mask: Any = None) -> Any:
        """Return the means (batch, D)."""
        if mask is None:
            return super().call(tokens)
        return ops.sum(_mask_weights(tokens, mask) * tokens, axis=1)


@keras.saving.register_keras_serializable("regimetry")
class MomentsPooling(_Pooling):
    """Mean, standard deviation and lag-1 autocorrelation of every token dimension: 3 D numbers.

    Centred in two passes, so a large mean does not cancel. A constant dimension has
    autocorrelation 0. A pair of rows with a masked one is left out.
    """

    def call(self, tokens: Any, mask: Any = None) -> Any:
        """Return the moments (batch, 3 D)."""
        if mask is None:
            mean = ops.mean(tokens, axis=1, keepdims=True)
            centred = tokens - mean
            variance = ops.mean(ops.square(centred), axis=1)
        else:
            weights = _mask_weights(tokens, mask)
            mean = ops.sum(weights * tokens, axis=1, keepdims=True)
            centred = ops.where(mask[..., None], tokens - mean, 0.0)
            variance = ops.sum(weights * ops.square(centred), axis=1)
        # The floor keeps the gradient of the root finite where a dimension is constant.
        deviation = ops.sqrt(ops.maximum(variance, 1e-12))
        lagged = ops.sum(centred[:, 1:] * centred[:, :-1], axis=1)
        autocorrelation = lagged / (ops.sum(ops.square(centred), axis=1) + 1e-8)
        moments = ops.concatenate([mean[:, 0], deviation, autocorrelation], axis=-1)
        return moments if mask is None else _zero_if_unseen(moments, mask)


@keras.saving.register_keras_serializable("regimetry")
class MaxPooling(_Pooling):
    """Largest value of every token dimension."""

    def call(self, tokens: Any, mask: Any = None) -> Any:
        """Return the maxima (batch, D)."""
        if mask is None:
            return ops.max(tokens, axis=1)
        largest = ops.max(ops.where(mask[..., None], tokens, -1e9), axis=1)
        return _zero_if_unseen(largest, mask)


@keras.saving.register_keras_serializable("regimetry")
class LastPooling(_Pooling):
    """The last token; with a mask, the last unmasked one."""

    def call(self, tokens: Any, mask: Any = None) -> Any:
        """Return the last tokens (batch, D)."""
        if mask is None:
            return tokens[:, -1]
        mask = ops.cast(mask, tokens.dtype)
        later = ops.flip(ops.cumsum(ops.flip(mask, axis=1), axis=1), axis=1)
        is_last = mask * ops.cast(ops.equal(later, 1.0), tokens.dtype)
        return ops.sum(is_last[..., None] * tokens, axis=1)


@keras.saving.register_keras_serializable("regimetry")
class AttentionPooling(_Pooling):
    """Average of the tokens, weighted by a softmax over learned scores (Bahdanau et al. 2015)."""

    def build(self, input_shape: Any) -> None:
        """Create the score vector."""
        self.score = self.add_weight(name="score", shape=(input_shape[-1], 1))

    def call(self, tokens: Any, mask: Any = None) -> Any:
        """Return the weighted averages (batch, D)."""
        scores = ops.matmul(tokens, self.score)
        if mask is not None:
            scores = ops.where(mask[..., None], scores, -1e9)
        average = ops.sum(ops.softmax(scores, axis=1) * tokens, axis=1)
        return average if mask is None else _zero_if_unseen(average, mask)
