"""The end of Python: what runs outside of it is waited for, and nothing more begins.

Python up to 3.13 ends a daemon thread that comes back from a library while Python itself ends, by
unwinding its stack; in onnxruntime this aborts the process.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_S = 10.0
"""How long the end of Python waits for what runs."""

_RUNNING: set[object] = set()
_ENDS: list[Callable[[], None]] = []
_until: float | None = None


def at_end(function: Callable[[], None]) -> Callable[[], None]:
    """Call a function when Python begins to end."""
    _ENDS.append(function)
    return function


def seconds_left() -> float:
    """Return how long the end of Python still waits."""
    return PATIENCE_S if _until is None else max(0.0, _until - time.monotonic())


def stay() -> None:
    """Wait for ever if Python ends and this is not the thread that ends it."""
    if _until is not None and threading.current_thread() is not threading.main_thread():
        threading.Event().wait()


@contextmanager
def running() -> Iterator[None]:
    """Mark a block in which this thread may be outside of Python."""
    mark = object()
    try:
        _RUNNING.add(mark)
        if _until is not None:
            _RUNNING.discard(mark)
            stay()
        yield
    finally:
        _RUNNING.discard(mark)


@atexit.register
def _end() -> None:
    global _until  # noqa: PLW0603
    _until = time.monotonic() + PATIENCE_S
    for function in _ENDS:
        function()
    while _RUNNING and seconds_left():
        time.sleep(0.001)
