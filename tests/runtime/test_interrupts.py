"""An interrupt at any point of a push: the row is part of the series with all that follows, or not.

Python runs a signal's handler when a call returns or begins. A profile function that raises at the
n-th such moment interrupts a push at every place at which Ctrl-C could.
"""

import gc
import sys
from functools import partial
from inspect import CO_GENERATOR
from itertools import count

import numpy as np
import pytest

INTERRUPTS = 300


class Interrupter:
    """Raises ``KeyboardInterrupt`` at the ``moment``-th moment at which a signal may be handled."""

    def __init__(self, moment):
        self.moment, self.passed = moment, 0

    def __call__(self, frame, event, argument):
        # A C function is never left before it ends, and what is raised while a generator is thrown
        # away is lost.
        if event == "c_call" or frame.f_code.co_flags & CO_GENERATOR:
            return
        self.passed += 1
        if self.passed == self.moment:
            sys.setprofile(None)
            raise KeyboardInterrupt


def interrupted(push, interrupter):
    """Whether the push was interrupted before it had ended by itself."""
    gc.disable()  # what hypothesis lets the collector call would swallow the interrupt
    try:
        sys.setprofile(interrupter)
        push()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
        gc.enable()
    return False


def moments(push):
    """As many as are asked for, from the first of a push to the end of it."""
    watch = Interrupter(-1)
    assert not interrupted(push, watch)
    return np.linspace(1, watch.passed, INTERRUPTS).astype(int).tolist()


def assert_same(found, expected):
    """Bit for bit."""
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, two)


def test_an_interrupted_stream_has_the_row_or_has_it_not(live):
    model, rows = live
    stream, twin = model.stream(late="skip"), model.stream()
    later, seen = iter(np.resize(rows, (4 * INTERRUPTS, rows.shape[1]))), set()
    clock, first = count(), next(later)
    for _ in range(model.rows + 3):
        row = next(later)
        stream.push(row, next(clock)), twin.push(row)
    every = moments(partial(stream.push, first, next(clock)))
    twin.push(first)
    for moment in every:
        row, taken, time = next(later), stream.count, next(clock)
        push = partial(stream.push, row, time)
        stopped = interrupted(push, Interrupter(moment))
        has_it = stream.count == taken + 1
        seen.add((stopped, has_it))
        assert stream.count in (taken, taken + 1)
        if has_it:
            twin.push(row)
        else:  # its time was not taken either
            assert_same(stream.push(row, time), twin.push(row))
        row = next(later)
        assert_same(stream.push(row, next(clock)), twin.push(row))
        assert stream.skipped == 0
    assert seen >= {(True, True), (True, False)}


def test_an_interrupted_bank_has_all_rows_or_none(live):
    model, rows = live
    bank, twin = model.bank(3), model.bank(3)
    ids = np.array([2, 0, 2, 1])
    later = iter(np.resize(rows, (4 * INTERRUPTS, len(ids), rows.shape[1])))
    seen = set()
    for _ in range(model.rows + 3):
        row = next(later)
        bank.push(ids, row), twin.push(ids, row)
    first = next(later)
    every = moments(partial(bank.push, ids, first))
    twin.push(ids, first)
    for moment in every:
        row, taken = next(later), bank.counts([0, 1, 2])
        stopped = interrupted(partial(bank.push, ids, row), Interrupter(moment))
        new = (bank.counts([0, 1, 2]) - taken).tolist()
        assert new in ([0, 0, 0], [1, 1, 2])
        seen.add((stopped, any(new)))
        if any(new):
            twin.push(ids, row)
        row = next(later)
        assert_same(bank.push(ids, row), twin.push(ids, row))
    assert seen >= {(True, True), (True, False)}


@pytest.mark.parametrize("kind", ["stream", "bank"])
def test_a_run_that_fails_leaves_everything_as_it_was(model, values, monkeypatch, kind):
    def push(live, row):
        return live.push(row) if kind == "stream" else live.push([0], row[None])

    def make():
        return model.stream() if kind == "stream" else model.bank(1)

    live, twin = make(), make()
    for row in values[:20]:
        push(live, row), push(twin, row)
    if kind == "stream":
        monkeypatch.setattr(live, "_run", lambda: 1 / 0)
    else:
        monkeypatch.setattr("regimetry.runtime.bank.run_gathered", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        push(live, values[300])
    monkeypatch.undo()
    assert_same(push(live, values[20]), push(twin, values[20]))
