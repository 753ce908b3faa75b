"""What a machine has for running a model, and what is wrong with it."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np

from regimetry.check.golden import golden_path
from regimetry.check.runtimes import ONNXRUNTIME
from regimetry.check.verify import verify
from regimetry.errors import RegimetryError
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.providers import (
    CPU,
    DISTRIBUTIONS,
    has_cuda_driver,
    import_onnxruntime,
    installed_versions,
)
from regimetry.runtime.recursion import Recursion
from regimetry.runtime.threads import available_threads, thread_limits
from regimetry.runtime.trial import try_provider
from regimetry.windows import rolling_windows

_PACKAGES = ("regimetry", "numpy", "narwhals", "pandas", "polars", "pyarrow", "onnx", "tensorflow",
             "keras")  # fmt: skip


def diagnose(model: Path | None = None) -> dict[str, Any]:
    """Look at the installation, the devices, the limits and, if one is given, a model file.

    Parameters
    ----------
    model : Path or None
        Loaded, and verified on this machine's device if ``<stem>.golden.json`` lies beside it.

    Returns
    -------
    dict
        Plain data, ready for JSON; ``problems`` lists what is broken, one sentence each.
    """
    problems: list[str] = []
    report: dict[str, Any] = {
        "versions": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            **installed_versions(_PACKAGES),
        },
        "onnxruntime": installed_versions(DISTRIBUTIONS),
        "cpu": {
            "machine": platform.machine(),
            "extensions": np.show_config(mode="dicts")["SIMD Extensions"]["found"],
        },
        "threads": {"limits": thread_limits(), "used": available_threads()},
        "extension": _extension(problems),
        "providers": _providers(problems),
    }
    if model is not None:
        try:
            opened = RegimeModel(model)
            report["model"] = {
                "file": str(model),
                "provider": opened.device,
                "sha256": opened.sha256,
                "sealed": opened.sealed,
            }
            if golden_path(model).is_file():
                report["model"]["golden"] = _verified(model, opened.sha256, problems)
        except (RegimetryError, OSError) as error:
            problems.append(str(error) or type(error).__name__)
    return {**report, "problems": problems}


def _extension(problems: list[str]) -> bool:
    """Return whether the extension computes; without it nothing here could be imported."""
    found, _ = Recursion(1.5)(np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]))
    windows = rolling_windows(np.arange(6.0).reshape(3, 2), 2)
    if found.regime.tolist() == [0, 0, 1] and windows[1].tolist() == [[2.0, 3.0], [4.0, 5.0]]:
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


def _verified(path: Path, sha256: str, problems: list[str]) -> dict[str, Any]:
    found = verify(path, runtimes=[ONNXRUNTIME.name], device="auto")
    if found.sha256 != sha256:
        problems.append(f"{path} was replaced while it was looked at. Run the command again.")
    if found.problem is not None:
        problems.append(found.problem)
    return found.replays[0].to_dict()
