"""Linear recursions in time whose coefficients change from row to row, without a loop over rows.

A recursion is a triangular banded system: forward substitution by BLAS (``tbsv``) solves it in the
order of time, exactly and as stably as a loop would.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import dtbsv

from regimetry.encoder.pretraining.prior.drawn import States, Values


def first_order(coefficient: Values, addend: Values) -> Values:
    """Return x_t = c_t x_{t-1} + a_t for every channel, from x_{-1} = 0.

    Parameters
    ----------
    coefficient, addend : ndarray of float64, shape (T, F)

    Returns
    -------
    ndarray of float64, shape (T, F)
    """
    n_rows, n_features = addend.shape
    values = np.empty((n_rows, n_features), order="F")
    band = np.zeros((n_rows, 2))
    for channel in range(n_features):
        band[:-1, 1] = -coefficient[1:, channel]
        values[:, channel] = dtbsv(1, band.T, addend[:, channel], lower=1, diag=1)
    return values


def second_order(first: Values, second: Values, addend: Values) -> Values:
    """Return x_t = p_t x_{t-1} + q_t x_{t-2} + a_t for every channel, from zeros.

    Parameters
    ----------
    first, second, addend : ndarray of float64, shape (T, F)
        p, q and a.

    Returns
    -------
    ndarray of float64, shape (T, F)
    """
    n_rows, n_features = addend.shape
    values = np.empty((n_rows, n_features), order="F")
    band = np.zeros((n_rows, 3))
    for channel in range(n_features):
        band[:-1, 1] = -first[1:, channel]
        band[:-2, 2] = -second[2:, channel]
        values[:, channel] = dtbsv(2, band.T, addend[:, channel], lower=1, diag=1)
    return values


def vector_first_order(matrices: Values, which: States, addend: Values) -> Values:
    """Return x_t = A_{k(t)} x_{t-1} + a_t, from x_{-1} = 0.

    The channels of a row follow each other in one long vector, so the band is 2 F - 1 wide.

    Parameters
    ----------
    matrices : ndarray of float64, shape (n, F, F)
        A.
    which : ndarray of int64, shape (T,)
        k(t), the matrix that leads to row t.
    addend : ndarray of float64, shape (T, F)

    Returns
    -------
    ndarray of float64, shape (T, F)
    """
    n_rows, n_features = addend.shape
    columns = np.zeros((len(matrices), n_features, 2 * n_features))
    for i in range(n_features):
        for j in range(n_features):
            columns[:, j, n_features + i - j] = -matrices[:, i, j]
    band = np.zeros((n_rows, n_features, 2 * n_features))
    band[:-1] = columns[which[1:]]
    band = band.reshape(n_rows * n_features, -1)
    flat = dtbsv(2 * n_features - 1, band.T, addend.reshape(-1), lower=1, diag=1)
    return np.asarray(flat.reshape(n_rows, n_features))
