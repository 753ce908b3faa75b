"""A whole series through a session, in batches, so that memory does not grow with N * W * F."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.runtime.binding import bind
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

    Each thread gathers a batch of windows into its own buffer and runs it into its rows of the
    results; while one gathers, others compute. The results do not depend on how many there are, and
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
    rows, n_features = session.input_shape
    if starts is None:
        starts = np.arange(len(values) - rows + 1)

    def source() -> _Source:
        buffer = np.empty((min(batch_size, len(starts)), rows, n_features), np.float32)

        def gather(first: int, size: int) -> NDArray[np.float32]:
            gather_windows(values, starts[first : first + size], buffer[:size])
            return buffer[:size]

        return gather

    return _run(
        session, len(starts), source, names, threads=threads, batch_size=batch_size, advance=advance
    )


def run_gathered(
    session: SharedSession,
    windows: NDArray[np.floating],
    names: Sequence[str],
    *,
    threads: int = 1,
    batch_size: int = BATCH_SIZE,
) -> dict[str, NDArray[Any]]:
    """Run windows (N, R, F) that are already cut; those that are dense float32 are not copied.

    Parameters and result are those of :func:`run_windows`, with N rows.
    """

    def source() -> _Source:
        return lambda first, size: np.ascontiguousarray(windows[first : first + size], np.float32)

    return _run(session, len(windows), source, names, threads=threads, batch_size=batch_size)


Advance = Callable[[int], None]
"""Takes how many more windows are done."""

_Source = Callable[[int, int], NDArray[np.float32]]
"""Gives ``size`` windows from ``first`` on; they stay until it is asked again."""


def _run(
    session: SharedSession,
    count: int,
    source: Callable[[], _Source],
    names: Sequence[str],
    *,
    threads: int,
    batch_size: int,
    advance: Advance | None = None,
) -> dict[str, NDArray[Any]]:
    outputs = session.empty_outputs(count, names)
    starts = iter(range(0, count, batch_size))  # shared: each thread takes the next

    def work() -> None:
        windows_from = source()
        for start in starts:
            for first, size in pieces(start, min(start + batch_size, count), batch_size):
                rows = {name: array[first : first + size] for name, array in outputs.items()}
                if size < LEAST_ROWS <= batch_size:
                    _run_few(session, windows_from(first, size), rows)
                else:
                    bind(session, windows_from(first, size), rows)()
                if advance is not None:
                    advance(size)

    threads = 1 if session.device_id is not None else min(threads, -(-count // batch_size))
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


def _run_few(
    session: SharedSession, windows: NDArray[np.float32], rows: dict[str, NDArray[Any]]
) -> None:
    """Run fewer than :data:`LEAST_ROWS` windows as that many."""
    full = {name: np.empty((LEAST_ROWS, *row.shape[1:]), row.dtype) for name, row in rows.items()}
    bind(session, np.resize(windows, (LEAST_ROWS, *windows.shape[1:])), full)()
    for name, row in rows.items():
        row[:] = full[name][: len(row)]


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
