"""States that outlive a process: plain numbers, texts and arrays, ready for ``numpy.savez``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.runtime.recursion import State

VERSION = 2
_FIRST, _SUM = "1", "sha256"  # version 1, of 0.1.0, is read too; it has no sum
_LARGEST = float(np.finfo(np.float32).max)  # a larger number is poison to sums and means


def signed(kind: str, model: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state with its kind, its version, the model it belongs to, and the sum of it all."""
    whole = {**state, "kind": kind, "version": VERSION, "model": model}
    return {**whole, _SUM: sum_of(whole)}


def require_signed(snapshot: Mapping[str, Any], kind: str, model: str) -> None:
    """Raise :class:`DataError` unless it is of this kind, version and model, and unchanged."""
    first = str(snapshot.get("version")) == _FIRST
    expected = {"kind": kind, "version": _FIRST if first else VERSION, "model": model}
    remedies = {
        "kind": "restore it into the class that made it",
        "version": "take it again with this release",
        "model": "restore it with the model file that made it",
    }
    for key, value in expected.items():
        found = str(entry(snapshot, key))
        if found != str(value):
            raise DataError(f"The snapshot has {key} {found}; {value} is needed: {remedies[key]}.")
    whole = {key: snapshot[key] for key in snapshot if key != _SUM}
    if not first and str(entry(snapshot, _SUM)) != sum_of(whole):
        raise DataError(
            "The snapshot was changed or damaged: it has another SHA-256 than it says. Restore an "
            "unchanged one."
        )


def sum_of(state: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain numbers, texts and arrays, by name; numpy.savez keeps it."""
    found = hashlib.sha256()
    for key in sorted(state):
        value = np.ascontiguousarray(state[key])
        found.update(f"{key} {value.dtype.str} {value.shape}\n".encode())
        found.update(value.tobytes())
    return found.hexdigest()


def entry(snapshot: Mapping[str, Any], key: str) -> Any:
    """Return one entry, :class:`DataError` if it is missing."""
    if key not in snapshot:
        raise DataError(f"The snapshot has no {key!r}; restore what snapshot() returned.")
    return snapshot[key]


def count_of(snapshot: Mapping[str, Any], key: str) -> int:
    """Return an entry that counts, :class:`DataError` if it is no whole number of at least 0."""
    value = np.asarray(entry(snapshot, key))
    if value.shape or value.dtype.kind not in "iu" or value < 0:
        raise DataError(f"The snapshot's {key!r} is {value!r}; restore an unchanged snapshot.")
    return int(value)


def is_usable(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which numbers are finite in float32 too."""
    return np.asarray(np.abs(values) <= _LARGEST)


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
        ("costs", costs, shape, is_usable),
        (
            "means of novelty",
            means,
            shape[:-1],
            lambda values: np.isnan(values) | is_usable(values),
        ),
    ):
        if found.shape != wanted or found.dtype != np.float64 or not sound(found).all():
            raise DataError(
                f"The snapshot's {name} are {found.dtype} of shape {found.shape}; float64 of shape "
                f"{wanted}, finite in float32, are needed. Restore an unchanged snapshot."
            )
    return State(costs, means)
