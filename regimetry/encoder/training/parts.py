"""Which windows train and which validate: by time, series by series, no row in both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.windows import Windows


def split_by_time(
    n_windows: int, window_size: int, validation_fraction: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split windows into an early training and a late validation part that share no row.

    Parameters
    ----------
    n_windows : int
        N, windows in time order, stride 1.
    window_size : int
        W; the W windows between the parts are dropped, so that a bar lies between the rows of both.
    validation_fraction : float
        Share of the windows that validate; 0: none, and all train.

    Returns
    -------
    training, validation : ndarray of int64
        Window numbers.

    Raises
    ------
    DataError
        Nothing is left to train on.
    """
    if validation_fraction == 0.0:
        return np.arange(n_windows), np.arange(0)
    n_validation = max(1, round(n_windows * validation_fraction))
    n_training = n_windows - n_validation - window_size
    if n_training < 1:
        raise DataError(
            f"{n_windows} windows are too few to train on: {n_validation} validate and "
            f"{window_size} lie between the parts. Give more rows, a smaller window_size, or "
            "objective=None, which leaves the encoder untrained."
        )
    return np.arange(n_training), np.arange(n_windows - n_validation, n_windows)


def split_series(
    series: Sequence[NDArray[np.float32]], validation_fraction: float, reach: int
) -> tuple[Windows, Windows]:
    """Split every series on its own.

    Parameters
    ----------
    series : sequence of ndarray of float32, shape (N_i, W, F)
    validation_fraction : float
    reach : int
        How many bars later the objective looks for a window's partner, inside the same part.

    Returns
    -------
    training, validation : Windows

    Raises
    ------
    DataError
        A series is empty, of another window shape than the first, or too short.
    """
    if not series:
        raise DataError("There are no windows to train on; give at least one series.")
    training, validation = [], []
    for number, windows in enumerate(series):
        if windows.ndim != 3 or windows.shape[1:] != series[0].shape[1:]:
            raise DataError(
                f"Series {number} has windows of shape {windows.shape}; expected "
                f"(N, W, F) with W and F of the first series, {series[0].shape[1:]}."
            )
        parts = split_by_time(len(windows), windows.shape[1], validation_fraction)
        # The parts are stretches: slices keep views as views.
        early, late = (
            windows[part[0] : part[-1] + 1] if len(part) else windows[:0] for part in parts
        )
        for name, part in (("train", early), ("validate", late)):
            if len(part) <= reach and (name == "train" or validation_fraction > 0.0):
                raise DataError(
                    f"Series {number} has {len(windows)} windows, of which {len(part)} {name}; the "
                    f"objective pairs windows up to {reach} bars apart. Give more rows, a smaller "
                    "window_size, or objective=None, which leaves the encoder untrained."
                )
        training.append(early)
        validation.append(late)
    return Windows(training), Windows(validation)
