"""Embeddings on a plane."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from regimetry.report.thinning import thinned_rows

Floats = NDArray[np.float64]

MAP_ROWS = 6000
"""Most windows that a map shows."""

UMAP_ROWS = 2000


@dataclass(frozen=True)
class EmbeddingMap:
    """Windows on a plane, near where they are alike.

    Attributes
    ----------
    name : str
        PCA or UMAP.
    bars : ndarray of int64, shape (M,)
        Last bars of the windows that are shown.
    points : ndarray of float64, shape (M, 2)
    titles : tuple of str
        Of the axes; PCA's say what share of the variance each carries.
    """

    name: str
    bars: NDArray[np.int64]
    points: Floats
    titles: tuple[str, str]


def principal_components(
    embedding: NDArray[np.floating], n_components: int
) -> tuple[Floats, Floats]:
    """Project on the directions of largest variance, each dimension in units of its deviation.

    Parameters
    ----------
    embedding : ndarray of float, shape (N, D)
    n_components : int

    Returns
    -------
    points : ndarray of float64, shape (N, n_components)
        Zero where there are fewer directions. The sign makes each direction's largest weight
        positive.
    share : ndarray of float64, shape (n_components,)
        Of the variance.
    """
    wide = np.asarray(embedding, dtype=np.float64)
    deviation = wide.std(axis=0)
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    scaled = (wide - wide.mean(axis=0)) * scale
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    vectors = vectors[:, ::-1][:, :n_components]
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(len(largest))])
    points, share = np.zeros((len(wide), n_components)), np.zeros(n_components)
    points[:, : len(signs)] = scaled @ (vectors * signs)
    # Each dimension that varies has variance 1.
    share[: len(signs)] = values[::-1][:n_components] / max(np.count_nonzero(deviation), 1)
    return points, np.maximum(share, 0.0)


def embedding_maps(
    embedding: NDArray[np.floating], labels: NDArray[np.integer], *, umap: bool
) -> tuple[EmbeddingMap, ...]:
    """Draw up the maps: by principal components, and by UMAP if asked for.

    Parameters
    ----------
    embedding : ndarray of float, shape (N, D)
        Of the windows of the N bars that have a label.
    labels : ndarray of int, shape (T,)
        Negative where missing. Each regime keeps its share of the windows shown.
    umap : bool
        Needs umap-learn, and some ten seconds.

    Returns
    -------
    tuple of EmbeddingMap
    """
    at = np.flatnonzero(labels >= 0)
    points, share = principal_components(embedding, 2)
    rows = thinned_rows(labels[at], MAP_ROWS)
    first, second = (f"PCA {i + 1} ({share[i]:.0%} of the variance)" for i in range(2))
    maps = [EmbeddingMap("PCA", at[rows], points[rows], (first, second))]
    if umap and len(embedding) >= _UMAP_LEAST:
        rows = thinned_rows(labels[at], UMAP_ROWS)
        points = _umap(embedding[rows])
        maps.append(EmbeddingMap("UMAP", at[rows], points, ("UMAP 1", "UMAP 2")))
    return tuple(maps)


def has_umap() -> bool:
    """Whether umap-learn is installed."""
    return find_spec("umap") is not None


_UMAP_LEAST = 50  # windows; fewer have no neighbourhoods to preserve


def _umap(embedding: NDArray[np.floating]) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numba, and of its own defaults
        from umap import UMAP

        points, _ = principal_components(embedding, min(30, embedding.shape[1]))
        found: Floats = UMAP(random_state=0, n_jobs=1).fit_transform(points.astype(np.float32))
    return found.astype(np.float64)
