"""What one window costs in production: the graph of an encoder alone, a window at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from threadpoolctl import threadpool_limits

from benchmarks.encoders.features import UNTRAINED
from benchmarks.runtime_timing import in_turns
from regimetry.encoder.pretraining.config import PretrainedEncoder
from regimetry.export.assemble import assemble_encoder
from regimetry.fit.encoder import encoder_reach, fit_encoder
from regimetry.fit.options import FitOptions
from regimetry.windows import Windows, rolling_windows

SIZES = (10, 20, 40, 80, 160)
CHANNELS = 4

_ROWS = 2000
_COUNT, _BLOCK = 500, 20

Ticks = dict[int, dict[str, float]]
"""Median seconds of a window, by window size and features."""


@threadpool_limits.wrap(limits=1)
def time_ticks(
    features: Sequence[str], weights: Path | None = None, sizes: Sequence[int] = SIZES
) -> Ticks:
    """Time the graphs of features that the product can write, in turns, on one thread.

    Parameters
    ----------
    features : sequence of str
    weights : Path or None
        Of the pretrained encoder.
    sizes : sequence of int
        W of each measurement.
    """
    encoders = {
        "pretrained": PretrainedEncoder(weights),
        "convolutions": replace(UNTRAINED, convolutions="alone"),
        "untrained": UNTRAINED,
    }
    rows = np.random.default_rng(0).standard_normal((_ROWS, CHANNELS)).astype(np.float32)
    found: Ticks = {}
    for size in sizes:
        actions = {}
        for name in [name for name in encoders if name in features]:
            options = FitOptions(encoder=encoders[name])
            windows = Windows.of(rolling_windows(rows, size + encoder_reach(options, size)))
            graph = assemble_encoder(fit_encoder(options, windows, size).part)
            actions[name] = _Run(graph.SerializeToString(), windows)
        times = in_turns(actions, _COUNT, _BLOCK)
        found[size] = {name: float(np.median(seconds)) for name, seconds in times.items()}
    return found


class _Run:
    """Runs a graph on one window after the other."""

    def __init__(self, graph: bytes, windows: Windows) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self._windows = [np.ascontiguousarray(window[None]) for window in windows.series[0][:64]]

    def __call__(self, number: int) -> None:
        self._session.run(None, {"window": self._windows[number % len(self._windows)]})
