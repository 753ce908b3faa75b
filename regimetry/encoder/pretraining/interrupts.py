"""SIGINT and SIGTERM as the end of a pretraining: a first one lets it finish what it is at."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

_NOTE = b"\nEnds after this chunk of series. Once more: at once, as the last checkpoint is.\n"


@contextmanager
def ended_by_signals() -> Iterator[Event]:
    """Yield an event that a first signal sets; a second one has its usual effect."""
    asked = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number: int, frame: FrameType | None) -> None:
        asked.set()
        put_back()
        os.write(2, _NOTE)  # print could meet itself here

    try:
        for number in before:
            signal.signal(number, handle)
        yield asked
    finally:
        put_back()
