"""Chunks of series, drawn in other processes while the network learns from earlier ones."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Collection, Generator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context, parent_process

from regimetry.encoder.pretraining.batches import Batch, draw_chunk, sizes_of

_AHEAD = 4  # chunks of each worker that are drawn before they are needed


def chunks(
    seed: int, first: int, *, without: Collection[str], workers: int
) -> Generator[list[Batch]]:
    """Draw one chunk after the other, the same whatever the workers, until one of these is killed.

    Parameters
    ----------
    seed : int
    first : int
        Number of the first one.
    without : collection of str
        Aspects that no series has.
    workers : int
        Processes that draw, which end with this one; 0: this one draws.
    """
    draw = partial(draw_chunk, seed, without=without)
    numbers = itertools.count(first)
    if workers == 0:
        for number in numbers:
            yield draw(number, sizes_of(number))
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin_worker)
    ahead: deque[Future[list[Batch]]] = deque()
    try:
        for number in numbers:
            ahead.append(pool.submit(draw, number, sizes_of(number)))
            if len(ahead) > _AHEAD * workers:
                yield ahead.popleft().result()
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    """Give way to the training, leave Ctrl-C to the parent, and end where it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        os.nice(5)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
