"""What a snapshot of a bank holds: plain numbers and arrays, ready for ``numpy.savez``."""

from typing import Any, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray


class BankSnapshot(TypedDict):
    """State of a `StreamBank`: ``rows`` is (n, W, F), oldest first, zeros behind short streams."""

    kind: str
    version: int
    window_size: int
    n_features: int
    ids: NDArray[np.int64]
    counts: NDArray[np.int64]
    rows: NDArray[Any]
    numbers: NotRequired[NDArray[np.float64]]
