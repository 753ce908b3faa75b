"""The series of one model, carried over to another that takes its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regimetry.runtime.bank import RegimeBank
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.recursion import Recursion
from regimetry.runtime.snapshots import signed
from regimetry.series.standing import Standing

_AT_ONCE = 256
"""Series whose rows are pushed together: a push sets room aside for a window of each row."""

Carried = Literal["state", "rows", "nothing"]
"""What series go on with: all they had; their last rows, read anew; or none."""


def carried(old: RegimeModel, new: RegimeModel) -> Carried:
    """Return what of the series can be carried over.

    ``state`` where both models read the same rows by the same rules and windows of the same length,
    have regimes of the same names, and follow them by the same recursion. ``rows`` where the
    columns of the rows are the same. Else ``nothing``.
    """
    one, two = old.contract, new.contract
    columns = old.schema == new.schema and one.training.features == two.training.features
    if not columns:
        return "nothing"
    names = [sorted(regime.name for regime in contract.regimes) for contract in (one, two)]
    # From where a mean of novelty is novel is no part of what is carried.
    first, second = (replace(Recursion.of(contract), threshold=0.0) for contract in (one, two))
    alike = first == second and one.evidence == two.evidence
    if alike and names[0] == names[1] and old.rows == new.rows and old.rules == new.rules:
        return "state"
    return "rows"


def regime_order(old: RegimeModel, new: RegimeModel) -> NDArray[np.int64]:
    """Return the number that each regime of the old model has in the new one, by name; -1: none."""
    names = [regime.name for regime in new.contract.regimes]
    found = [
        names.index(regime.name) if regime.name in names else -1 for regime in old.contract.regimes
    ]
    return np.array(found, np.int64)


def carry(bank: RegimeBank, old: RegimeModel, new: RegimeModel) -> tuple[RegimeBank, Carried]:
    """Return a bank of the new model with the series of the old one's, under the same numbers."""
    how, state = carried(old, new), bank.snapshot()
    begun: RegimeBank = new.bank(0, capacity=bank.capacity)
    if how == "state":
        begun.restore(_of_other(state, begun.model, regime_order(old, new)))
        return begun, how
    ids = state["ids"]
    if len(ids):
        every = begun.add(int(ids.max()) + 1)
        begun.drop(np.setdiff1d(every, ids))
    if how == "rows":
        series, rows = _last_rows(state)
        ends = np.flatnonzero(np.diff(series, append=-1)) + 1  # of each series
        first = 0
        for last in [*ends[_AT_ONCE - 1 : -1 : _AT_ONCE].tolist(), len(series)]:
            begun.push(series[first:last], rows[first:last])
            first = last
    return begun, how


def _of_other(state: dict[str, Any], model: str, order: NDArray[np.int64]) -> dict[str, Any]:
    """Return a snapshot as one of the other model, its regimes in that one's order."""
    costs = np.empty_like(state["costs"])
    costs[:, order] = state["costs"]
    rest = {name: value for name, value in state.items() if name not in _SIGNATURE}
    return signed(str(state["kind"]), model, {**rest, "costs": costs})


_SIGNATURE = ("kind", "version", "model", "sha256")


def _last_rows(state: dict[str, Any]) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Return the rows of windows since the last gap, oldest first, and whose each is."""
    size = state["rows"].shape[1]
    there = np.minimum(state["counts"], size)
    since = there
    if "standing" in state:
        since = np.minimum(there, Standing.of_numbers(state["standing"]).kept)
    place = np.arange(size)
    taken = (place >= (there - since)[:, None]) & (place < there[:, None])
    return np.repeat(state["ids"], taken.sum(axis=1)), state["rows"][taken]
