"""Calls from several threads: the GIL is released, and nothing is corrupted."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from regimetry._core import follow, jump_path
from regimetry.windows import StreamBank, gather_windows, rolling_windows

HAS_GIL = getattr(sys, "_is_gil_enabled", lambda: True)()


def another_thread_runs_during(call, tries):
    """Whether a thread that waits for the GIL gets it while `call` is in C, in one of the tries.

    The interpreter is told not to take the GIL from a running thread, so the waiting one can only
    get it from a call that gives it up. Nothing is timed: a call that keeps the GIL fails every
    try, and one that gives it up has to be met once by a thread that is awake.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        for _ in range(tries):
            seen = []
            gate, ready = threading.Lock(), threading.Event()
            gate.acquire()

            def wait(gate=gate, ready=ready, seen=seen):
                ready.set()
                with gate:
                    seen.append(True)

            thread = threading.Thread(target=wait)
            thread.start()
            ready.wait()
            gate.release()
            call()
            met = bool(seen)  # read before anything here gives up the GIL itself
            thread.join()
            if met:
                return True
    finally:
        sys.setswitchinterval(interval)
    return False


RANDOM = np.random.default_rng(0)
VALUES = RANDOM.standard_normal((200_000, 8))
DISTANCE = np.abs(RANDOM.standard_normal((300_000, 5)))


def long_calls():
    out = np.empty((100_000, 16, 8), dtype=np.float32)
    starts = np.arange(100_000)
    bank = StreamBank(20_000, 8, 8)
    ids = np.tile(np.arange(20_000), 5)
    return {
        "gather_windows": lambda: gather_windows(VALUES, starts, out),
        "StreamBank.stage": lambda: bank.stage(ids, VALUES[: len(ids)]),
        "StreamBank.commit": lambda: bank.commit(ids, VALUES[: len(ids)]),
        "StreamBank.snapshot": lambda: StreamBank(100_000, 30, 8).snapshot(),
        "follow": lambda: follow(DISTANCE, None, 1.0, 1.0, 1.0, 1.0),
        "jump_path": lambda: jump_path(DISTANCE, 1.0),
    }


@pytest.mark.skipif(not HAS_GIL, reason="this interpreter has no GIL to release")
@pytest.mark.parametrize("name", sorted(long_calls()))
def test_the_gil_is_released(name):
    assert another_thread_runs_during(long_calls()[name], tries=100)


@pytest.mark.skipif(not HAS_GIL, reason="this interpreter has no GIL to release")
def test_the_proof_of_it_can_fail():
    def keeps_the_gil():
        for _ in range(20_000):
            rolling_windows(VALUES, 60)

    assert not another_thread_runs_during(keeps_the_gil, tries=3)


def run_in_threads(work, n=4):
    """Run work(0) ... work(n - 1) at once; raise what one of them raised."""
    barrier = threading.Barrier(n)

    def start(number):
        barrier.wait()
        work(number)

    with ThreadPoolExecutor(n) as pool:
        list(pool.map(start, range(n)))


def test_a_bank_survives_many_threads():
    bank = StreamBank(400, 8, 4)

    def work(number):
        ids = np.random.default_rng(number).permutation(400)
        rows = np.full((400, 4), float(number))
        for _ in range(40):
            _, windows = bank.stage(ids, rows, 2)
            bank.commit(ids, rows)
            assert (windows == windows[..., :1]).all()
            bank.snapshot()
            bank.counts(ids)

    run_in_threads(work)
    assert (bank.counts(np.arange(400)) == 4 * 40).all()


def test_a_bank_closed_under_its_users_refuses_them():
    bank = StreamBank(100, 8, 4)
    refusals = []

    def work(number):
        if number == 0:
            for _ in range(20):
                bank.snapshot()
            bank.close()
            return
        try:
            while True:
                bank.commit(np.arange(100), np.ones((100, 4)))
        except ValueError as error:
            refusals.append(str(error))

    run_in_threads(work)
    assert len(refusals) == 3
    assert all("the bank is closed" in text for text in refusals)
