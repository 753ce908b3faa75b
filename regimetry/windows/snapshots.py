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
