"""The command; see the package."""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx

from benchmarks.machine import describe_machine
from benchmarks.portability.environment import (
    NotInstalledError,
    Result,
    compared,
    installed,
    version_of,
)
from benchmarks.portability.examples import in_javascript
from benchmarks.portability.releases import ENVIRONMENTS, NOTES, Environment
from regimetry.contract import OUTPUT_NAMES
from regimetry.export.series_form import to_series

MODEL = Path(__file__).parents[2] / "models" / "sp500.onnx"
FORMS = ("window", "series")
LIMITS = {"embedding": 1e-4, "distance": 1e-4, "novelty": 1e-3}
"""Largest relative difference of an output, as in the examples."""

Row = tuple[str, dict[str, Result]]


def write_forms(model: Path, folder: Path) -> None:
    """Write both forms, and for each an input and the golden outputs.

    The first golden windows follow each other, so that they are one series.
    """
    golden = json.loads(model.with_suffix(".golden.json").read_text())
    windows = np.asarray(golden["window"], np.float32)
    count = len(golden["labels_from_start"])
    inputs = {"window": windows, "series": np.concatenate([windows[0], windows[1:count, -1]])}
    window_form = onnx.load(model)
    forms = {"window": window_form, "series": to_series(window_form)}
    for name, values in inputs.items():
        rows = slice(None) if name == "window" else slice(count)
        outputs = {output: np.asarray(golden[output])[rows] for output in OUTPUT_NAMES}
        np.savez(folder / f"{name}.npz", input=values, **outputs)
        onnx.save(forms[name], folder / f"{name}.onnx")


def rows_of(environment: Environment, folder: Path) -> Iterator[Row]:
    """Install an environment and yield a row for each of its runtimes."""
    package = re.split(r"[=\[]", environment.packages[0])[0]
    release = environment.packages[0].replace("==", " ")
    titles = [f"{{}}, {NOTES[name]}" if name in NOTES else "{}" for name in environment.runtimes]
    try:
        with installed(folder / "environment", environment.packages, environment.python) as python:
            release = f"{package} {version_of(python, package)}"
            for title, runtime in zip(titles, environment.runtimes, strict=True):
                yield (
                    title.format(release),
                    {
                        form: compared(
                            python, runtime, folder / f"{form}.onnx", folder / f"{form}.npz"
                        )
                        for form in FORMS
                    },
                )
    except NotInstalledError as error:
        for title in titles:
            yield title.format(release), dict.fromkeys(FORMS, str(error))


def cells(result: Result) -> str:
    """Return the cells of a form: embedding, the worse of distance and novelty, regimes."""
    if isinstance(result, str):
        text = re.sub(r"/\S*/", "", result.replace("|", "/"))  # of paths, the last part alone
        return f"{text[:120]} | | "
    regimes = "equal" if result["regime"] == 1 else f"{result['regime']:.0%} equal"
    others = max(result["distance"], result["novelty"])
    return f"{result['embedding']:.0e} | {others:.0e} | {regimes}"


def passes(result: Result) -> bool:
    """Say whether all outputs are within the limits, and all regimes equal."""
    return not isinstance(result, str) and (
        result["regime"] == 1 and all(result[name] <= limit for name, limit in LIMITS.items())
    )


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 2 if nothing is of the name asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portability", description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL, help="with its golden file beside it")
    parser.add_argument("--only", default="", help="a part of a package's or runtime's name")
    parser.add_argument("--minutes", type=float, default=15, help="start nothing after this time")
    options = parser.parse_args(arguments)
    asked = options.only.lower()
    chosen = [
        item for item in ENVIRONMENTS if asked in " ".join((*item.packages, *item.runtimes)).lower()
    ]
    javascript = not asked or asked in "onnxruntime-node onnxruntime-web"
    if not (chosen or javascript):
        names = sorted({name for item in ENVIRONMENTS for name in item.runtimes})
        print(f"No runtime is called {asked!r}; there are {', '.join(names)}.", file=sys.stderr)
        return 2
    started = time.monotonic()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}.\n")
    print("| release | window form: embedding | others | regimes | series form: embedding | others "
          "| regimes |\n|---|---|---|---|---|---|---|")  # fmt: skip
    right = total = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_forms(options.model, folder)
        for environment in chosen:
            if time.monotonic() - started > 60 * options.minutes:
                print(f"| {environment.packages[0]} | not run: time is up | | | | | |")
                continue
            for title, results in rows_of(environment, folder):
                print(f"| {title} | {' | '.join(cells(results[form]) for form in FORMS)} |")
                sys.stdout.flush()
                right += sum(map(passes, results.values()))
                total += len(FORMS)
    if javascript:
        for title, result in in_javascript(options.model):
            print(f"| {title} | {cells(result)} | not run | | |", flush=True)
            right, total = right + passes(result), total + 1
    print(
        f"\n{right} of {total} within the limits, in {(time.monotonic() - started) / 60:.0f} min."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
