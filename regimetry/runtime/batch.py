"""A whole series through a session, in batches, so that memory does not grow with N * W * F."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.runtime.binding import bind
from regimetry.runtime.ending import running
from regimetry.runtime.shared_session import SharedSession
from regimetry.windows import gather_windows

BATCH_SIZE = 64
"""Windows a run. More is slower on a CPU, whose caches the intermediate results then leave."""


LEAST_ROWS = 4
"""Windows of a run at least.

onnxruntime's kernels take four rows at once and the last one to three by another path, which rounds
otherwise: the outputs of the last windows would change by a bit or so once others follow.
"""


def run_windows(
    session: SharedSession,
    values: NDArray[np.floating],
    names: Sequence[str],
    *,
    starts: NDArray[np.int64] | None = None,
    threads: int = 1,
    batch_size: int = BATCH_SIZE,
    advance: Advance | None = None,
) -> dict[str, NDArray[Any]]:
    """Run the windows of a series, or of several behind each other, through the graph.

    Each thread gathers a batch of windows into its own buffer, runs it and copies its results out;
    while one gathers, others compute. The results do not depend on how many there are, and
    on a CPU those of a window not on the windows behind it, bit by bit.

    Parameters
    ----------
    session : SharedSession
    values : ndarray of float32 or float64, shape (T, F)
        Any layout; memory-mapped files are read as the batches come to them.
    names : sequence of str
        Which outputs to keep.
    starts : ndarray of int64, shape (N,), or None
        First row of each window; ``None`` takes every row that a full window begins with.
    threads : int
        Batches at once. 1 starts no thread.
    batch_size : int
        Windows of one run.
    advance : callable or None
        Called with the number of windows of each run when it is done, by the thread that ran it.

    Returns
    -------
    dict of str to ndarray
        One array of N rows for each name; N is T - R + 1 without ``starts``.
    """
    rows, _ = session.input_shape
    begins = np.arange(len(values) - rows + 1) if starts is None else starts

    def fill(first: int, windows: NDArray[np.float32]) -> None:
        gather_windows(values, begins[first : first + len(windows)], windows)

    return _run(
        session, len(begins), fill, names, threads=threads, batch_size=batch_size, advance=advance
    )


def run_gathered(
    session: SharedSession,
    windows: NDArray[np.floating],
    names: Sequence[str],
    *,
    threads: int = 1,
    batch_size: int = BATCH_SIZE,
) -> dict[str, NDArray[Any]]:
    """Run windows (N, R, F) that are already cut.

    Parameters and result are those of :func:`run_windows`, with N rows.
    """

    def fill(first: int, batch: NDArray[np.float32]) -> None:
        np.copyto(batch, windows[first : first + len(batch)], casting="same_kind")

    return _run(session, len(windows), fill, names, threads=threads, batch_size=batch_size)


Advance = Callable[[int], None]
"""Takes how many more windows are done."""

_Fill = Callable[[int, NDArray[np.float32]], None]
"""Writes as many windows as there is room for, from the first on."""


def _run(
    session: SharedSession,
    count: int,
    fill: _Fill,
    names: Sequence[str],
    *,
    threads: int,
    batch_size: int,
    advance: Advance | None = None,
) -> dict[str, NDArray[Any]]:
    outputs = session.empty_outputs(count, names)
    starts = iter(range(0, count, batch_size))  # shared: each thread takes the next

    def work() -> None:
        room = _Room(session, min(batch_size, max(count, LEAST_ROWS)), names)
        for start in starts:
            for first, size in pieces(start, min(start + batch_size, count), batch_size):
                for name, rows in room.run(fill, first, size).items():
                    outputs[name][first : first + size] = rows
                if advance is not None:
                    advance(size)

    threads = 1 if session.device_id is not None else min(threads, -(-count // batch_size))
    with running():
        if threads <= 1:
            work()
            return outputs
        with ThreadPoolExecutor(threads) as pool:
            futures = [pool.submit(work) for _ in range(threads)]
            try:
                for future in futures:
                    future.result()
            finally:
                for _ in starts:  # after a failure nobody starts another batch
                    pass
    return outputs


class _Room:
    """Where one thread's batches lie, each size bound once.

    Binding takes longer than to copy the results out, and of a part of the graph that labels alone
    need, an eighth of the run.
    """

    def __init__(self, session: SharedSession, size: int, names: Sequence[str]) -> None:
        self._session = session
        self._windows = np.empty((size, *session.input_shape), np.float32)
        self._outputs = session.empty_outputs(size, names)
        self._runs: dict[int, Callable[[], None]] = {}

    def run(self, fill: _Fill, first: int, size: int) -> dict[str, NDArray[Any]]:
        """Run windows from the first on, at least :data:`LEAST_ROWS`, and view their results."""
        rows = max(size, min(LEAST_ROWS, len(self._windows)))
        windows = self._windows[:rows]
        fill(first, windows[:size])
        windows[size:] = windows[0]
        if rows not in self._runs:
            places = {name: array[:rows] for name, array in self._outputs.items()}
            self._runs[rows] = bind(self._session, windows, places)
        self._runs[rows]()
        return {name: array[:size] for name, array in self._outputs.items()}


def pieces(first: int, end: int, batch_size: int) -> Iterator[tuple[int, int]]:
    """Cut windows ``first`` to ``end`` into runs of few different sizes; yield start and size.

    The sizes are ``batch_size``, the powers of two below it, and the rest, if any, that is less
    than :data:`LEAST_ROWS`. onnxruntime keeps a memory plan for every size it has seen, so these
    alone keep its memory flat; padding to such sizes instead would compute windows that nobody
    asked for.
    """
    while first < end:
        size = end - first
        if size >= batch_size:
            size = batch_size
        elif size >= LEAST_ROWS:
            size = 1 << (size.bit_length() - 1)
        yield first, size
        first += size
