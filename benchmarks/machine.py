"""The machine and the versions of a measurement."""

import os
import platform
import re
from importlib import metadata
from pathlib import Path

PACKAGES = ("numpy", "onnxruntime-gpu", "onnxruntime", "tensorflow", "keras", "tf2onnx", "onnx")

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
"""Environment variables of the number of threads, read when a library is loaded."""


def describe_machine(more: tuple[str, ...] = ()) -> str:
    """Return processor, CPUs and versions in one line, those of more packages included."""
    info = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (info.read_text().splitlines() if info.exists() else [])
        if line.startswith("model name")
    ]
    versions = []
    for name in (*PACKAGES, *more):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    count = len(os.sched_getaffinity(0))
    processor = models[0] if models else platform.processor() or platform.machine()
    return (
        f"{processor}, {count} CPU{'s' * (count > 1)}; Python {platform.python_version()}, "
        + ", ".join(versions)
    )


def peak_bytes() -> int:
    """Return the peak of this process's own memory.

    From ``/proc``: what ``getrusage`` calls the peak of a process that was started by a large one
    is the large one's.
    """
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
