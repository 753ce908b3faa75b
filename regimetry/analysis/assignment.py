"""The best one-to-one matching of two sets (the assignment problem), exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_matching(gain: NDArray[np.number]) -> NDArray[np.int64]:
    """Match rows to columns, each once at most, so that the gains add up to the most.

    Shortest augmenting paths with potentials (Kuhn 1955; Jonker, Volgenant 1987), O(K^3).

    Parameters
    ----------
    gain : ndarray, shape (K, L)
        Finite.

    Returns
    -------
    ndarray of int64, shape (K,)
        The column of each row; -1 for rows beyond the number of columns.
    """
    n_rows, n_columns = gain.shape
    if n_rows > n_columns:
        result = np.full(n_rows, -1, dtype=np.int64)
        result[best_matching(gain.T)] = np.arange(n_columns)
        return result
    # Column 0 stands for the row that seeks its column.
    cost = np.zeros((n_rows, n_columns + 1))
    cost[:, 1:] = -np.asarray(gain, dtype=np.float64)
    of_row, of_column = np.zeros(n_rows), np.zeros(n_columns + 1)
    owner = np.full(n_columns + 1, -1, dtype=np.int64)
    for root in range(n_rows):
        owner[0], column = root, 0
        slack = np.full(n_columns + 1, np.inf)
        came_from = np.zeros(n_columns + 1, dtype=np.int64)
        done = np.zeros(n_columns + 1, dtype=np.bool_)
        while owner[column] >= 0:
            done[column] = True
            reduced = cost[owner[column]] - of_row[owner[column]] - of_column
            shorter = ~done & (reduced < slack)
            slack[shorter], came_from[shorter] = reduced[shorter], column
            column = int(np.argmin(np.where(done, np.inf, slack)))
            step = slack[column]
            of_row[owner[done]] += step
            of_column[done] -= step
            slack[~done] -= step
        while column:  # hand each column on the path to the row before
            owner[column] = owner[came_from[column]]
            column = int(came_from[column])
    result = np.empty(n_rows, dtype=np.int64)
    taken = np.flatnonzero(owner[1:] >= 0)
    result[owner[1:][taken]] = taken
    return result
