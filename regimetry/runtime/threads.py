"""How many threads this process may use, and what limits them."""

from __future__ import annotations

import math
import os
from pathlib import Path


def available_threads() -> int:
    """Return the least of :func:`thread_limits`."""
    return min(thread_limits().values())


def thread_limits(root: Path = Path("/")) -> dict[str, int]:
    """Return each limit on the CPUs of this process, by its source.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are mounted.

    Returns
    -------
    dict of str to int
        The affinity mask (or the machine's CPUs) and every control group's CPU quota, version 1
        or 2, rounded up; each at least 1.
    """
    if hasattr(os, "sched_getaffinity"):
        limits = {"affinity": len(os.sched_getaffinity(0))}
    else:
        limits = {"machine": os.cpu_count() or 1}
    for folder in _groups(root):
        quota = _quota(folder)
        if quota is not None:
            limits[str(folder)] = max(1, math.ceil(quota))
    return limits


def _groups(root: Path) -> list[Path]:
    """Return the control groups of this process and those above them: each may set a quota."""
    mount = root / "sys/fs/cgroup"
    folders: list[Path] = []
    for line in _text_of(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:  # version 2, alone or beside version 1
            tops = [mount, mount / "unified"]
        elif "cpu" in controllers.split(","):
            tops = [mount / controllers, mount / "cpu"]
        else:
            continue
        # Inside a container the path may be the host's, which is not there: the top then is ours.
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for top in tops:
            folders += [top.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def _quota(folder: Path) -> float | None:
    """Return the CPUs that a group may use at once; ``None`` without a limit."""
    fields = _text_of(folder / "cpu.max").split()
    if not fields:
        fields = [_text_of(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    try:
        quota, period = (float(field) for field in fields)
    except ValueError:  # "max", or no such file
        return None
    return quota / period if quota > 0 and period > 0 else None


def _text_of(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
