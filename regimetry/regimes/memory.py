"""How much memory a fit needs, estimated before it is taken."""

from __future__ import annotations

import os
from pathlib import Path

from regimetry.errors import DataError

GIB = 1 << 30

_MATRICES = 5  # landmarks x landmarks in float64 at once: distances, affinity, the solver's two
_BLOCKS = 4  # of BLOCK_ENTRIES, while windows are mapped

BLOCK_ENTRIES = 1 << 23
"""Entries of one block of windows against landmarks: 64 MiB in float64."""


def block_rows(width: int) -> int:
    """Return how many rows of ``width`` entries are mapped at once; bounds memory, not results."""
    return max(1, BLOCK_ENTRIES // max(width, 1))


def fit_bytes(n_windows: int, embedding_size: int, n_landmarks: int) -> int:
    """Estimate what a fit takes on top of the series and the encoder; at most that.

    Parameters
    ----------
    n_windows, embedding_size, n_landmarks : int
        N, D, M.

    Returns
    -------
    int
        Bytes: embeddings of Keras and of the graph, whitened embeddings and results of every
        window, matrices of the landmarks, blocks.
    """
    landmarks = min(n_landmarks, n_windows)
    per_window = 2 * 4 * embedding_size + 3 * 8 * min(embedding_size, 32) + 256
    return n_windows * per_window + 8 * (_MATRICES * landmarks**2 + _BLOCKS * BLOCK_ENTRIES)


def available_bytes() -> int | None:
    """Return the memory that can be taken without swapping; None where the system does not say.

    The least of what the machine has left and what the process's control group may still take.
    """
    found = [size for size in (_of_machine(), _of_group()) if size is not None]
    return min(found, default=None)


def _of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(x.split()[1]) * 1024 for x in lines if x.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def _of_group() -> int | None:
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        lines = (folder / "memory.stat").read_text().splitlines()
        sizes = {name: int(size) for name, size in map(str.split, lines)}
        # Files in the cache count as used, and give way.
        cache = sum(sizes.get(name, 0) for name in ("inactive_file", "active_file"))
        return None if limit == "max" else max(0, int(limit) - used + cache)
    except (OSError, ValueError, StopIteration):
        return None


def require_memory(
    n_windows: int, embedding_size: int, n_landmarks: int, *, available: int | None = None
) -> None:
    """Refuse a fit that needs more memory than there is.

    Parameters
    ----------
    n_windows, embedding_size, n_landmarks : int
        N, D, M.
    available : int or None
        Bytes that may be taken; ``None`` asks the system, and allows all where it does not say.

    Raises
    ------
    DataError
        With what was needed, what is there, and the number of landmarks that would fit, if any.
    """
    available = available_bytes() if available is None else available
    needed = fit_bytes(n_windows, embedding_size, n_landmarks)
    if available is None or needed <= available:
        return
    rest = available - fit_bytes(n_windows, embedding_size, 0)
    fits = int((rest / (8 * _MATRICES)) ** 0.5) if rest > 0 else 0
    remedy = (
        f"Set n_landmarks to {fits} or less"
        if fits >= min(n_landmarks, 100)
        else f"Give fewer rows, a smaller embedding than {embedding_size}"
    )
    raise DataError(
        f"A fit on {n_windows} windows with {min(n_landmarks, n_windows)} landmarks needs "
        f"{needed / GIB:.2f} GiB; {available / GIB:.2f} GiB are available. {remedy}, or use a "
        "machine with more memory."
    )
