"""The one place that builds an onnxruntime session."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import INPUT_NAME
from regimetry.errors import DeviceError, ModelError
from regimetry.runtime.graphfile import require_plain_graph
from regimetry.runtime.providers import (
    CPU,
    CUDA,
    Provider,
    choose_providers,
    import_onnxruntime,
    preload_cuda,
    require_started,
)

_LOGGER = logging.getLogger("regimetry")
_DTYPES: dict[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(int64)": np.dtype(np.int64),
}


class Session:
    """A model on a device, ready to run; any number of threads may share it.

    One run uses one thread: with more, a single window becomes slower at its worst, and batches
    gain less than from as many runs side by side, which is how :func:`run_windows` uses threads.
    So there is no pool of idle threads either, and nothing spins. Memory is bounded by the sizes
    of batch that are run, since onnxruntime's arena keeps what the largest needs and one plan a
    size; callers keep to few sizes.

    In a forked child the session opens again when it is first used: the parent's may be locked
    there by a thread that the child does not have. What a device holds does not survive a fork, so
    only the CPU goes on.

    Parameters
    ----------
    source : Path or bytes
        The model file, or its content.
    device : {"auto", "cpu", "cuda", "cuda:N", "tensorrt", "openvino"}
        Only "auto" may fall back to the CPU, and says so once through ``logging``.
    providers : sequence or None
        onnxruntime's own list of providers, instead of a device.
    arena : bool
        Keep memory between runs; without, each run takes it from the system and gives it back.
    cuda_graphs : bool
        On CUDA, capture the run of each batch size once and replay it.

    Attributes
    ----------
    provider : str
        What really computes.
    input_shape : tuple of int
        (R, F) of a window.
    outputs : dict of str to (tuple of int, dtype)
        Shape and type of each output, without the batch.
    metadata : dict of str to str
        The file's ``metadata_props``.

    Raises
    ------
    ConfigError
        An unknown device, or a device and providers at once.
    DeviceError
        The device did not load.
    ModelError
        The file is missing, damaged, not a model that onnxruntime reads, or holds what regimetry
        never writes.
    InstallError
        None or several onnxruntime distributions are installed.
    """

    def __init__(
        self,
        source: Path | bytes,
        *,
        device: str = "auto",
        providers: Sequence[Provider] | None = None,
        arena: bool = True,
        cuda_graphs: bool = False,
    ) -> None:
        # A child may stand in another folder when it opens the file again.
        self._source = source if isinstance(source, bytes) else source.absolute()
        self._name = "The model" if isinstance(source, bytes) else str(source)
        self._asked = (device, providers, arena)
        self.lock = threading.Lock()
        self.cuda_graphs = cuda_graphs
        self.device_buffers: dict[int, Any] = {}
        self._open()

    @property
    def raw(self) -> Any:
        """The ``onnxruntime.InferenceSession`` of this process."""
        if self._pid != os.getpid():
            self._open_in_child()
        return self._raw

    @property
    def device_id(self) -> int | None:
        """Number of the CUDA device that computes, ``None`` where results are in main memory."""
        if self.provider != CUDA:
            return None
        return int(self._raw.get_provider_options()[CUDA]["device_id"])

    def empty_outputs(self, count: int, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return arrays for the named outputs of ``count`` windows."""
        kinds = {name: self.outputs[name] for name in names}
        return {name: np.empty((count, *shape), dtype) for name, (shape, dtype) in kinds.items()}

    def failed(self, error: Exception) -> ModelError:
        """Return what to raise where a run did not succeed."""
        return ModelError(
            f"{self._name} does not run ({first_line(error)}). The file was changed after it was "
            "written, or memory is short; fit and save again, or use smaller batches."
        )

    def _open(self) -> None:
        device, providers, arena = self._asked
        ort = import_onnxruntime()
        asked, strict = choose_providers(ort, device, providers, cuda_graphs=self.cuda_graphs)
        if isinstance(self._source, Path) and not self._source.is_file():
            raise ModelError(f"There is no model file {self._name}. Make one: `regimetry fit`.")
        require_plain_graph(self._source, self._name)
        self._raw = self._create(ort, asked, strict=strict, arena=arena)
        self._pid = os.getpid()
        self.provider: str = self._raw.get_providers()[0]
        with self._reading():
            self._read_signature()
            self.metadata: dict[str, str] = self._raw.get_modelmeta().custom_metadata_map

    def _create(self, ort: ModuleType, asked: list[Provider], *, strict: bool, arena: bool) -> Any:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = arena
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        model = self._source if isinstance(self._source, bytes) else str(self._source)

        def create(providers: list[Provider]) -> Any:
            # Without this, onnxruntime falls back by itself and says so on standard output.
            return ort.InferenceSession(model, options, providers=providers, enable_fallback=0)

        reason = ""
        if asked == [CPU]:
            with self._reading():
                session = create(asked)
        else:
            preload_cuda(ort)
            try:
                session = create(asked)
            except Exception as error:
                reason = first_line(error)
                with self._reading():  # raises where it is the file's fault
                    session = create([CPU])
        try:
            require_started(asked, session.get_providers(), reason)
        except DeviceError as error:
            if strict:
                raise
            _LOGGER.warning("%s Running on the CPU.", error)
        return session

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            # onnxruntime's own exceptions have no public base; names in the file may be no text.
            own = type(error).__module__.startswith("onnxruntime")
            if not own and not isinstance(error, UnicodeDecodeError):
                raise
            raise ModelError(
                f"{self._name} cannot be read as an ONNX model; it is damaged or of another kind "
                f"({first_line(error)}). Copy it again, or fit and save again."
            ) from error

    def _read_signature(self) -> None:
        inputs, outputs = self._raw.get_inputs(), self._raw.get_outputs()
        for value in [*inputs, *outputs]:
            shape = value.shape
            if (
                value.type not in _DTYPES
                or not shape
                or isinstance(shape[0], int)
                or not all(isinstance(size, int) for size in shape[1:])
            ):
                raise ModelError(
                    f"{self._name}: {value.name!r} is {value.type} of shape {shape}; float32 or "
                    "int64 with the batch as its only open dimension is needed. Fit and save again."
                )
        if [value.name for value in inputs] != [INPUT_NAME] or len(inputs[0].shape) != 3:
            raise ModelError(
                f"{self._name} reads {[(value.name, value.shape) for value in inputs]}; one input "
                f"{INPUT_NAME!r} (batch, R, F) is needed. Fit and save again."
            )
        self.input_shape: tuple[int, int] = tuple(inputs[0].shape[1:])
        self.outputs: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {
            v.name: (tuple(v.shape[1:]), _DTYPES[v.type]) for v in outputs
        }

    def _open_in_child(self) -> None:
        if self.provider != CPU:
            raise DeviceError(
                f"This process was forked from one that runs the model on {self.provider}, which "
                "does not survive a fork. Start workers with the 'spawn' method of "
                "multiprocessing, or load the model in each of them."
            )
        with self.lock:
            if self._pid == os.getpid():
                return
            before = self.metadata
            self._open()
            if self.metadata != before:
                self._pid, self.metadata = 0, before  # so that the next use is refused as well
                raise ModelError(
                    f"{self._name} was replaced after this process's parent had opened it. Load it "
                    "anew, or keep the file until the workers have opened it."
                )


def first_line(error: Exception) -> str:
    """Return the first line of an exception's message."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
