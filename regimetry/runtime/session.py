"""The one place that builds an onnxruntime session."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from regimetry.errors import ConfigError, DeviceError, InstallError, ModelError

_LOGGER = logging.getLogger("regimetry")
_DISTRIBUTIONS = ("onnxruntime", "onnxruntime-gpu")
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


def import_onnxruntime() -> ModuleType:
    """Import onnxruntime, of which exactly one distribution must be installed.

    Raises
    ------
    InstallError
        Neither or both: they write the same files, and what then loads is up to chance.
    """
    installed = [name for name in _DISTRIBUTIONS if _is_installed(name)]
    if len(installed) == len(_DISTRIBUTIONS):
        raise InstallError(
            "Both onnxruntime and onnxruntime-gpu are installed, and they overwrite each other. "
            "Run: pip uninstall -y onnxruntime onnxruntime-gpu, then install one of "
            "'regimetry[cpu]' and 'regimetry[gpu]'."
        )
    try:
        return import_module("onnxruntime")
    except ImportError as error:
        raise InstallError(
            "onnxruntime is not installed. Run: pip install 'regimetry[cpu]', or "
            "'regimetry[gpu]' on a machine with an NVIDIA GPU."
        ) from error


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def available_threads() -> int:
    """Return how many CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def open_session(source: Path | bytes, *, device: str = "auto", threads: int = 1) -> Any:
    """Open a model on a device.

    Parameters
    ----------
    source : Path or bytes
        The model file, or its content.
    device : {"auto", "cpu", "cuda", "cuda:N"}
        Only "auto" may fall back to the CPU, and says so once through ``logging``.
    threads : int
        Threads inside one operator. Spinning is off: idle threads cost nothing.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    ConfigError
        An unknown device name.
    DeviceError
        The device did not load.
    ModelError
        The file is missing, damaged, or not an ONNX model that onnxruntime reads.
    InstallError
        Neither or both onnxruntime distributions are installed.
    """
    wanted = _providers(device)
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if device == "auto":
        if _CUDA not in ort.get_available_providers() or not _has_cuda_driver():
            wanted = [_CPU]
    elif wanted[0] != _CPU and _CUDA not in ort.get_available_providers():
        raise DeviceError(
            f"device is {device!r}, and this onnxruntime has no CUDA provider (it has "
            f"{', '.join(ort.get_available_providers())}). Install 'regimetry[gpu]' in place of "
            "'regimetry[cpu]', or use device='cpu'."
        )
    session = _create(ort, source, options, wanted)
    got = session.get_providers()
    first = wanted[0] if isinstance(wanted[0], str) else wanted[0][0]
    if got[0] != first:
        if device != "auto":
            raise DeviceError(
                f"device is {device!r}, but onnxruntime loaded {', '.join(got)}: the CUDA provider "
                "is listed and did not start. Check the driver and the CUDA libraries "
                "(nvidia-smi), or use device='cpu'."
            )
        _LOGGER.warning("The CUDA provider did not start; running on the CPU.")
    return session


def _providers(device: str) -> list[Any]:
    if device == "cpu":
        return [_CPU]
    if device in ("auto", "cuda"):
        return [_CUDA, _CPU]
    kind, _, number = device.partition(":")
    if kind == "cuda" and number.isdecimal():
        return [(_CUDA, {"device_id": int(number)}), _CPU]
    raise ConfigError(f"device is {device!r}; it must be 'auto', 'cpu', 'cuda' or 'cuda:N'.")


def _has_cuda_driver() -> bool:
    # A listed provider is not a usable one, and a failed attempt prints to standard error.
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _create(ort: ModuleType, source: Path | bytes, options: Any, providers: list[Any]) -> Any:
    if isinstance(source, Path) and not source.is_file():
        raise ModelError(f"There is no model file {source}. Make one with `regimetry fit`.")
    name = "The model" if isinstance(source, bytes) else str(source)
    model = source if isinstance(source, bytes) else str(source)
    try:
        return ort.InferenceSession(model, options, providers=providers)
    except Exception as error:  # onnxruntime's exceptions share no public base
        if type(error).__module__.startswith("onnxruntime"):
            raise ModelError(
                f"{name} cannot be read as an ONNX model; it is damaged or of another kind "
                f"({_first_line(error)}). Copy it again, or fit and save again."
            ) from error
        raise


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
