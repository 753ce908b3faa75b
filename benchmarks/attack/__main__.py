"""Attack model files, live state and processes, and count what survives.

Run: python -m benchmarks.attack [--only flips forks] [--model models/sp500.onnx]
Prints for each class how many attacks were tried and survived, and whether the defect that is
planted in it (a check switched off) was reported; exits with 1 if one was not survived or not
reported. Nothing leaves this machine.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.attack import (
    PLANTED_TRIES,
    Attack,
    Place,
    bombs,
    files,
    live,
    processes,
    reports_its_defect,
    service,
    state,
    survived,
)
from benchmarks.machine import describe_machine
from regimetry.check.golden import golden_path

ATTACKS: tuple[Attack, ...] = (
    *files.ATTACKS,
    *bombs.ATTACKS,
    *state.ATTACKS,
    *processes.ATTACKS,
    *service.ATTACKS,
    *live.ATTACKS,
)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="CLASS", help="such as flips or 'kill -9'")
    parser.add_argument("--model", type=Path, default=Path("models/sp500.onnx"))
    options = parser.parse_args()
    print("| attack | tried | survived | planted defect | seconds |\n|---|---|---|---|---|")
    failures: list[str] = []
    for attack in ATTACKS:
        if options.only and attack.name not in options.only:
            continue
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            place = Place(Path(folder) / "model.onnx", Path(folder) / "room")
            place.room.mkdir()
            shutil.copyfile(options.model, place.model)
            shutil.copyfile(golden_path(options.model), golden_path(place.model))
            tried, faults = survived(attack, place, attack.tries)
            reported = reports_its_defect(attack, place, min(PLANTED_TRIES, attack.tries))
        failures += [f"{attack.name}: {fault}" for fault in faults]
        if not reported:
            failures.append(f"{attack.name}: the planted defect was not reported")
        seconds = time.perf_counter() - begun
        print(
            f"| {attack.name} | {tried} | {tried - len(faults)} | "
            f"{'reported' if reported else 'NOT reported'} | {seconds:.0f} |",
            flush=True,
        )
    print(f"\n{describe_machine()}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
