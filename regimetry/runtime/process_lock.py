"""A lock that a forked child never finds held by a thread that it does not have."""

from __future__ import annotations

import os
import threading


class ProcessLock:
    """A lock for the threads of one process; each process forked from it begins with a free one."""

    def __init__(self) -> None:
        self._locks: dict[int, threading.Lock] = {}

    def __enter__(self) -> None:
        self._locks.setdefault(os.getpid(), threading.Lock()).acquire()

    def __exit__(self, *_: object) -> None:
        self._locks[os.getpid()].release()
