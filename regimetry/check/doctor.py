"""What a machine has for running a model, and what is wrong with it."""

from __future__ import annotations

import json
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import OUTPUT_NAMES, precision_of
from regimetry.errors import RegimetryError
from regimetry.runtime.providers import (
    CPU,
    has_cuda_driver,
    import_onnxruntime,
    installed_distributions,
)
from regimetry.runtime.threads import thread_limits
from regimetry.runtime.trial import try_provider

if TYPE_CHECKING:
    from regimetry.runtime.modelfile import ModelFile

TOLERANCES = {"embedding": 2e-4, "distance": 2e-4, "novelty": 2e-3}
"""How far outputs may lie from the golden file: between machines matrix products round."""

SELF_TEST_S = 10.0

_OPTIONAL = ("narwhals", "pandas", "polars", "pyarrow", "onnx", "tensorflow", "keras")


def diagnose(model: Path | None = None, *, self_test_s: float = SELF_TEST_S) -> dict[str, Any]:
    """Look at the installation, the devices, the limits and, if one is given, a model file.

    Parameters
    ----------
    model : Path or None
        Tested for speed, and against ``<name>.golden.json`` where that lies beside it.
    self_test_s : float
        The most that the test of the model may take, in seconds.

    Returns
    -------
    dict
        Plain data, ready for JSON; ``problems`` lists what is broken, one sentence each.
    """
    problems: list[str] = []
    report: dict[str, Any] = {
        "versions": _versions(),
        "onnxruntime": installed_distributions(),
        "cpu": {
            "machine": platform.machine(),
            "extensions": np.show_config(mode="dicts")["SIMD Extensions"]["found"],
        },
        "threads": {"limits": thread_limits(), "used": min(thread_limits().values())},
        "extension": _extension(problems),
        "providers": _providers(problems),
    }
    if model is not None:
        try:
            report["model"] = _model(model, self_test_s, problems)
        except (RegimetryError, OSError, ValueError, KeyError) as error:
            problems.append(str(error) or type(error).__name__)
    return {**report, "problems": problems}


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "platform": platform.platform()}
    for name in ("regimetry", "numpy", *_OPTIONAL):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _extension(problems: list[str]) -> bool:
    """Return whether the extension loads and computes."""
    try:
        from regimetry.runtime.jump import jump_labels
        from regimetry.windows import rolling_windows
    except ImportError as error:
        problems.append(f"The extension regimetry._core does not load: {error}.")
        return False
    labels, _ = jump_labels(np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]), 1.5)
    windows = rolling_windows(np.arange(6.0).reshape(3, 2), 2)
    if labels.tolist() == [0, 0, 1] and windows[1].tolist() == [[2.0, 3.0], [4.0, 5.0]]:
        return True
    problems.append("The extension regimetry._core computes wrong results. Install it anew.")
    return False


def _providers(problems: list[str]) -> dict[str, dict[str, Any]]:
    try:
        listed = import_onnxruntime().get_available_providers()
    except RegimetryError as error:
        problems.append(str(error))
        return {}
    found: dict[str, dict[str, Any]] = {}
    for name in listed:
        started, reason = try_provider(name)
        found[name] = {"starts": started, "reason": reason}
        # Without a driver nobody expects more; with one, somebody paid for the device.
        if not started and (name == CPU or has_cuda_driver()):
            problems.append(f"{name} does not start: {reason}.")
    return found


def _model(path: Path, self_test_s: float, problems: list[str]) -> dict[str, Any]:
    from regimetry.runtime.batch import run_gathered
    from regimetry.runtime.modelfile import ModelFile
    from regimetry.runtime.stream import Stream

    start = time.perf_counter()
    file = ModelFile(path)
    found: dict[str, Any] = {
        "file": str(path),
        "provider": file.session.provider,
        "load_ms": _milliseconds(time.perf_counter() - start),
    }
    golden = path.with_suffix(".golden.json")
    # A float16 file has tolerances of its own, which `regimetry verify` knows.
    if golden.is_file() and precision_of(file.session.metadata, str(path)) == "float32":
        content = json.loads(golden.read_text())
        windows = np.array(content["window"], np.float32)
        found["golden"] = _differences(run_gathered(file.session, windows, OUTPUT_NAMES), content)
        problems += [
            f"{path}: {name} is off its golden file by {entry['difference']:g}, where "
            f"{entry['tolerance']:g} is allowed."
            for name, entry in found["golden"].items()
            if not entry["difference"] <= entry["tolerance"]
        ]
        row = windows[0, -1].astype(np.float64)
    else:
        row = np.ones(file.contract.n_features)
    found["tick_ms"] = _tick_times(Stream(file.session, file.contract), row, self_test_s)
    found["batch"] = _batch_time(file, row, self_test_s)
    return found


def _differences(
    outputs: dict[str, NDArray[Any]], golden: dict[str, Any]
) -> dict[str, dict[str, float]]:
    """Return the largest difference of each output, and the share of regimes that differ."""
    found = {
        name: {
            "difference": float(np.abs(outputs[name] - np.array(golden[name])).max()),
            "tolerance": tolerance,
        }
        for name, tolerance in TOLERANCES.items()
    }
    different = float(np.mean(outputs["regime"] != np.array(golden["regime"])))
    return {**found, "regime": {"difference": different, "tolerance": 0.0}}


def _tick_times(stream: Any, row: NDArray[np.float64], self_test_s: float) -> dict[str, Any]:
    """Push the same bar again and again: milliseconds a tick."""
    end = time.perf_counter() + self_test_s / 2
    while stream.push(row) is None:
        pass
    times: list[float] = []
    while len(times) < 5000 and time.perf_counter() < end:
        start = time.perf_counter()
        stream.push(row)
        times.append(time.perf_counter() - start)
    quantiles = np.percentile(times, [50, 99, 99.9]) if times else [float("nan")] * 3
    names = ("p50", "p99", "p99.9")
    return {"ticks": len(times), **dict(zip(names, map(_milliseconds, quantiles), strict=True))}


def _batch_time(file: ModelFile, row: NDArray[np.float64], self_test_s: float) -> dict[str, Any]:
    """Run a long series of the same bar: the best time a window, in microseconds."""
    from regimetry.runtime.batch import run_windows

    windows = 16 * file.batch_size * file.threads
    values = np.tile(row, (windows + file.contract.window_rows - 1, 1))
    end = time.perf_counter() + self_test_s / 4
    times: list[float] = []
    while not times or (len(times) < 20 and time.perf_counter() < end):
        start = time.perf_counter()
        run_windows(
            file.session, values, OUTPUT_NAMES, threads=file.threads, batch_size=file.batch_size
        )
        times.append(time.perf_counter() - start)
    return {
        "windows": windows,
        "threads": file.threads,
        "us_per_window": round(1e6 * min(times) / windows, 3),
    }


def _milliseconds(seconds: float) -> float:
    return round(1e3 * float(seconds), 4)
