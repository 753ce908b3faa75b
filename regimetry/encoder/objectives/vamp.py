"""VAMP-2: embeddings whose linear combinations change slowly, which is what regimes do.

Mardt, Pasquali, Wu, Noe 2018, "VAMPnets for deep learning of molecular kinetics"; Wu, Noe 2020,
"Variational Approach for Learning Markov Processes from Time Series Data". The score is that of
reversible dynamics: the covariance at the lag is symmetrised, as in the head's slow directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from scipy import linalg

from regimetry.encoder.inference import embed_windows
from regimetry.encoder.objectives.pairs import no_target, stack_pairs
from regimetry.encoder.training.training_options import TrainingOptions
from regimetry.windows import Windows

_MOST_COMPONENTS = 32  # of the whitening before the first slow directions, as in the head
_VARIANCE_KEPT = 0.99


def vamp2_score(before: Any, after: Any, shrinkage: float) -> Any:
    """Return ``|| L^-1 C L^-T ||_F^2``, with ``L L^T`` the covariance and C the lagged one.

    It is the sum of the squared autocorrelations of the slowest directions in the span of the
    coordinates. Both covariances are symmetric in time: each uses all 2 B windows or both orders.

    Parameters
    ----------
    before, after : tensors, shape (B, size)
        Coordinates of window t and of window t + lag.
    shrinkage : float
        Share of the mean variance that is added to each variance: it keeps L well conditioned.
    """
    size = before.shape[-1]
    mean = (ops.mean(before, axis=0) + ops.mean(after, axis=0)) / 2.0
    before, after = before - mean, after - mean
    n = ops.cast(2 * ops.shape(before)[0], before.dtype)

    def product(a: Any, b: Any) -> Any:
        return ops.matmul(ops.transpose(a), b)

    covariance = (product(before, before) + product(after, after)) / n
    lagged = (product(before, after) + product(after, before)) / n
    ridge = shrinkage * ops.trace(covariance) / size + 1e-6  # coordinates may all be constant
    covariance = covariance + ridge * ops.eye(size)
    # TensorFlow raises on a matrix that is no number; the loop ends on a loss that is none.
    finite = ops.all(ops.isfinite(covariance))
    root = ops.cholesky(ops.where(finite, covariance, ops.eye(size)))
    half = ops.solve_triangular(root, lagged, lower=True)
    score = ops.sum(ops.square(ops.solve_triangular(root, ops.transpose(half), lower=True)))
    return ops.where(finite, score, float("nan"))


def slow_map(
    before: NDArray[np.floating], after: NDArray[np.floating], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return mean (D,), variance (D,) and the matrix (D, size) to the slowest directions.

    The matrix applies to z-scored embeddings. Fewer directions than ``size`` are returned if the
    embeddings have fewer.
    """
    both = np.concatenate([before, after]).astype(np.float64)
    mean, variance = both.mean(axis=0), both.var(axis=0)
    variance = np.where(variance > 1e-12 * (1.0 + mean**2), variance, 1.0)
    scaled = (both - mean) / np.sqrt(variance)
    power, components = linalg.eigh(scaled.T @ scaled / len(scaled))
    power, components = power[::-1], components[:, ::-1]
    share = np.cumsum(power) / max(power.sum(), np.finfo(float).tiny)
    kept = min(int(np.searchsorted(share, _VARIANCE_KEPT)) + 1, _MOST_COMPONENTS)
    kept = max(1, min(kept, int(np.sum(power > 1e-10 * power[0]))))
    whitening = components[:, :kept] / np.sqrt(np.maximum(power[:kept], 1e-12))
    early, late = np.split(scaled @ whitening, 2)
    lagged = early.T @ late / len(early)
    _, rotation = linalg.eigh((lagged + lagged.T) / 2.0)
    return mean, variance, whitening @ rotation[:, ::-1][:, :size]


def shuffled_channels(
    pairs: NDArray[np.float32], generator: np.random.Generator
) -> NDArray[np.float32]:
    """Permute the channels and draw their signs, the same for the whole batch.

    So the network cannot learn which channel is which, nor its sign. Both members of a pair get
    the same draw, which keeps their relation.
    """
    num_features = pairs.shape[2]
    signs = generator.choice(np.array([-1.0, 1.0], dtype=np.float32), num_features)
    return pairs[:, :, generator.permutation(num_features)] * signs


class _WithoutDropout(keras.layers.Layer):
    """An encoder as at inference, also while it trains.

    A functional model hands its own ``training`` to the models in it, whatever they were called
    with; a layer's call decides for itself.
    """

    def __init__(self, encoder: keras.Model, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder

    def call(self, windows: Any) -> Any:
        """Return the embeddings (batch, D)."""
        return self.encoder(windows, training=False)


@dataclass(frozen=True)
class Vamp2:
    """VAMP-2 on pairs of windows ``lag`` bars apart, with shuffled channels.

    The score is taken of ``size`` linear combinations of the z-scored embedding; the combinations
    are trained along, starting from the slow directions of the untrained embedding. Dropout is
    off: its noise would swamp the deviations and autocorrelations of moments pooling.

    Parameters
    ----------
    lag : int
        Bars between the members of a pair; at W and above they share no bar.
    size : int
        Linear combinations that are scored.
    shrinkage : float
        See :func:`vamp2_score`.
    shuffle : bool
        Permute channels and draw their signs in every step.
    """

    lag: int = 10
    size: int = 8
    shrinkage: float = 0.01
    shuffle: bool = True

    @property
    def options(self) -> TrainingOptions:
        """Fifty steps of 512 pairs."""
        return TrainingOptions(steps=50, batch_size=512, validation_fraction=0.0)

    @property
    def reach(self) -> int:
        """The lag."""
        return self.lag

    def attach(self, encoder: keras.Model, windows: Windows) -> keras.Model:
        """Return windows -> slow coordinates (2 batch, size)."""
        numbers = windows.with_later(self.lag)
        embeddings = np.concatenate([embed_windows(encoder, part) for part in windows.series])
        mean, variance, matrix = slow_map(
            embeddings[numbers], embeddings[numbers + self.lag], self.size
        )
        scale = keras.layers.BatchNormalization(
            center=False, scale=False, epsilon=1e-6, trainable=False, name="z_score"
        )
        slow = keras.layers.Dense(matrix.shape[1], use_bias=False, name="slow_directions")
        inputs = keras.Input(encoder.input.shape[1:])
        output = slow(scale(_WithoutDropout(encoder, name="encoder")(inputs)))
        scale.set_weights([mean, variance])
        slow.set_weights([matrix])
        return keras.Model(inputs, output)

    def loss(self, target: Any, output: Any) -> Any:
        """Return minus the score of the two halves of the batch."""
        before, after = ops.split(output, 2)
        return -vamp2_score(before, after, self.shrinkage)

    def batch(
        self,
        windows: Windows,
        numbers: NDArray[np.int64],
        generator: np.random.Generator,
        *,
        training: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return pairs of windows, one half after the other."""
        pairs = stack_pairs(windows, numbers, np.full(len(numbers), self.lag))
        if training and self.shuffle:
            pairs = shuffled_channels(pairs, generator)
        return pairs, no_target(len(numbers))
