"""The main job's figures: ``python -m benchmarks.main_job``.

Fits the S&P 500 sample as `make demo` does, in processes of their own, and prints a table.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe_machine

FIT = ["--window-size", "20", "--n-regimes", "3", "--seed", "0"]

FIT_IN_PYTHON = """
import sys
import numpy as np
import regimetry as rg
from regimetry.series.table_files import read_table
detector = rg.RegimeDetector(window_size=20, n_regimes=3, random_state=0)
detector.fit(read_table(sys.argv[1]).frame)
detector.save(sys.argv[2])
np.save(sys.argv[3], detector.labels_)
"""

LABEL_IN_PYTHON = """
import sys
import numpy as np
import regimetry as rg
from regimetry.series.table_files import read_table
labels = rg.load(sys.argv[1]).predict(read_table(sys.argv[2]).frame).fillna(-1).to_numpy(int)
print(float(np.mean(labels == np.load(sys.argv[3]))), "tensorflow" in sys.modules)
"""

IMPORT = """
import json, sys, time
import numpy
start = time.perf_counter()
import regimetry
{action}
seconds = time.perf_counter() - start
heavy = ("tensorflow", "keras", "sklearn", "scipy", "pandas", "onnx")
print(json.dumps([seconds, [name for name in heavy if name in sys.modules]]))
"""


def run(command: list[str]) -> tuple[float, float]:
    """Run a command; return seconds and peak memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed with status {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def import_time(action: str) -> tuple[float, list[str]]:
    """Return the median milliseconds of 11 imports after numpy's, and what heavy thing came in."""
    results = [
        json.loads(
            subprocess.run(
                [sys.executable, "-I", "-c", IMPORT.format(action=action)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for _ in range(11)
    ]
    return 1e3 * statistics.median(seconds for seconds, _ in results), results[0][1]


def main() -> None:
    cli = [sys.executable, "-I", "-m", "regimetry"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, model, out = (str(folder / n) for n in ("spx.csv", "spx.onnx", "regimes.csv"))
        again, labels = str(folder / "again.onnx"), str(folder / "labels.npy")
        run([*cli, "sample", "sp500", "-o", data])
        fit = run([*cli, "fit", data, "-o", model, *FIT])
        predict = run([*cli, "predict", model, data, "-o", out])
        run([sys.executable, "-I", "-c", FIT_IN_PYTHON, data, again, labels])
        same = Path(model).read_bytes() == Path(again).read_bytes()
        agreement, tensorflow = subprocess.run(
            [sys.executable, "-I", "-c", LABEL_IN_PYTHON, model, data, labels],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        size = Path(model).stat().st_size / 2**20
        bare, bare_heavy = import_time("")
        load, load_heavy = import_time(f"regimetry.load({model!r})")

    print(f"Measured on {describe_machine()}.\n")
    print("| figure | target | measured |\n|---|---|---|")
    print(f"| `regimetry fit`, 5031 bars, whole process | < 10 s | {fit[0]:.1f} s |")
    print(f"| its peak memory | < 600 MiB | {fit[1]:.0f} MiB |")
    print(f"| `regimetry predict` on it, start-up included | < 5 s | {predict[0]:.2f} s |")
    print(f"| its peak memory | | {predict[1]:.0f} MiB |")
    print(f"| `import regimetry` on top of numpy | <= 50 ms | {bare:.1f} ms |")
    print(f"| heavy modules after it | none | {', '.join(bare_heavy) or 'none'} |")
    print(f"| `import regimetry` and `rg.load(...)` | | {load:.1f} ms |")
    print(f"| heavy modules after it | none | {', '.join(load_heavy) or 'none'} |")
    print(f"| labels of another process equal to the fit's | 100 % | {float(agreement):.2%} |")
    print(f"| that process imported TensorFlow | False | {tensorflow} |")
    print(f"| same seed in two processes, same bytes | True | {same} |")
    print(f"| size of the model file | | {size:.2f} MiB |")


if __name__ == "__main__":
    main()
