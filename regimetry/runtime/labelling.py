"""What a model says of a series, put at the bars it belongs to, in the kind of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.series.frames import is_frame, like_frame

MISSING = -1
"""The label of a bar that has none, in numpy results; frames get their own missing value."""


@dataclass(frozen=True)
class Labelling:
    """What the model says of every bar, in the kind of the data; bar t knows bars up to t.

    Attributes
    ----------
    regime : ndarray of int64, shape (T,), or Series
    probability : ndarray of float64, shape (T, K), or DataFrame
    novelty : ndarray of float32, shape (T,), or Series
    novel : ndarray of bool, shape (T,), or Series
        False where there is no full window.
    """

    regime: Any
    probability: Any
    novelty: Any
    novel: Any


def per_bar(
    data: Any, values: NDArray[Any], names: Sequence[str], *, before: int, after: int = 0
) -> Any:
    """Put results of N windows at T = before + N + after bars.

    Parameters
    ----------
    data : array (T, F) or frame
        What was labelled; decides the kind of the result.
    values : ndarray, shape (N,) or (N, C)
    names : sequence of str
        Of the Series, or of the C columns, where the result is a frame.
    before, after : int
        Bars without a result, which are missing: -1 for integers, NaN for floats. Of booleans
        they are False.
    """
    missing = {"i": MISSING, "b": False}.get(values.dtype.kind, np.nan)
    result = np.full((before + len(values) + after, *values.shape[1:]), missing, values.dtype)
    result[before : before + len(values)] = values
    return like_frame(data, result, names, missing=MISSING) if is_frame(data) else result


def per_window(data: Any, values: NDArray[Any], names: Sequence[str]) -> Any:
    """Give results (N, C) of N windows in the kind of the data, under each window's last bar."""
    if not is_frame(data):
        return values
    return like_frame(data, values, names, missing=MISSING)
