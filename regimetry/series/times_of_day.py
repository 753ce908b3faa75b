"""A column of times of day, beside one of days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.series.times import Moments, readings_of_texts

_NAMED = re.compile(r"(?:^|[^a-z])time(?:$|[^a-z])", re.IGNORECASE)
_EPOCH = "1970-01-01"


@dataclass(frozen=True)
class Clock:
    """A column of times of day.

    Attributes
    ----------
    name : str
    times : ndarray of timedelta64, shape (T,)
        Since midnight.
    """

    name: str
    times: NDArray[np.timedelta64]

    def joined(self, moments: NDArray[Any]) -> NDArray[Any]:
        """Return times, to which the times of day are added if they are whole days."""
        return moments + self.times if are_days(moments) else moments


def are_days(moments: NDArray[Any]) -> bool:
    """Return whether times are whole days throughout; numbers are not."""
    if moments.dtype.kind != "M" or np.isnat(moments).all():
        return False
    there = moments[~np.isnat(moments)]
    return bool((there == there.astype("datetime64[D]")).all())


def times_of_day(values: Sequence[Any], name: str) -> NDArray[np.timedelta64] | None:
    """Read times of day: 16:00, 16:00:00.5, 4:00 PM; in a column called time 160000 and 1600 too.

    Returns
    -------
    ndarray of timedelta64, shape (T,), or None
        ``None`` where one of them is none.
    """
    if not len(values):
        return None
    texts = [value.isoformat() if isinstance(value, time) else value for value in values]
    if _NAMED.search(name) and all(str(text).isdigit() for text in texts):
        width = 4 if max(len(str(text)) for text in texts) <= 4 else 6
        texts = [str(text).zfill(width) for text in texts]
    elif not all(isinstance(text, str) and ":" in text for text in texts):
        return None
    moments: Moments = readings_of_texts([f"{_EPOCH} {text.strip()}" for text in texts])[0]
    return None if np.isnat(moments).any() else moments - np.datetime64(_EPOCH)
