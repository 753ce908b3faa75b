"""One session for all threads of a process, and for the processes forked from it."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import INPUT_NAME, SERIES_INPUT_NAME
from regimetry.errors import DeviceError, ModelError
from regimetry.runtime.providers import CPU, CUDA, Provider
from regimetry.runtime.session import first_line, open_session, reading

_DTYPES: dict[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(int64)": np.dtype(np.int64),
}


class SharedSession:
    """A model on a device, ready to run; any number of threads may share it.

    One run uses one thread: with more, a single window becomes slower at its worst, and batches
    gain less than from as many runs side by side, which is how :func:`run_windows` uses threads.
    So there is no pool of idle threads either, and nothing spins. Memory is bounded by the sizes
    of batch that are run, since onnxruntime's arena keeps what the largest needs and one plan a
    size; callers keep to few sizes.

    In a forked child the session opens again when it is first used: the parent's may be locked
    there by a thread that the child does not have. What a device holds does not survive a fork, so
    only the CPU goes on.

    Parameters and errors are those of :func:`open_session`.

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
        self._asked: dict[str, Any] = {
            "device": device,
            "providers": providers,
            "arena": arena,
            "cuda_graphs": cuda_graphs,
        }
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
        self._raw = open_session(self._source, name=self._name, **self._asked)
        self._pid = os.getpid()
        self.provider: str = self._raw.get_providers()[0]
        with reading(self._name):
            self._read_signature()
            self.metadata: dict[str, str] = self._raw.get_modelmeta().custom_metadata_map

    def _read_signature(self) -> None:
        inputs, outputs = self._raw.get_inputs(), self._raw.get_outputs()
        if [value.name for value in inputs] == [SERIES_INPUT_NAME]:
            raise ModelError(
                f"{self._name} is of the series form, for other runtimes: it reads a whole series. "
                "Load the window form it was made from, which `regimetry fit` wrote."
            )
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
