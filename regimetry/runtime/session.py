"""The one place that builds an onnxruntime session."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from regimetry.errors import DeviceError, ModelError
from regimetry.runtime.ending import running
from regimetry.runtime.providers import (
    CPU,
    Provider,
    choose_providers,
    import_onnxruntime,
    preload_cuda,
    require_started,
)

_LOGGER = logging.getLogger("regimetry")


def open_session(
    content: bytes,
    *,
    name: str,
    device: str = "auto",
    providers: Sequence[Provider] | None = None,
    arena: bool = True,
    cuda_graphs: bool = False,
    optimise: bool = True,
) -> Any:
    """Open a model of any form on a device.

    Parameters
    ----------
    content : bytes
        Of a model that :class:`~regimetry.runtime.graphfile.GraphFile` has checked.
    name : str
        What messages call the file.
    device : {"auto", "cpu", "cuda", "cuda:N", "tensorrt", "openvino"}
        Only "auto" may fall back to the CPU, and says so once through ``logging``.
    providers : sequence or None
        onnxruntime's own list of providers, instead of a device.
    arena : bool
        Keep memory between runs; otherwise each run takes it from the system and returns it.
    cuda_graphs : bool
        On CUDA, capture the run of each batch size once and replay it.
    optimise : bool
        Let onnxruntime rewrite the graph, which takes most of the time to open one.

    Returns
    -------
    onnxruntime.InferenceSession
        With one thread per run.

    Raises
    ------
    ConfigError
        An unknown device, or a device and providers at once.
    DeviceError
        The device did not load.
    ModelError
        The content is damaged, or no model that onnxruntime reads.
    InstallError
        None or several onnxruntime distributions are installed.
    """
    ort = import_onnxruntime()
    asked, strict = choose_providers(ort, device, providers, cuda_graphs=cuda_graphs)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = arena
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL

    def create(providers: list[Provider]) -> Any:
        # Without this, onnxruntime falls back by itself and says so on standard output.
        with running():
            return ort.InferenceSession(content, options, providers=providers, enable_fallback=0)

    reason = ""
    if asked == [CPU]:
        with reading(name):
            session = create(asked)
    else:
        preload_cuda(ort)
        try:
            session = create(asked)
        except Exception as error:
            reason = first_line(error)
            with reading(name):  # raises where it is the file's fault
                session = create([CPU])
    try:
        require_started(asked, session.get_providers(), reason)
    except DeviceError as error:
        if strict:
            raise
        _LOGGER.warning("%s Running on the CPU.", error)
    return session


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what onnxruntime raises while it reads a file into :class:`ModelError`."""
    try:
        yield
    except Exception as error:
        if not _is_own(error) and not isinstance(error, UnicodeDecodeError):
            raise  # names in the file may be no text
        raise ModelError(
            f"{name} cannot be read as an ONNX model; it is damaged or of another kind "
            f"({first_line(error)}). Copy it again, or fit and save again."
        ) from error


def is_of_run(error: Exception) -> bool:
    """Return whether a run raised this, not a signal handler or a finaliser in the midst of it."""
    return _is_own(error) or type(error) in (RuntimeError, TypeError, ValueError, MemoryError)


def _is_own(error: Exception) -> bool:
    # onnxruntime's own exceptions have no public base.
    return type(error).__module__.startswith("onnxruntime")


def first_line(error: Exception) -> str:
    """Return the first line of an exception's message."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
