"""Streams and banks: pushes that are interrupted or entered from within, snapshots that change."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest.mock import patch

import numpy as np

import regimetry as rg
from benchmarks.attack import Attack, Place
from regimetry.errors import DataError, RegimetryError
from regimetry.runtime import bank as bank_module
from regimetry.runtime import stream as stream_module
from regimetry.runtime.process_lock import ProcessLock


def rows_of(model: rg.RegimeModel, count: int) -> np.ndarray:
    """Return rows (count, F) as those of training, from the golden file's contract."""
    contract, generator = model.contract, np.random.default_rng(0)
    steps = np.asarray(contract.mean) + generator.standard_normal(
        (count, contract.n_features)
    ) / np.asarray(contract.scale)
    sums = np.cumsum(steps, axis=0)
    kinds = {"level": steps, "difference": sums, "log_difference": np.exp(np.clip(sums, -50, 50))}
    return np.stack([kinds[name][:, i] for i, name in enumerate(contract.transforms)], axis=1)


class _StopError(Exception):
    """What a signal raises."""


def _raise(*_: Any) -> None:
    raise _StopError


def interrupted_pushes(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Raise out of pushes at any moment; planted: a push that counts a row before it is in."""
    model = rg.load(place.model, device="cpu", threads=1)
    rows, generator = rows_of(model, 64), random.Random(0)
    expected = [tick and tick.probability for tick in map(model.stream().push, rows)]
    taken = stream_module.Stream._pushed

    def early(self: Any, row: Any, timestamp: Any) -> Any:
        before = self._state
        self._state = before._replace(came=before.came + 1)
        found = taken.__get__(self)
        self._state, counted = before, self._state
        try:
            return found(row, timestamp)
        except BaseException:
            self._state = counted
            raise

    handler = signal.signal(signal.SIGALRM, _raise)
    try:
        with patch.object(stream_module.Stream, "_pushed", early) if planted else nullcontext():
            for _ in range(tries):
                yield _interrupted(model, rows, expected, generator)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def _interrupted(model: Any, rows: Any, expected: Any, generator: random.Random) -> str | None:
    """Push all rows while alarms raise; say where a tick is not the one without alarms."""
    stream = model.stream()
    while stream.count < len(rows):
        number = stream.count
        try:
            signal.setitimer(signal.ITIMER_REAL, generator.uniform(1e-6, 2e-4))
            tick = stream.push(rows[number])
            signal.setitimer(signal.ITIMER_REAL, 0)
        except _StopError:
            if stream.count not in (number, number + 1):
                return f"row {number}: the count is {stream.count}"
            continue
        except RegimetryError as error:
            return f"row {number}: {error}"
        came = stream.count == number + 1 and tick is not None
        if came and not np.array_equal(tick.probability, expected[number]):
            return f"row {number}: another tick"
    return None


def from_within(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Push from within a push; planted: nobody looks who holds the lock."""
    model = rg.load(place.model, device="cpu", threads=1)
    rows = rows_of(model, tries + 1)
    free: AbstractContextManager[Any] = (
        patch.object(ProcessLock, "free", lambda _: nullcontext()) if planted else nullcontext()
    )
    stream, seen = model.stream(), []

    class Row:
        def __init__(self, values: Any) -> None:
            self.values = values

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            try:
                stream.push(self.values)
            except RegimetryError as error:
                seen.append(error)
            return np.asarray(self.values, dtype)

    with free:
        for number in range(tries):
            stream.push(Row(rows[number]))
            kept = stream.count == number + 1 and len(seen) == number + 1
            yield None if kept else f"row {number}: a push was lost without a word"


def snapshots(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Flip bits and put poison into snapshots; planted: their sum is not compared."""
    model = rg.load(place.model, device="cpu", threads=1)
    rows, generator = rows_of(model, 40), random.Random(0)
    stream, bank = model.stream(), model.bank(3)
    for row in rows:
        stream.push(row)
        bank.push([0, 1, 2], np.stack([row] * 3))
    module_of = {id(stream): stream_module, id(bank): bank_module}
    for number in range(tries):
        live = (stream, bank)[number % 2]
        found = dict(live.snapshot())
        arrays = [
            key for key, value in found.items() if isinstance(value, np.ndarray) and value.nbytes
        ]
        key = generator.choice(sorted(arrays))
        changed = found[key].copy().reshape(found[key].shape)
        if number % 3 and changed.dtype.kind == "f":
            changed.flat[0] = (
                (np.nan, np.inf, 1e300)[number % 3] if changed.itemsize == 8 else np.inf
            )
        else:
            changed.reshape(-1).view(np.uint8)[generator.randrange(changed.nbytes)] ^= 1
        found[key] = changed
        off = patch.object(module_of[id(live)], "require_signed", lambda *_: None)
        with off if planted else nullcontext():
            try:
                live.restore(found)
            except DataError:
                yield None
            else:
                yield f"snapshot {number}: {key} was changed, and it was restored"


ATTACKS = (
    Attack("snapshots", 400, snapshots),
    Attack("interrupted pushes", 60, interrupted_pushes),
    Attack("calls from within", 200, from_within),
)
