"""The aspect ``correlation``: regimes of different dependence between channels."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform, pick_laws
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.path import Path

_FAMILIES = {"none": 0.25, "factors": 0.35, "equal": 0.2, "any": 0.2}


def _matrix(generator: np.random.Generator, n_features: int, family: str) -> Values:
    """Return a positive definite matrix (F, F) of one of the families."""
    if family == "none":
        return np.eye(n_features)
    if family == "factors":
        n_factors = int(generator.integers(1, 3))
        loadings = generator.standard_normal((n_features, n_factors))
        if happens(generator, 0.5):
            loadings = np.abs(loadings)
        loadings *= log_uniform(generator, 0.4, 2.5)
        return loadings @ loadings.T + np.eye(n_features)
    if family == "equal":
        signs = np.ones(n_features)
        if happens(generator, 0.5):
            signs = np.where(generator.random(n_features) < 0.5, 1.0, -1.0)
        common = generator.uniform(-0.3 / max(1, n_features - 1), 0.85)
        matrix = common * np.outer(signs, signs)
        np.fill_diagonal(matrix, 1.0)
        return matrix
    loadings = generator.standard_normal((n_features, n_features + 2))
    return loadings @ loadings.T


def draw_correlations(generator: np.random.Generator, n_laws: int, n_features: int) -> Values:
    """Return matrices (n, F, F) of unit diagonal, the identity once at most."""
    families = pick_laws(generator, _FAMILIES, n_laws, {"none"})
    matrices = np.stack([_matrix(generator, n_features, family) for family in families])
    deviations = np.sqrt(np.einsum("kff->kf", matrices))
    return matrices / (deviations[:, :, None] * deviations[:, None, :])


def correlate(noise: Values, correlations: Values, path: Path) -> Values:
    """Return noise (T, F) with the correlation (K or 1, F, F) of the state of each row."""
    n_features = noise.shape[1]
    roots = np.linalg.cholesky(correlations + 1e-6 * np.eye(n_features))
    if len(roots) == 1:
        return noise @ roots[0].T
    out = np.empty_like(noise)
    for root, inside in zip(roots, path.rows, strict=True):
        out[inside] = noise[inside] @ root.T
    return out
