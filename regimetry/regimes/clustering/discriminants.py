"""Directions that tell known groups of windows apart, in the place of the slow ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from regimetry.regimes.clustering.slow import Array, fix_signs

_RIDGE = 0.1  # of the variance of a whitened direction


def discriminants(white: Array, labels: NDArray[np.integer]) -> Array:
    """Return the K - 1 directions (P, K - 1) that tell K groups apart: Fisher 1936, Rao 1948.

    A ridge (Friedman 1989) keeps directions in which few windows of a group hardly vary by chance.

    Parameters
    ----------
    white : ndarray, shape (N, P)
        Whitened windows.
    labels : ndarray of int, shape (N,)
        0 to K - 1.
    """
    counts = np.bincount(labels)
    sums = np.stack([np.bincount(labels, weights=column) for column in white.T], axis=1)
    means = sums / np.maximum(counts, 1)[:, None]
    share = (counts / len(labels))[:, None]
    apart = means - (share * means).sum(axis=0)
    between = (share * apart).T @ apart
    rest = white - means[labels]
    within = rest.T @ rest / len(labels) + _RIDGE * np.eye(white.shape[1])
    directions = linalg.eigh(between, within)[1][:, ::-1]
    return fix_signs(directions[:, : len(counts) - 1])
