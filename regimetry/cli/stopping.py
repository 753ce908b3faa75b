"""SIGINT and SIGTERM as the normal end of a verb that would otherwise never end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class _Stopped(BaseException):
    """Not an error: no handler of errors may catch it."""


class Stop:
    """Whether a signal asked to stop: at once while waiting, after the work while working."""

    def __init__(self) -> None:
        self._asked = self._working = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Take a signal; a second one ends the work, too."""
        again, self._asked = self._asked, True
        if again or not self._working:
            raise _Stopped

    @contextmanager
    def working(self) -> Iterator[None]:
        """Mark a block that a first signal must not break."""
        self._working = True
        try:
            yield
        finally:
            self._working = False
        if self._asked:
            raise _Stopped


def until_stopped(work: Callable[[Stop], None]) -> None:
    """Run ``work`` until it returns or a signal stops it; then put the old handlers back."""
    stop = Stop()
    before: dict[int, Any] = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, stop.handle)
        work(stop)
    except _Stopped:
        pass
    finally:
        for old, handler in before.items():
            signal.signal(old, handler)
