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
        rows_of_columns = best_matching(gain.T)
        result = np.full(n_rows, -1, dtype=np.int64)
        result[rows_of_columns] = np.arange(n_columns)
        return result
    cost = -np.asarray(gain, dtype=np.float64)
    of_row, of_column = np.zeros(n_rows), np.zeros(n_columns)
    owner = np.full(n_columns, -1, dtype=np.int64)
    for root in range(n_rows):
        distance = np.full(n_columns, np.inf)
        came_from = np.full(n_columns, -1, dtype=np.int64)
        done = np.zeros(n_columns, dtype=np.bool_)
        row, column, travelled = root, -1, 0.0
        while True:
            reduced = travelled + cost[row] - of_row[row] - of_column
            shorter = ~done & (reduced < distance)
            distance[shorter], came_from[shorter] = reduced[shorter], column
            column = int(np.argmin(np.where(done, np.inf, distance)))
            travelled = float(distance[column])
            done[column] = True
            if owner[column] < 0:
                break
            row = int(owner[column])
        of_row[root] += travelled
        earlier = done & (owner >= 0)
        of_row[owner[earlier]] += travelled - distance[earlier]
        of_column[earlier] -= travelled - distance[earlier]
        while column >= 0:  # hand each column on the path to the row before
            previous = int(came_from[column])
            owner[column] = root if previous < 0 else owner[previous]
            column = previous
    result = np.empty(n_rows, dtype=np.int64)
    result[owner[owner >= 0]] = np.flatnonzero(owner >= 0)
    return result
