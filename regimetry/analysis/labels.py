"""What counts as a label, and which bars follow each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.contract.wording import counted
from regimetry.errors import DataError

Labels = NDArray[np.integer]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def require_labels(labels: Labels, n_regimes: int, what: str = "The labels") -> NDArray[np.int64]:
    """Check labels against K.

    Parameters
    ----------
    labels : ndarray of int, shape (T,)
        Negative where missing.
    n_regimes : int
        K.
    what : str
        The sentence's subject in messages.

    Returns
    -------
    ndarray of int64, shape (T,)

    Raises
    ------
    DataError
        Not a vector of integers, a label of K or more, or no bar with a label.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise DataError(
            f"{what} have shape {array.shape} and type {array.dtype}; one integer per bar is "
            "needed."
        )
    largest = int(array.max(initial=-1))
    if largest < 0:
        raise DataError(
            f"{what} are missing in all of {len(array)} bars; at least one is needed. Select more "
            "bars, or give more history."
        )
    if largest >= n_regimes:
        raise DataError(
            f"{what} go up to {largest}; the model has {counted(n_regimes, 'regime')}, 0 to "
            f"{n_regimes - 1}. They come from another model: label the data again."
        )
    return array.astype(np.int64, copy=False)


def follows(labels: Labels, breaks: Bools | None = None) -> Bools:
    """Say of each bar whether it follows a labelled bar and has a label itself.

    Parameters
    ----------
    labels : ndarray of int, shape (T,)
        Negative where missing.
    breaks : ndarray of bool, shape (T,), or None
        True where a bar does not follow the one before it in time: after a gap, or where another
        instrument begins.

    Returns
    -------
    ndarray of bool, shape (T,)
        False for the first bar. Bar t - 1 to bar t is a transition where this is true.
    """
    present = np.asarray(labels) >= 0
    result = np.zeros(len(present), dtype=np.bool_)
    result[1:] = present[1:] & present[:-1]
    if breaks is not None:
        if np.shape(breaks) != result.shape:
            raise DataError(
                f"breaks have shape {np.shape(breaks)}; the labels have {result.shape}. Give one "
                "truth value per bar."
            )
        result &= ~np.asarray(breaks, dtype=np.bool_)
    return result
