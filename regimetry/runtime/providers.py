"""From the requested device to onnxruntime's execution providers, and which of them started."""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module, metadata, util
from types import ModuleType
from typing import Any

from regimetry.errors import ConfigError, DeviceError, InstallError

Provider = str | tuple[str, dict[str, Any]]
"""A provider's name, or its name and options, as onnxruntime takes them."""

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
TENSORRT, OPENVINO = "TensorrtExecutionProvider", "OpenVINOExecutionProvider"

DISTRIBUTIONS = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-openvino",
    "onnxruntime-directml",
)
"""All of them write the same module: exactly one may be installed."""

_REMEDIES = {
    CUDA: "Install 'regimetry[gpu]' in place of 'regimetry[cpu]', or use device='cpu'.",
    TENSORRT: "Install 'regimetry[gpu]' in place of 'regimetry[cpu]', or use device='cpu'.",
    OPENVINO: "Install onnxruntime-openvino in place of onnxruntime, or use device='cpu'.",
}
_LOGGER = logging.getLogger("regimetry")


def import_onnxruntime() -> ModuleType:
    """Import onnxruntime, of which exactly one distribution must be installed.

    Raises
    ------
    InstallError
        None or several: they write the same files, and what then loads is up to chance.
    """
    names = list(installed_versions(DISTRIBUTIONS))
    if len(names) > 1:
        raise InstallError(
            f"{'Both' if len(names) == 2 else 'All of'} {' and '.join(names)} are installed, and "
            f"they overwrite each other. Run: pip uninstall -y {' '.join(names)}, then install "
            "one of 'regimetry[cpu]' and 'regimetry[gpu]'."
        )
    try:
        return import_module("onnxruntime")
    except ImportError as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise InstallError(
            "onnxruntime is not installed. Run: pip install 'regimetry[cpu]', or "
            "'regimetry[gpu]' on a machine with an NVIDIA GPU."
        ) from error


def installed_versions(distributions: Iterable[str]) -> dict[str, str]:
    """Return name and version of each of the distributions that is installed."""
    found = {}
    for name in distributions:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def choose_providers(
    ort: ModuleType, device: str, providers: Sequence[Provider] | None, *, cuda_graphs: bool
) -> tuple[list[Provider], bool]:
    """Decide which providers to ask for.

    Parameters
    ----------
    ort : module
        onnxruntime.
    device : {"auto", "cpu", "cuda", "cuda:N", "tensorrt", "openvino"}
    providers : sequence or None
        onnxruntime's own list, instead of a device other than "auto".
    cuda_graphs : bool
        Capture one CUDA graph per batch size.

    Returns
    -------
    providers : list
        The CPU last, for what the device does not compute.
    strict : bool
        Whether all of them must start.

    Raises
    ------
    ConfigError
        Both were given, or an unknown device.
    DeviceError
        This onnxruntime does not have a provider that was asked for.
    """
    if providers is not None:
        if device != "auto":
            raise ConfigError(
                f"device is {device!r} and providers is {list(providers)!r}; give one of the two."
            )
        chosen = list(providers)
        if not chosen:
            raise ConfigError(f"providers is empty; name at least one, such as {CPU!r}.")
        _require_listed(ort, f"providers is {chosen!r}", chosen)
        return chosen, True
    if device == "auto":
        return _automatic(ort, cuda_graphs), False
    chosen = _of_device(device, cuda_graphs)
    _require_listed(ort, f"device is {device!r}", chosen)
    return chosen, True


def name_of(provider: Provider) -> str:
    """Return a provider's name."""
    return provider if isinstance(provider, str) else provider[0]


def require_started(asked: Sequence[Provider], got: Sequence[str], reason: str = "") -> None:
    """Raise :class:`DeviceError` unless every provider asked for is there, in that order."""
    wanted = [name_of(provider) for provider in asked]
    if [name for name in got if name in wanted] == wanted:
        return
    missing = [name for name in wanted if name not in got] or wanted
    raise DeviceError(
        f"{', '.join(missing)} is listed by onnxruntime and did not start"
        f"{f' ({reason})' if reason else ''}; it loaded {', '.join(got) or 'nothing'}. Run "
        "`regimetry doctor` to see what is missing, or use device='cpu'."
    )


def _automatic(ort: ModuleType, cuda_graphs: bool) -> list[Provider]:
    if CUDA not in ort.get_available_providers():
        return [CPU]
    if not has_cuda_driver():
        _LOGGER.info("This machine has no CUDA driver; running on the CPU.")
        return [CPU]
    return _of_device("cuda", cuda_graphs)


def _of_device(device: str, cuda_graphs: bool) -> list[Provider]:
    kind, colon, number = device.partition(":")
    if device == "cpu":
        return [CPU]
    if device == "openvino":
        return [OPENVINO, CPU]
    if kind not in ("cuda", "tensorrt") or (colon and not (kind == "cuda" and number.isdecimal())):
        raise ConfigError(
            f"device is {device!r}; it must be 'auto', 'cpu', 'cuda', 'cuda:N', 'tensorrt' or "
            "'openvino'."
        )
    # The arena grows by what a run asks for, not to the next power of two; products keep all bits
    # of float32, as the file was verified.
    options: dict[str, Any] = {"arena_extend_strategy": "kSameAsRequested", "use_tf32": "0"}
    if number:
        options["device_id"] = int(number)
    if cuda_graphs:
        options["enable_cuda_graph"] = "1"
    cuda: list[Provider] = [(CUDA, options), CPU]
    return [TENSORRT, *cuda] if kind == "tensorrt" else cuda


def _require_listed(ort: ModuleType, asked: str, providers: Sequence[Provider]) -> None:
    listed = ort.get_available_providers()
    missing = [name for name in map(name_of, providers) if name not in listed]
    if missing:
        raise DeviceError(
            f"{asked}, and this onnxruntime has no {missing[0]} (it has {', '.join(listed)}). "
            + _REMEDIES.get(missing[0], "Use one of those.")
        )


def has_cuda_driver() -> bool:
    """Return whether NVIDIA's driver is there; without it every attempt fails, with much noise."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def preload_cuda(ort: ModuleType) -> None:
    """Load the CUDA libraries that pip installed, if it did, so that the provider finds them."""
    if not hasattr(ort, "preload_dlls") or util.find_spec("nvidia") is None:
        return
    said = io.StringIO()
    with contextlib.redirect_stdout(said):  # it prints what it does not find
        ort.preload_dlls()
    for line in said.getvalue().splitlines():
        _LOGGER.info("%s", line)
