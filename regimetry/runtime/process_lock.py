"""Locks that neither a fork, nor the end of Python, nor a call from within leaves hanging."""

from __future__ import annotations

import os
import threading
from typing import Any
from weakref import WeakSet

from regimetry.errors import RegimetryError
from regimetry.runtime.ending import at_end, seconds_left, stay


class ProcessLock:
    """A lock for the threads of one process: ``with lock.free():``.

    A process that is forked begins with a free one, unless the thread that forks holds it. A thread
    that holds it and asks again is told so: a finaliser or a signal handler has called from within.
    When Python ends, it waits for the thread that holds it, and lets no other in.
    """

    __slots__ = ("__weakref__", "_raw")

    def __init__(self) -> None:
        self._renew()
        _LOCKS.add(self)
        stay()

    def free(self) -> Any:
        """Return what ``with`` takes: Python's own lock, which a signal cannot leave taken.

        Raises
        ------
        RegimetryError
            This thread holds it.
        """
        if self._raw._is_owned():
            raise RegimetryError(
                "This call comes from within another one of the same thread that is not done yet, "
                "from a finaliser or a signal handler; or Python is ending. Leave what is to be "
                "done there to the program's own loop, for example by a queue."
            )
        return self._raw

    def _renew(self) -> None:
        self._raw: Any = threading.RLock()


_LOCKS: WeakSet[ProcessLock] = WeakSet()


def _in_child() -> None:
    for lock in tuple(_LOCKS):
        if not lock._raw._is_owned():
            lock._renew()


@at_end
def _keep() -> None:
    for lock in tuple(_LOCKS):
        lock._raw.acquire(timeout=seconds_left())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
