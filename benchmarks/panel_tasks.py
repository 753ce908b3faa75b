"""The tasks that :mod:`benchmarks.panel` times, each in a separate process: ``run(NAME, ...)``.

Imports are those of the task, so that the peak of memory is the task's.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import peak_bytes

N_FEATURES = 8
BATCH = 64
SEED = 7


def run(task: str, *arguments: Any) -> dict[str, Any]:
    """Run a task in a fresh process and return what it prints."""
    command = [sys.executable, "-m", "benchmarks.panel_tasks", task, *map(str, arguments)]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(output.splitlines()[-1])


def fit(path: str) -> dict[str, Any]:
    """Fit and save the model: the default encoder, untrained, on eight features."""
    import regimetry as rg

    two = [rg.simulate("s5", n_rows=3000, seed=seed).values for seed in (SEED, SEED + 1)]
    values = np.column_stack([*two, two[0][:, :1] * two[1][:, :1], two[0][:, 1:2]])
    detector = rg.RegimeDetector(n_regimes=3, objective=None, random_state=0)
    detector.fit(values[:, :N_FEATURES]).save(path)
    return {}


def write(folder: str, instruments: str, bars: str, files: str) -> dict[str, Any]:
    """Write a panel: instruments one after the other, spread over files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    count, length = int(instruments), int(bars)
    generator = np.random.default_rng(SEED)
    Path(folder).mkdir(parents=True)
    times = np.datetime64("2015-01-01", "us") + np.arange(length) * np.timedelta64(1, "D")
    for number, mine in enumerate(np.array_split(np.arange(count), int(files))):
        schema, writer = None, None
        for instrument in mine.tolist():
            noise = generator.standard_normal((length, N_FEATURES))
            calm = np.repeat(generator.random(length // 50 + 1) < 0.5, 50)[:length, None]
            values = noise * np.where(calm, 0.5, 1.5)
            table = pa.table(
                {
                    "symbol": pa.array([f"I{instrument:05d}"] * length),
                    "date": times,
                    **{f"x{i}": values[:, i] for i in range(N_FEATURES)},
                }
            )
            if writer is None:
                schema = table.schema
                writer = pq.ParquetWriter(Path(folder) / f"{number:05d}.parquet", schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()
    return {}


def predict(folder: str, model: str, output: str, threads: str) -> dict[str, Any]:
    """Label a folder in this process."""
    import regimetry as rg
    from regimetry.scale import predict as label
    from regimetry.scale.folder import import_pyarrow

    import_pyarrow()
    opened = rg.load(model, device="cpu", threads=int(threads))
    begun = time.perf_counter()
    report = label(folder, opened, output=output)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "rows": report["rows"], "gib": peak_bytes() / 2**30}


def bare(model: str, windows: str, threads: str) -> dict[str, Any]:
    """Run contiguous windows through onnxruntime in batches, side by side, and nothing else."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape
    ready = np.random.default_rng(SEED).standard_normal((128, BATCH, *shape[1:]), np.float32)
    count = int(windows) // BATCH
    names = ["distance", "novelty"]
    session.run(names, {"window": ready[0]})

    def work(first: int) -> None:
        for number in range(first, count, int(threads)):
            session.run(names, {"window": ready[number % len(ready)]})

    begun = time.perf_counter()
    with ThreadPoolExecutor(int(threads)) as pool:
        list(pool.map(work, range(int(threads))))
    return {"seconds": time.perf_counter() - begun, "rows": count * BATCH}


def on_ray(folder: str, model: str, output: str, actors: str) -> dict[str, Any]:
    """Label a folder on a local Ray; timed from when each actor has done a unit to the last."""
    from contextlib import nullcontext

    from regimetry.scale import predict as label

    done: list[tuple[float, int]] = []
    begun = time.perf_counter()

    def advance(rows: int) -> None:
        done.append((time.perf_counter(), rows))

    label(
        folder,
        model,
        output=output,
        actors=int(actors),
        progress=lambda rows, before: nullcontext(advance),
    )
    warm = int(actors) - 1
    seconds = done[-1][0] - done[warm][0]
    rows = sum(rows for _, rows in done[warm + 1 :])
    return {"seconds": seconds, "rows": rows, "start_up": done[warm][0] - begun}


def read(folder: str, model: str) -> dict[str, Any]:
    """Scan a folder, then read its rows in the same way as for labelling."""
    import regimetry as rg
    from regimetry.scale.chunks import in_order, rises
    from regimetry.scale.folder import scan
    from regimetry.scale.work_units import plan

    schema = rg.load(model, device="cpu").contract.schema
    for _ in range(2):  # the first time loads libraries and fills the system's cache
        begun = time.perf_counter()
        found = scan(Path(folder), schema)
        scanned = time.perf_counter()
        for unit in plan(found):
            rises(unit, found.columns, 1 << 16)
            for _ in in_order(unit, found.columns, 1 << 16):
                pass
        done = time.perf_counter()
    return {
        "scan": scanned - begun,
        "read": done - scanned,
        "rows": found.rows,
        "files": len(found.files),
    }


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    function.__name__: function for function in (fit, write, predict, bare, on_ray, read)
}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](*sys.argv[2:])))
