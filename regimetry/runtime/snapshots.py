"""States that outlive a process: plain numbers, texts and arrays, ready for ``numpy.savez``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from regimetry.contract import ModelContract
from regimetry.errors import DataError
from regimetry.runtime.recursion import State

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


def recursion_of(snapshot: Mapping[str, Any], shape: tuple[int, ...]) -> State:
    """Return a copy of the recursion's state, of costs (..., K) and means (...).

    The means are NaN before the first bar, as in snapshots of releases that kept none.

    Raises
    ------
    DataError
        It cannot be one.
    """
    costs = np.array(entry(snapshot, "costs"))
    means = np.array(snapshot.get("novelty", np.full(shape[:-1], np.nan)))
    for name, found, wanted, sound in (
        ("costs", costs, shape, np.isfinite),
        ("means of novelty", means, shape[:-1], lambda values: ~np.isinf(values)),
    ):
        if found.shape != wanted or found.dtype != np.float64 or not sound(found).all():
            raise DataError(
                f"The snapshot's {name} are {found.dtype} of shape {found.shape}; finite float64 "
                f"of shape {wanted} are needed. Restore an unchanged snapshot."
            )
    return State(costs, means)
