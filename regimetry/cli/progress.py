"""A progress bar with the time left, only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

Advance = Callable[[int], None]
"""Takes how many more are done; from any thread."""


@contextmanager
def progress(
    total: int, text: str, unit: str, *, done: int = 0, after_s: float = 1.0
) -> Iterator[Advance]:
    """Show a bar on standard error while the block runs; nothing where that is no terminal.

    Parameters
    ----------
    total : int
    text : str
        What is done.
    unit : str
        What is counted.
    done : int
        How many are done before the block begins.
    after_s : float
        Seconds after which the bar appears: what is done sooner needs none.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda count: None
        return
    from tqdm import tqdm

    lock = Lock()
    with tqdm(
        total=total,
        initial=done,
        desc=text,
        unit=unit,
        delay=after_s,
        leave=False,
        dynamic_ncols=True,
    ) as bar:

        def advance(count: int) -> None:
            with lock:
                bar.update(count)

        yield advance


def close_bars() -> None:
    """Take every bar off the screen, so that a message begins on a line of its own."""
    module = sys.modules.get("tqdm")
    for bar in list(getattr(getattr(module, "tqdm", None), "_instances", ())):
        bar.close()
