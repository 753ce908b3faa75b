"""The encoder in plain numpy, written from the formulas: the twin that Keras is checked against."""

import numpy as np


def _layer_norm(x, gamma, beta):
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-6) * gamma + beta


def _softmax(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _positions(window_size, size, style):
    width = size + size % 2 if style == "stacked" else size
    table = np.zeros((window_size, width + width % 2))
    for t in range(window_size):
        for pair in range((width + 1) // 2):
            angle = t / 10000 ** (2 * pair / width)
            columns = (
                (pair, (width + 1) // 2 + pair) if style == "stacked" else (2 * pair, 2 * pair + 1)
            )
            table[t, columns[0]], table[t, columns[1]] = np.sin(angle), np.cos(angle)
    return table[:, :size]


def _attention(x, weights, head_size, allowed):
    (wq, bq), (wk, bk), (wv, bv), (wo, bo) = weights
    out = np.zeros_like(x)
    for head in range(wq.shape[1]):
        q, k, v = (x @ w[:, head] + b[head] for w, b in ((wq, bq), (wk, bk), (wv, bv)))
        scores = np.where(allowed, q @ k.swapaxes(1, 2) / np.sqrt(head_size), -1e30)
        out += _softmax(scores) @ v @ wo[head]
    return out + bo


def _pool(x, keep, pooling, encoder):
    """Pool over the rows to keep; a window that keeps none gives zeros."""
    pooled = np.zeros((len(x), x.shape[2] * (3 if pooling == "moments" else 1)))
    some = keep.any(axis=1)
    pooled[some] = _pool_some(x[some], keep[some], pooling, encoder)
    return pooled


def _pool_some(x, keep, pooling, encoder):
    count = keep.sum(axis=1)[:, None]
    m = keep[..., None]
    if pooling == "mean":
        return (x * m).sum(axis=1) / count
    if pooling == "max":
        return np.where(m, x, -np.inf).max(axis=1)
    if pooling == "last":
        last = [np.flatnonzero(row)[-1] for row in keep]
        return x[np.arange(len(x)), last]
    if pooling == "attention":
        score = encoder.get_layer("pooling").get_weights()[0]
        weights = _softmax(np.where(m, x @ score, -1e30).swapaxes(1, 2)).swapaxes(1, 2)
        return (weights * x).sum(axis=1)
    mean = (x * m).sum(axis=1) / count
    c = np.where(m, x - mean[:, None], 0.0)
    power = (c**2).sum(axis=1)
    lagged = (c[:, 1:] * c[:, :-1]).sum(axis=1)
    return np.concatenate([mean, np.sqrt(power / count), lagged / (power + 1e-8)], axis=1)


def encode(encoder, config, windows):
    """Compute what ``encoder`` computes, in float64, from its weights."""
    x = np.asarray(windows, dtype=float)
    keep = ~np.isnan(x).any(axis=2) if config.padding_mask else np.ones(x.shape[:2], dtype=bool)
    x = np.where(keep[..., None], x, 0.0)
    if config.embedding_dim is not None:
        kernel, bias = encoder.get_layer("projection").get_weights()
        x = x @ kernel + bias
    if config.encoding_method == "sinusoidal":
        x = x + _positions(x.shape[1], x.shape[2], config.encoding_style)
    elif config.encoding_method == "learnable":
        x = x + encoder.get_layer("positions").get_weights()[0]
    allowed = keep[:, None, :] & np.ones((x.shape[1],) * 2, dtype=bool)
    if config.look_ahead_mask:
        allowed = allowed & np.tri(x.shape[1], dtype=bool)
    for block in range(config.num_transformer_blocks):

        def weights(part, block=block):
            return encoder.get_layer(f"block_{block}_{part}").get_weights()

        flat = weights("attention")
        attended = _attention(
            x, list(zip(flat[::2], flat[1::2], strict=True)), config.head_size, allowed
        )
        r = _layer_norm(attended, *weights("attention_norm")) + x
        (w1, b1), (w2, b2) = weights("expand"), weights("contract")
        hidden = np.maximum(r @ w1[0] + b1, 0) @ w2[0] + b2
        x = _layer_norm(hidden, *weights("norm")) + r
    return _pool(x, keep, config.pooling, encoder)
