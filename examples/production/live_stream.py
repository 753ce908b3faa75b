"""One live series: score every bar as it closes, survive a restart, act on a change of regime.

    python examples/production/live_stream.py models/sp500.onnx spx.csv

The CSV plays the feed; `regimetry sample sp500 -o spx.csv` writes one. Needs numpy and onnxruntime.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import regimetry as rg


def bars(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, list[float]]]:
    """Yield (date, values in the model's order), one bar at a time."""
    with path.open(newline="", encoding="utf-8") as file:
        for record in csv.DictReader(file):
            yield record["date"], [float(record[name]) for name in columns]


def follow(model: rg.RegimeModel, feed: Iterator[tuple[str, list[float]]], state: Path) -> int:
    """Push every bar, print changes of regime, and keep the state on disk; return the bars read."""
    names = [regime.name for regime in model.contract.regimes]
    stream = model.stream(late="skip")  # a feed that reconnects repeats bars; they are left out
    if state.exists():
        with np.load(state) as snapshot:
            stream.restore(snapshot)
    before: int | None = None
    durations, count = [], 0
    for date, row in feed:
        started = time.perf_counter()
        tick = stream.push(row, np.datetime64(date))
        durations.append(time.perf_counter() - started)
        count += 1
        if tick is None:  # the first window is not full yet, or the bar came late
            continue
        if tick.regime != before:
            sure = tick.probability[tick.regime]
            print(
                f"{date}  {names[tick.regime]}  probability {sure:.2f}  novelty {tick.novelty:.2f}"
            )
        before = tick.regime
        if count % 500 == 0:
            np.savez(state, **stream.snapshot())
    np.savez(state, **stream.snapshot())
    if durations:
        median, worst = np.percentile(durations, [50, 99]) * 1e6
        print(
            f"{count} bars; a tick took {median:.0f} us, one in a hundred more than {worst:.0f} us"
        )
    return count


def main() -> None:
    """Play the file twice: the second half in what would be a new process after a crash."""
    model = rg.load(sys.argv[1], device="cpu")
    feed = list(bars(Path(sys.argv[2]), model.contract.schema.names))
    half = len(feed) // 2
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.npz"
        follow(model, iter(feed[:half]), state)
        print("-- restart; the feed repeats its last ten bars --")
        follow(model, iter(feed[half - 10 :]), state)


if __name__ == "__main__":
    main()
