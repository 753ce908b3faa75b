from typing import (
    Any,
    Literal,
    NotRequired,
    SupportsFloat,
    SupportsIndex,
    TypedDict,
    TypeVar,
    final,
)

import numpy as np
from numpy.typing import NDArray

_Scalar = TypeVar("_Scalar", bound=np.bool_ | np.number[Any])
_Real = NDArray[np.float32] | NDArray[np.float64]

class _BankSnapshot(TypedDict):
    kind: str
    version: int
    window_size: int
    n_features: int
    ids: NDArray[np.int64]
    counts: NDArray[np.int64]
    rows: NDArray[Any]
    numbers: NotRequired[NDArray[np.float64]]

def rolling_windows(
    values: NDArray[_Scalar], window_size: SupportsIndex, stride: SupportsIndex = 1
) -> NDArray[_Scalar]: ...
def gather_windows(
    values: _Real, starts: NDArray[np.int64], out: NDArray[np.float32], threads: SupportsIndex = 1
) -> None: ...
def follow(
    distance: _Real,
    novelty: _Real | None,
    penalty: SupportsFloat,
    sharpness: SupportsFloat,
    memory: SupportsFloat,
    threshold: SupportsFloat,
    costs: NDArray[np.float64] | None = None,
    means: NDArray[np.float64] | None = None,
    offsets: NDArray[np.int64] | None = None,
) -> tuple[
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.bool_],
    NDArray[np.float64],
    NDArray[np.float64],
]: ...
def jump_labels(
    distance: _Real, penalty: SupportsFloat, offsets: NDArray[np.int64] | None = None
) -> NDArray[np.int64]: ...
def scale_densities(
    residuals: NDArray[np.float64],
    parameters: NDArray[np.float64],
    constants: NDArray[np.float64],
    skew: NDArray[np.float64],
    scales: NDArray[np.float64],
    offsets: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def scale_gradient(
    residuals: NDArray[np.float64],
    weights: NDArray[np.float64],
    parameters: NDArray[np.float64],
    constants: NDArray[np.float64],
    skew: NDArray[np.float64],
    scales: NDArray[np.float64],
    after: NDArray[np.float64],
    offsets: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]: ...
def jump_path(
    distance: _Real, penalty: SupportsFloat, offsets: NDArray[np.int64] | None = None
) -> NDArray[np.int64]: ...

@final
class DensityStep:
    def __init__(
        self,
        channels: NDArray[np.int64],
        transforms: NDArray[np.int64],
        differs: bool,
        own_weights: bool,
        mean: NDArray[np.float64],
        deviation: NDArray[np.float64],
        coefficients: NDArray[np.float64],
        parameters: NDArray[np.float64],
        constants: NDArray[np.float64],
        skew: NDArray[np.float64],
        unit_mean: NDArray[np.float64],
        unit_variance: NDArray[np.float64],
        chain: NDArray[np.float64],
    ) -> None: ...
    def step(
        self,
        window: _Real,
        probability: NDArray[np.float64],
        scales: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> tuple[
        float,
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
    ]: ...

@final
class StreamBank:
    def __init__(
        self,
        n_streams: SupportsIndex,
        window_size: SupportsIndex,
        n_features: SupportsIndex,
        capacity: SupportsIndex | None = None,
        numbers: NDArray[np.float64] | None = None,
        dtype: Literal["float32", "float64"] = "float32",
    ) -> None: ...
    def stage(
        self, ids: NDArray[np.int64], rows: _Real, threads: SupportsIndex = 1
    ) -> tuple[NDArray[np.int64], Any]: ...
    def commit(
        self,
        ids: NDArray[np.int64],
        rows: _Real,
        changed: NDArray[np.int64] | None = None,
        numbers: NDArray[np.float64] | None = None,
    ) -> None: ...
    def numbers(self, ids: NDArray[np.int64]) -> NDArray[np.float64]: ...
    def add(self, count: SupportsIndex = 1) -> NDArray[np.int64]: ...
    def drop(self, ids: NDArray[np.int64]) -> None: ...
    def reset(self, ids: NDArray[np.int64] | None = None) -> None: ...
    def counts(self, ids: NDArray[np.int64]) -> NDArray[np.int64]: ...
    def snapshot(self) -> _BankSnapshot: ...
    def restore(self, snapshot: _BankSnapshot) -> None: ...
    def close(self) -> None: ...
    @property
    def n_streams(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    @property
    def capacity(self) -> int: ...
    @property
    def window_size(self) -> int: ...
    @property
    def n_features(self) -> int: ...
