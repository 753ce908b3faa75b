"""How many regimes: the eigengap of the normalised affinity (von Luxburg 2007, section 8.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_REGIMES = 5
"""The largest number of regimes that "auto" considers."""


def eigengaps(eigenvalues: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``lambda_k - lambda_{k+1}`` for k = 1, 2, ...; the gap k speaks for k regimes."""
    return -np.diff(eigenvalues[: MOST_REGIMES + 1])


def count_by_eigengap(eigenvalues: NDArray[np.float64]) -> int:
    """Return the number of regimes with the largest gap behind it, 1 included.

    Parameters
    ----------
    eigenvalues : ndarray, falling
        Of the normalised affinity of the landmarks, at least two unless there is one landmark.

    Returns
    -------
    int
        1 to :data:`MOST_REGIMES`.
    """
    gaps = eigengaps(eigenvalues)
    return int(np.argmax(gaps)) + 1 if len(gaps) else 1
