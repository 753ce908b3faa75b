"""The aspect ``dynamics``: regimes of different autocorrelation, by AR(1), AR(2) or VAR(1)."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, pick_laws
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.path import Path
from regimetry.encoder.pretraining.prior.recursions import second_order, vector_first_order

_FAMILIES = {"none": 0.3, "first": 0.35, "second": 0.35}


def draw_coefficients(
    generator: np.random.Generator, n_laws: int, n_features: int
) -> tuple[Values, Values]:
    """Return coefficients p and q, each (n, F), of stationary autoregressions.

    One law of several may be white; AR(1) from -.85 to .95 and damped cycles of 2.5 to 50 rows,
    modulus .5 to .985, come equally often. Half of the laws are one for all channels.
    """
    first, second = np.zeros((n_laws, n_features)), np.zeros((n_laws, n_features))
    families = pick_laws(generator, _FAMILIES, n_laws, {"none"})
    if families == ["none"]:
        families = ["first"]
    for law, family in enumerate(families):
        n = 1 if happens(generator, 0.5) else n_features
        if family == "first":
            first[law] = generator.uniform(-0.85, 0.95, n)
        elif family == "second":
            modulus = generator.uniform(0.5, 0.985, n)
            period = np.exp(generator.uniform(np.log(2.5), np.log(50.0), n))
            first[law] = 2.0 * modulus * np.cos(2.0 * np.pi / period)
            second[law] = -(modulus**2)
    return first, second


def draw_matrices(generator: np.random.Generator, n_laws: int, n_features: int) -> Values:
    """Return matrices (n, F, F) of stationary VAR(1): 60 % filled, spectral radius .3 to .95."""
    size = (n_laws, n_features, n_features)
    matrices = generator.standard_normal(size) * (generator.random(size) < 0.6)
    diagonal = np.arange(n_features)
    matrices[:, diagonal, diagonal] += generator.uniform(-1.0, 1.0, (n_laws, n_features))
    radius = np.abs(np.linalg.eigvals(matrices)).max(axis=1)
    target = generator.uniform(0.3, 0.95, n_laws)
    return matrices * (target / np.maximum(radius, 1e-3))[:, None, None]


def autoregress(noise: Values, first: Values, second: Values, path: Path, goes_on: bool) -> Values:
    """Return an AR(2) of variance 1 (T, F) with the coefficients (K or 1, F) of each row's state.

    Parameters
    ----------
    goes_on : bool
        Whether a stay starts from the rows before it; else it starts anew.
    """
    if not first.any() and not second.any():
        return noise
    which = path.states if len(first) > 1 else np.zeros_like(path.states)
    # The variance of a stationary AR(2) driven by noise of variance 1.
    variance = (1.0 - second) / ((1.0 + second) * ((1.0 - second) ** 2 - first**2))
    p, q, addend = first[which], second[which], noise / np.sqrt(variance)[which]
    starts = path.first_rows if not goes_on else path.first_rows[:1]
    addend[starts] = noise[starts]
    p[starts] = 0.0
    q[starts] = 0.0
    q[np.minimum(starts + 1, len(q) - 1)] = 0.0
    return second_order(p, q, addend)


def vector_autoregress(
    noise: Values, matrices: Values, correlations: Values, path: Path, goes_on: bool
) -> Values:
    """Return a VAR(1) (T, F), each channel of variance 1, with the matrix of each row's state.

    ``correlations`` (K or 1, F, F) are those of the noise.
    """
    n_features = noise.shape[1]
    n = max(len(matrices), len(correlations))
    matrices = np.broadcast_to(matrices, (n, n_features, n_features))
    deviation = np.sqrt(np.einsum("kff->kf", stationary_covariance(matrices, correlations)))
    scaled = matrices * (deviation[:, None, :] / deviation[:, :, None])
    which = path.states if n > 1 else np.zeros_like(path.states)
    addend = noise / deviation[which]
    if not goes_on:
        addend[path.first_rows] = noise[path.first_rows]
        scaled = np.concatenate([scaled, np.zeros((1, n_features, n_features))])
        which = which.copy()
        which[path.first_rows] = n
    return vector_first_order(scaled, which, addend)


def stationary_covariance(matrices: Values, covariances: Values) -> Values:
    """Return S = A S A' + R for each A (n, F, F) and R (n or 1, F, F), by doubling."""
    total, power = np.broadcast_to(covariances, matrices.shape), matrices
    for _ in range(9):  # 512 terms: .95^1024 is nothing
        total = total + power @ total @ power.transpose(0, 2, 1)
        power = power @ power
    return total
