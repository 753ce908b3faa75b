"""Whether an execution provider really starts: tried in a separate process.

onnxruntime lists every provider that was compiled in, even if its libraries or the device are
missing. The reason appears only on standard error, or the process crashes. So a child process
tries.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any, NamedTuple

from regimetry.runtime.providers import import_onnxruntime, preload_cuda

TIMEOUT_S = 60

# y = Relu(x) of two float32, opset 17, IR version 8, as `onnx.helper` would serialise it.
_RELU = (
    b'\x08\x08:3\n\x0c\n\x01x\x12\x01y"\x04Relu\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04'
    b"\n\x02\x08\x02b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x02B\x04\n\x00\x10\x11"
)
_STARTED = "started"


class Trial(NamedTuple):
    """Whether a provider started.

    Attributes
    ----------
    started : bool
    reason : str
        Why it did not start; empty if it did.
    """

    started: bool
    reason: str


def try_provider(name: str, *, timeout_s: float = TIMEOUT_S) -> Trial:
    """Start a session of one operator on a provider and check its answer."""
    code = "import sys; from regimetry.runtime.trial import _start; _start(sys.argv[1])"
    try:
        result = subprocess.run(
            [sys.executable, "-P", "-c", code, name],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Trial(False, f"no answer within {timeout_s:g} s")
    if result.stdout.strip().endswith(_STARTED):
        return Trial(True, "")
    if result.returncode < 0:
        return Trial(False, f"its process ended with signal {-result.returncode}")
    return Trial(False, _reason(result.stderr) or f"its process ended with {result.returncode}")


def _start(name: str) -> None:
    """Run in the child: print that the provider started, or let the reason reach stderr."""
    import numpy as np

    ort: Any = import_onnxruntime()
    preload_cuda(ort)
    session = ort.InferenceSession(_RELU, providers=[name], enable_fallback=0)
    (found,) = session.run(None, {"x": np.array([-1.0, 2.0], np.float32)})
    if name in session.get_providers() and found.tolist() == [0.0, 2.0]:
        print(_STARTED)


def _reason(said: str) -> str:
    """Find the cause in what onnxruntime wrote: the library that did not load, or the last line."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in said.splitlines()]
    lines = [line for line in lines if line]
    for line in lines:
        _, found, cause = line.partition(" with error: ")
        if found:
            return cause
    return lines[-1] if lines else ""
