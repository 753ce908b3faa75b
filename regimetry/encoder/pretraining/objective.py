"""What the network is trained on: states of a series it has not seen, told by few examples."""

from __future__ import annotations

from typing import Any

from keras import ops

MOST_STATES = 8
_LEAST_TOKENS = 4  # of a state, for a centroid or a question
_CONTRAST = 0.2  # weight of the contrast beside the cross-entropy
_SCATTER = 0.02  # weight of the scatter of a series of one state
_FAR = -1e9


def pretraining_loss(embeddings: Any, states: Any, support: Any) -> tuple[Any, Any, Any]:
    """Return the loss, the cross-entropy of the states, and the share of states told right.

    Half of the windows give a centroid for each state, after prototypical networks (Snell,
    Swersky, Zemel 2017); tokens of the other half are asked for their state by a softmax over
    minus half of the squared distances. Then the halves change places. Beside it stands the
    supervised contrast of Khosla et al. 2020 between the middle tokens of windows. A series of one
    state adds the scatter of its tokens.

    Parameters
    ----------
    embeddings : tensor, shape (G, N, P, E)
        Of the patches of N windows of each of G series.
    states : tensor of int, shape (G, N, P)
    support : tensor of bool, shape (G, N)
        Windows of the first half.

    Returns
    -------
    tensors, each a number
        The mean over series; the last two over series of more than one state.
    """
    _, windows, patches, size = embeddings.shape
    points = ops.reshape(embeddings, (-1, windows * patches, size))
    told = ops.one_hot(ops.reshape(states, (-1, windows * patches)), MOST_STATES)
    first = ops.repeat(ops.cast(support, points.dtype), patches, axis=1)[..., None]
    several = ops.cast(ops.sum(ops.max(told, axis=1), axis=1) > 1, points.dtype)
    entropies, hits = zip(
        *(_asked(points, told, half) for half in (first, 1.0 - first)), strict=True
    )
    entropy, hit = sum(entropies) / 2.0, sum(hits) / 2.0
    middle = embeddings[:, :, patches // 2]
    contrast = _contrast(middle, ops.one_hot(states[:, :, patches // 2], MOST_STATES))
    centred = points - ops.mean(points, axis=1, keepdims=True)
    scatter = ops.mean(ops.sum(ops.square(centred), axis=2), axis=1)
    loss = several * (entropy + _CONTRAST * contrast) + (1.0 - several) * _SCATTER * scatter
    count = ops.maximum(ops.sum(several), 1.0)
    return (
        ops.mean(loss),
        ops.sum(several * entropy) / count,
        ops.sum(several * hit) / count,
    )


def _asked(points: Any, told: Any, given: Any) -> tuple[Any, Any]:
    """Return cross-entropy and hits (G,) of the tokens whose windows give no centroid."""
    weights = told * given
    count = ops.sum(weights, axis=1)
    totals = ops.matmul(ops.transpose(weights, (0, 2, 1)), points)
    centroids = totals / ops.maximum(count, 1.0)[..., None]
    known = ops.cast(count >= _LEAST_TOKENS, points.dtype)
    logits = _logits(points, centroids) + _FAR * (1.0 - known)[:, None]
    asked = (1.0 - given[..., 0]) * ops.sum(told * known[:, None], axis=2)
    n_asked = ops.maximum(ops.sum(asked, axis=1), 1.0)
    entropy = -ops.sum(told * ops.log_softmax(logits, axis=-1), axis=2)
    hit = ops.cast(ops.equal(ops.argmax(logits, axis=-1), ops.argmax(told, axis=-1)), points.dtype)
    return ops.sum(asked * entropy, axis=1) / n_asked, ops.sum(asked * hit, axis=1) / n_asked


def _contrast(points: Any, told: Any) -> Any:
    """Return how little the nearest of (G, N, E) are of the same state, (G,)."""
    count = points.shape[1]
    logits = _logits(points, points) + _FAR * ops.eye(count)
    same = ops.matmul(told, ops.transpose(told, (0, 2, 1))) * (1.0 - ops.eye(count))
    others = ops.sum(same, axis=2)
    likely = ops.sum(same * ops.log_softmax(logits, axis=-1), axis=2) / ops.maximum(others, 1.0)
    return -ops.mean(likely, axis=1)


def _logits(points: Any, centres: Any) -> Any:
    """Return minus half of the squared distances (G, N, K)."""
    inner = ops.matmul(points, ops.transpose(centres, (0, 2, 1)))
    own = ops.sum(ops.square(points), axis=2, keepdims=True)
    return inner - 0.5 * (own + ops.sum(ops.square(centres), axis=2)[:, None])
