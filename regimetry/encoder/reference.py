"""The encoder in plain numpy, in float64: what the graph and Keras are held against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.config import EncoderConfig
from regimetry.encoder.sinusoids import sinusoidal_table
from regimetry.encoder.weights import Weights

Array = NDArray[np.float64]


def embed_in_numpy(config: EncoderConfig, weights: Weights, windows: NDArray[np.floating]) -> Array:
    """Embed windows by the formulas of docs/encoder.md, without folding anything.

    Slow; for some windows at a time.

    Parameters
    ----------
    config : EncoderConfig
        With one of regimetry's own poolings.
    weights : mapping
        As :func:`~regimetry.encoder.weights.draw_weights` gives them.
    windows : ndarray of float, shape (N, W, F)
        Preprocessed.

    Returns
    -------
    ndarray of float64, shape (N, D), or (N, 3 D) with moments
    """
    x: Array = np.asarray(windows, dtype=np.float64)
    keep: NDArray[np.bool_] = np.ones(x.shape[:2], dtype=bool)
    if config.padding_mask:
        keep = np.logical_not(np.isnan(x).any(axis=2))
    x = np.where(keep[..., None], x, 0.0)
    if config.embedding_dim is not None:
        kernel, bias = weights["projection"]
        x = x @ kernel.astype(np.float64) + bias
    if config.encoding_method == "sinusoidal":
        x = x + sinusoidal_table(x.shape[1], x.shape[2], config.encoding_style)
    elif config.encoding_method == "learnable":
        x = x + weights["positions"][0]
    seen = keep[:, None, :] & np.ones((x.shape[1],) * 2, dtype=bool)
    if config.look_ahead_mask:
        seen = seen & np.tri(x.shape[1], dtype=bool)
    for block in range(config.num_transformer_blocks):
        name = f"block_{block}"
        attended = _attention(x, weights[f"{name}_attention"], seen)
        x = _layer_norm(attended, *weights[f"{name}_attention_norm"]) + x
        (w1, b1), (w2, b2) = weights[f"{name}_expand"], weights[f"{name}_contract"]
        hidden = np.maximum(x @ w1[0].astype(np.float64) + b1, 0.0)
        x = _layer_norm(hidden @ w2[0].astype(np.float64) + b2, *weights[f"{name}_norm"]) + x
    some = keep.any(axis=1)
    found = _pooled(x[some], keep[some], config.pooling, *weights.get("pooling", ()))
    embedding = np.zeros((len(x), found.shape[1]))  # of a window without any row
    embedding[some] = found
    return embedding


def _layer_norm(x: Array, gamma: NDArray[np.float32], beta: NDArray[np.float32]) -> Array:
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + 1e-6) * gamma + beta


def _softmax(scores: Array) -> Array:
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _attention(
    x: Array, weights: tuple[NDArray[np.float32], ...], seen: NDArray[np.bool_]
) -> Array:
    wq, bq, wk, bk, wv, bv, wo, bo = (array.astype(np.float64) for array in weights)
    found = np.zeros_like(x)
    for head, head_size in enumerate([wq.shape[2]] * wq.shape[1]):
        q, k, v = (x @ w[:, head] + b[head] for w, b in ((wq, bq), (wk, bk), (wv, bv)))
        scores = np.where(seen, q @ k.swapaxes(1, 2) / np.sqrt(head_size), -1e30)
        # A row that sees no key has weights of 0.
        found += np.where(seen, _softmax(scores), 0.0) @ v @ wo[head]
    return found + bo


def _pooled(
    x: Array, keep: NDArray[np.bool_], pooling: str, *weights: NDArray[np.float32]
) -> Array:
    """Pool over the rows to keep, of which there is one at least."""
    count, m = keep.sum(axis=1)[:, None], keep[..., None]
    if pooling == "max":
        return np.asarray(np.where(m, x, -np.inf).max(axis=1))
    if pooling == "last":
        last = x.shape[1] - 1 - keep[:, ::-1].argmax(axis=1)
        return x[np.arange(len(x)), last]
    if pooling == "attention":
        scores = np.where(m, x @ weights[0].astype(np.float64), -1e30)
        return np.asarray((_softmax(scores.swapaxes(1, 2)).swapaxes(1, 2) * x).sum(axis=1))
    mean = (x * m).sum(axis=1) / count
    if pooling == "mean":
        return np.asarray(mean)
    c = np.where(m, x - mean[:, None], 0.0)
    power = (c**2).sum(axis=1)
    lagged = (c[:, 1:] * c[:, :-1]).sum(axis=1)
    return np.concatenate([mean, np.sqrt(power / count), lagged / (power + 1e-8)], axis=1)
