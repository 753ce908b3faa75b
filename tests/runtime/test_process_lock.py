import os
import threading

from regimetry.runtime.process_lock import ProcessLock


def test_it_excludes_other_threads():
    lock, inside = ProcessLock(), threading.Event()
    other = threading.Thread(target=lambda: [lock.__enter__(), inside.set(), lock.__exit__()])
    with lock:
        other.start()
        assert not inside.wait(0.05)
    other.join(5)
    assert inside.is_set()


def test_a_child_finds_it_free(monkeypatch):
    lock = ProcessLock()
    with lock:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with lock:
            pass
        monkeypatch.undo()
