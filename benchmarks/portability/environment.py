"""An environment of its own for a release: made in a folder, used, removed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INSTALL_S, RUN_S = 240, 120
SCRIPT = Path(__file__).with_name("run.py")

Result = dict[str, float] | str
"""What ``run.py`` found of each output, or why it found nothing."""


class NotInstalledError(Exception):
    """A release cannot be had here."""


@contextmanager
def installed(folder: Path, packages: tuple[str, ...], version: str) -> Iterator[Path]:
    """Install packages; yield the environment's interpreter; remove the environment."""
    python = interpreter(version)
    try:
        checked([python, "-m", "venv", folder], INSTALL_S)
        inside = folder / "bin" / "python"
        pip = [inside, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        checked([*pip, "--no-compile", *packages], INSTALL_S)
        yield inside
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def interpreter(version: str) -> str:
    """Return a Python of a version as "3.10", this one where it is the same or none is named."""
    if version in ("", f"{sys.version_info.major}.{sys.version_info.minor}"):
        return sys.executable
    for folder in os.get_exec_path():
        python = shutil.which(f"python{version}", path=folder)
        # A shim of pyenv may be there and have nothing behind it.
        if (
            python
            and subprocess.run([python, "-V"], capture_output=True, check=False).returncode == 0
        ):
            return python
    raise NotInstalledError(f"needs Python {version}, which is not here")


def checked(command: list[object], seconds: int) -> None:
    """Run a command; raise the first error that it names if it fails."""
    try:
        done = subprocess.run(
            [*map(str, command)], capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"not installed within {seconds} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise NotInstalledError(next((line for line in lines if "ERROR" in line), lines[-1]))


def version_of(python: Path, package: str) -> str:
    """Return the version of a package in an environment."""
    code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    done = subprocess.run([python, "-c", code, package], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def compared(python: Path, runtime: str, model: Path, golden: Path) -> Result:
    """Run one form of a model in one runtime; a crash or a hang is its result."""
    try:
        done = subprocess.run(
            [*map(str, (python, "-I", SCRIPT, runtime, model, golden))],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=RUN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no result within {RUN_S} s"
    if done.returncode < 0:
        return f"its process ended with signal {-done.returncode}"
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        return (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
    found = json.loads(lines[-1])  # a runtime may print after it
    error = found.get("error")
    return found if error is None else str(error)
