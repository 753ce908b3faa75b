"""What a tick and a series cost by what is asked for: ``python -m benchmarks.outputs``.

On the shipped model, whose single bars tell the regimes, on one core. A figure and its reference
take turns in one run; each is the median of five repeats.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

import regimetry as rg
from benchmarks.machine import describe_machine
from benchmarks.runtime import LONG_RUN, MEMORY, python
from benchmarks.runtime_timing import BATCH, in_turns
from regimetry.check.timing import SETS
from regimetry.contract import OUTPUT_NAMES
from regimetry.runtime.graphfile import GraphFile
from regimetry.runtime.live_outputs import needed
from regimetry.runtime.part import cut
from regimetry.series.samples import market_sample
from regimetry.windows import gather_windows

MODEL = Path(__file__).parents[1] / "models/sp500.onnx"
REPEATS, TICKS, BLOCK = 5, 4000, 200
BARS = 256 * BATCH

Times = dict[str, np.ndarray]


def open_part(names: tuple[str, ...]) -> onnxruntime.InferenceSession:
    """Open the part of the graph that leads to some outputs as anyone would, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    content = cut(GraphFile.read(MODEL), names)
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def ticks(model: rg.RegimeModel, values: np.ndarray) -> list[Times]:
    """Time a tick and the bare run of its part, by what is asked for; seconds, each repeat."""
    actions: dict[str, Callable[[int], object]] = {}
    window = np.ascontiguousarray(values[None, : model.rows], np.float32)
    for name, outputs in SETS.items():
        stream, session = model.stream(outputs=outputs), open_part(needed(outputs))
        for row in values[: 2 * model.rows]:
            stream.push(row)
        actions[f"bare {name}"] = lambda _, session=session: session.run(None, {"window": window})
        actions[name] = lambda n, stream=stream: stream.push(values[n % len(values)])
    in_turns(actions, BLOCK, BLOCK)
    return [in_turns(actions, TICKS, BLOCK) for _ in range(REPEATS)]


def series(model: rg.RegimeModel, values: np.ndarray) -> list[Times]:
    """Time a long series by what is asked for, and bare runs of its windows; seconds."""
    bars = np.resize(values, (BARS + model.rows - 1, values.shape[1]))
    windows = np.empty((BARS, model.rows, values.shape[1]), np.float32)
    gather_windows(bars, np.arange(BARS), windows)

    def bare(names: tuple[str, ...]) -> Callable[[int], object]:
        session = open_part(names)

        def run(_: int) -> None:
            for first in range(0, BARS, BATCH):
                session.run(None, {"window": windows[first : first + BATCH]})

        return run

    cheap: dict[str, Callable[[int], object]] = {
        "bare": bare(("distance",)),
        "predict": lambda _: model.predict(bars),
        "label": lambda _: model.label(bars),
    }
    dear: dict[str, Callable[[int], object]] = {
        "whole": bare(OUTPUT_NAMES),
        "embed": lambda _: model.embed(bars),
        "outputs": lambda _: model.outputs(bars),
    }
    in_turns({**cheap, **dear}, 1, 1)
    return [{**in_turns(cheap, 25, 1), **in_turns(dear, 3, 1)} for _ in range(REPEATS)]


def quantile(repeats: list[Times], name: str, share: float = 50) -> float:
    """Return the median over the repeats of a quantile of an action, in microseconds."""
    return 1e6 * float(np.median([np.percentile(times[name], share) for times in repeats]))


def ratio(repeats: list[Times], above: str, below: str, share: float = 50) -> float:
    """Return the median over the repeats of a quantile of one action over p50 of another."""
    found = [np.percentile(times[above], share) / np.median(times[below]) for times in repeats]
    return float(np.median(found))


def measure() -> None:
    """Measure and print."""
    machine = describe_machine()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    model = rg.load(MODEL, threads=1, device="cpu")
    values = market_sample("sp500")[list(model.schema.names)].to_numpy()
    tick, long = ticks(model, values), series(model, values)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "values.npy"
        np.save(path, values)
        grown = int(python(MEMORY, MODEL, path, "ticks", LONG_RUN)) / 2**20

    print(f"Measured on {machine}; on one CPU.\n")
    print("| microseconds per tick | p50 | p99 | p99.9 | bare run, p50 | p99 | p99.9 |")
    print("|---|---|---|---|---|---|---|")
    for name in SETS:
        cells = [
            f"{quantile(tick, which, share):.1f}"
            for which in (name, f"bare {name}")
            for share in (50, 99, 99.9)
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    print("\n| microseconds per bar of a series | |\n|---|---|")
    for name, text in (
        ("predict", "`predict`"),
        ("bare", "bare run of its part"),
        ("label", "`label`"),
        ("embed", "`embed`"),
        ("outputs", "`outputs`, all of them"),
        ("whole", "bare run of the whole graph"),
    ):
        print(f"| {text} | {quantile(long, name) / BARS:.2f} |")

    print("\n| figure | target | measured |\n|---|---|---|")
    for name, most in (("regime", 1.4), ("regime, novelty", 1.25)):
        of_bare = ratio(tick, name, f"bare {name}")
        print(f"| a tick, {name}: of the bare run of its part | <= {most} | {of_bare:.2f} |")
    for name in ("regime", "regime, novelty"):
        spread, bare = (ratio(tick, which, which, 99) for which in (name, f"bare {name}"))
        print(
            f"| a tick, {name}: p99 of p50 (of the bare run) | <= 2 | {spread:.2f} ({bare:.2f}) |"
        )
    less, faster = ratio(tick, "all", "regime"), ratio(long, "whole", "predict")
    print(f"| a tick with all outputs, of one with the regime alone | >= 4.5 | {less:.1f} |")
    print(f"| `predict`, times faster than the whole graph | >= 20 | {faster:.1f} |")
    share = ratio(long, "bare", "predict")
    print(f"| `predict`, throughput of the bare run of its part | >= 95 % | {share:.1%} |")
    print(f"| resident memory over {LONG_RUN:,} ticks | <= 2 MiB | {grown:.2f} MiB |")


if __name__ == "__main__":
    measure()
