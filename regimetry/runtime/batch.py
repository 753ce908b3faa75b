"""Windows through a session in chunks, so that memory does not grow with N * W * F."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import INPUT_NAME

CHUNK = 64
"""Windows a call. More is slower on a CPU, whose caches the intermediate results then leave."""


def run_windows(
    session: Any, windows: NDArray[np.floating], outputs: Sequence[str], *, chunk: int = CHUNK
) -> list[NDArray[Any]]:
    """Run windows through the graph.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    windows : ndarray of float, shape (N, R, F)
        A view will do: each chunk is copied to one float32 buffer.
    outputs : sequence of str
        Which outputs to compute; the graph's other branches are skipped where they can be.
    chunk : int
        Windows of one call.

    Returns
    -------
    list of ndarray
        One array of N rows for each output.
    """
    count = len(windows)
    buffer = np.empty((min(chunk, count), *windows.shape[1:]), dtype=np.float32)
    results: list[NDArray[Any]] = []
    for start in range(0, count, chunk):
        part = windows[start : start + chunk]
        batch = buffer[: len(part)]
        np.copyto(batch, part, casting="same_kind")
        for number, array in enumerate(session.run(list(outputs), {INPUT_NAME: batch})):
            if start == 0:
                results.append(np.empty((count, *array.shape[1:]), dtype=array.dtype))
            results[number][start : start + len(part)] = array
    return results
