import os
import threading

import pytest

from regimetry.errors import RegimetryError
from regimetry.runtime.process_lock import ProcessLock


def holding(lock, taken, done):
    with lock.free():
        taken.set()
        done.wait(10)


def test_it_excludes_other_threads():
    lock, taken, done = ProcessLock(), threading.Event(), threading.Event()
    other = threading.Thread(target=holding, args=(lock, taken, done))
    with lock.free():
        other.start()
        assert not taken.wait(0.05)
    assert taken.wait(5)
    done.set()
    other.join(5)


def test_a_call_from_within_is_told_so():
    lock = ProcessLock()
    with lock.free(), pytest.raises(RegimetryError, match="from a finaliser or a signal handler"):
        lock.free()
    with lock.free():
        pass


@pytest.mark.parametrize("holds", [False, True])
def test_a_child_finds_it_free_unless_it_holds_it_itself(holds):
    lock, taken, done = ProcessLock(), threading.Event(), threading.Event()
    other = threading.Thread(target=holding, args=(lock, taken, done))
    if holds:
        with lock.free():
            code = _free_in_child(lock)
    else:
        other.start()
        taken.wait(5)
        code = _free_in_child(lock)
        done.set()
        other.join(5)
    assert code == (1 if holds else 0)


def _free_in_child(lock):
    pid = os.fork()
    if pid == 0:
        try:
            with lock.free():
                os._exit(0)
        except RegimetryError:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
