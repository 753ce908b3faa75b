"""What a snapshot of a stream holds: plain numbers and arrays, ready for ``numpy.savez``."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray


class StreamSnapshot(TypedDict):
    """State of a `StreamBuffer`: ``rows`` is (min(count, W), F), oldest first."""

    kind: str
    version: int
    window_size: int
    n_features: int
    count: int
    rows: NDArray[np.float32]


class BankSnapshot(TypedDict):
    """State of a `StreamBank`: ``rows`` is (n, W, F), oldest first, zeros behind short streams."""

    kind: str
    version: int
    window_size: int
    n_features: int
    ids: NDArray[np.int64]
    counts: NDArray[np.int64]
    rows: NDArray[np.float32]
