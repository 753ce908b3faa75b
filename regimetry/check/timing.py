"""How long a model takes on this machine, by what is asked of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from regimetry.contract import OUTPUT_NAMES
from regimetry.parameters import require_integer
from regimetry.runtime.model import RegimeModel

SECONDS, STREAMS = 10, 1000

SETS: Mapping[str, tuple[str, ...]] = {
    "regime": ("regime",),
    "regime, novelty": ("regime", "novelty"),
    "embedding": ("embedding",),
    "all": OUTPUT_NAMES,
}
"""Outputs by what a table calls them; ``hindsight`` is of no use to live series.

A tick and a row of a bank have the regime in any case."""

_BLOCK_S = 0.01  # of the others' turn in between: what disturbs the machine disturbs all alike


class Figure(NamedTuple):
    """Times of one way to run a model for one set of outputs.

    Attributes
    ----------
    way : {"tick", "batch", "bank"}
    outputs : str
        One of :data:`SETS`.
    seconds_per_bar : ndarray of float64
        Of each call.
    """

    way: str
    outputs: str
    seconds_per_bar: Any

    def to_dict(self) -> dict[str, Any]:
        """Return the quantiles in microseconds per bar as plain data."""
        quantiles = 1e6 * np.percentile(self.seconds_per_bar, [50, 99, 99.9])
        return {
            "way": self.way,
            "outputs": self.outputs,
            "calls": len(self.seconds_per_bar),
            **dict(zip(("p50", "p99", "p99.9"), quantiles.round(3).tolist(), strict=True)),
        }


def time_model(
    path: str | PathLike[str],
    *,
    device: str = "auto",
    seconds: int = SECONDS,
    n_streams: int = STREAMS,
) -> dict[str, Any]:
    """Time ticks of a stream, a long series in batches, and pushes to a bank.

    Every bar is the same: a graph without control flow takes as long for any.

    Parameters
    ----------
    path : path
        Of a model file.
    device : str
        As for :func:`regimetry.load`.
    seconds : int
        About how long to measure; the sets of outputs take turns.
    n_streams : int
        Series of the bank.

    Returns
    -------
    dict
        Plain data, ready for JSON; ``figures`` has an entry for each way and set, in microseconds
        per bar.

    Raises
    ------
    ModelError, DeviceError
        As :func:`regimetry.load` raises them.
    ConfigError
        A number is not positive.
    """
    require_integer("seconds", seconds, 1)
    require_integer("streams", n_streams, 1)
    begun = time.perf_counter()
    model = RegimeModel(path, device=device).with_rules(resample=None)
    load_s = time.perf_counter() - begun
    windows = 16 * model._file.batch_size * model._file.threads
    row = np.ones(len(model.schema.feature_names))
    values = np.tile(row, (windows + model.rows - 1, 1))
    series: dict[str, Callable[[], object]] = {
        "regime": lambda: model.predict(values),
        "regime, novelty": lambda: model.label(values),
        "embedding": lambda: model.embed(values),
        "all": lambda: model.outputs(values),
    }
    ways: dict[str, tuple[int, dict[str, Callable[[], object]]]] = {
        "tick": (1, {name: _ticks(model, SETS[name], row) for name in SETS}),
        "batch": (windows, series),
        "bank": (n_streams, {name: _pushes(model, SETS[name], row, n_streams) for name in SETS}),
    }
    figures = [
        Figure(way, name, times / bars)
        for way, (bars, calls) in ways.items()
        for name, times in in_turns(calls, seconds / len(ways)).items()
    ]
    return {
        "file": str(path),
        "provider": model.device,
        "threads": model._file.threads,
        "load_ms": round(1e3 * load_s, 3),
        "series_bars": windows,
        "streams": n_streams,
        "figures": [figure.to_dict() for figure in figures],
    }


def in_turns(calls: Mapping[str, Callable[[], object]], seconds: float) -> dict[str, Any]:
    """Call each again and again, in blocks that take turns; return the seconds of each call."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not all(times.values()):
        for name, call in calls.items():
            block = time.perf_counter() + _BLOCK_S
            while True:
                start = time.perf_counter()
                call()
                now = time.perf_counter()
                times[name].append(now - start)
                if now > block:
                    break
    return {name: np.array(found) for name, found in times.items()}


def _ticks(model: RegimeModel, outputs: tuple[str, ...], row: Any) -> Callable[[], object]:
    stream = model.stream(outputs=outputs)
    while stream.push(row) is None:
        pass
    return lambda: stream.push(row)


def _pushes(
    model: RegimeModel, outputs: tuple[str, ...], row: Any, n_streams: int
) -> Callable[[], object]:
    bank, ids = model.bank(n_streams, outputs=outputs), np.arange(n_streams)
    rows = np.tile(row, (n_streams, 1))
    while not len(bank.push(ids, rows).ids):
        pass
    return lambda: bank.push(ids, rows)
