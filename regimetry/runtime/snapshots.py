"""States that outlive a process: plain numbers, texts and arrays, ready for ``numpy.savez``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import ModelContract
from regimetry.errors import DataError

VERSION = 1


def signed(kind: str, contract: ModelContract, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state with its kind, its version and the model it belongs to."""
    return {**state, "kind": kind, "version": VERSION, "model": contract.fingerprint}


def require_signed(snapshot: Mapping[str, Any], kind: str, contract: ModelContract) -> None:
    """Raise :class:`DataError` unless the snapshot is of this kind, version and model."""
    expected = {"kind": kind, "version": VERSION, "model": contract.fingerprint}
    remedies = {
        "kind": "restore it into the class that made it",
        "version": "take it again with this release",
        "model": "restore it with the model file that made it",
    }
    for key, value in expected.items():
        found = str(entry(snapshot, key))
        if found != str(value):
            raise DataError(f"The snapshot has {key} {found}; {value} is needed: {remedies[key]}.")


def entry(snapshot: Mapping[str, Any], key: str) -> Any:
    """Return one entry, :class:`DataError` if it is missing."""
    if key not in snapshot:
        raise DataError(f"The snapshot has no {key!r}; restore what snapshot() returned.")
    return snapshot[key]


def costs_of(snapshot: Mapping[str, Any], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return a copy of the recursion's state, :class:`DataError` if it cannot be one."""
    costs = np.array(entry(snapshot, "costs"))
    if costs.shape != shape or costs.dtype != np.float64 or not np.isfinite(costs).all():
        raise DataError(
            f"The snapshot's costs are {costs.dtype} of shape {costs.shape}; finite float64 of "
            f"shape {shape} are needed. Restore an unchanged snapshot."
        )
    return costs


def mean_of(snapshot: Mapping[str, Any], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return a copy of novelty's running means, :class:`DataError` if they cannot be any.

    NaN before the first bar, as in snapshots taken by releases that kept none.
    """
    mean = np.array(snapshot.get("novelty", np.full(shape, np.nan)))
    if mean.shape != shape or mean.dtype != np.float64 or np.isinf(mean).any():
        raise DataError(
            f"The snapshot's novelty is {mean.dtype} of shape {mean.shape}; float64 of shape "
            f"{shape} is needed. Restore an unchanged snapshot."
        )
    return mean
