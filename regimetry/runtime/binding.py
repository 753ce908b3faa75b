"""Batches of one size, read and written where they lie: onnxruntime's IO binding.

On the CPU both the windows and the results are the caller's arrays; nothing is copied and a run
allocates nothing that Python sees. On CUDA they pass through buffers on the device, one set per
batch size, whose addresses never change, as CUDA graphs need it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import INPUT_NAME
from regimetry.runtime.providers import import_onnxruntime
from regimetry.runtime.session import is_of_run
from regimetry.runtime.shared_session import SharedSession


def bind(
    session: SharedSession, windows: NDArray[np.float32], outputs: Mapping[str, NDArray[Any]]
) -> Callable[[], None]:
    """Return a function that runs ``windows`` into ``outputs``, as often as it is called.

    Parameters
    ----------
    session : SharedSession
    windows : ndarray of float32, shape (B, R, F)
        C-contiguous; read at every call.
    outputs : mapping of str to ndarray
        C-contiguous arrays of B rows of the types that the session states; written at every call.

    Returns
    -------
    callable
        Raises :class:`ModelError` where the run fails. For one thread at a time.
    """
    kind = _HostBatch if session.device_id is None else _DeviceBatch
    return kind(session, windows, outputs)


class _HostBatch:
    def __init__(
        self,
        session: SharedSession,
        windows: NDArray[np.float32],
        outputs: Mapping[str, NDArray[Any]],
    ) -> None:
        self._session = session
        # onnxruntime keeps addresses only: the arrays must live as long as this.
        self._windows, self._outputs = windows, outputs
        self._bind(session.raw)

    def _bind(self, raw: Any) -> None:
        self._raw, self._binding = raw, raw.io_binding()
        for name, array in [(INPUT_NAME, self._windows), *self._outputs.items()]:
            to = self._binding.bind_input if name == INPUT_NAME else self._binding.bind_output
            to(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    def __call__(self) -> None:
        raw = self._session.raw
        if raw is not self._raw:  # after a fork
            self._bind(raw)
        try:
            raw.run_with_iobinding(self._binding)
        except Exception as error:
            if not is_of_run(error):
                raise
            raise self._session.failed(error) from error


class _DeviceBatch:
    def __init__(
        self,
        session: SharedSession,
        windows: NDArray[np.float32],
        outputs: Mapping[str, NDArray[Any]],
    ) -> None:
        self._session, self._windows, self._outputs = session, windows, outputs

    def __call__(self) -> None:
        session, size = self._session, len(self._windows)
        _ = session.raw  # refuses a forked child before it waits for a lock
        with session.lock.free():  # the buffers are one set for all threads
            try:
                if size not in session.device_buffers:
                    session.device_buffers[size] = _DeviceBuffers(session, size)
                session.device_buffers[size].run(self._windows, self._outputs)
            except Exception as error:
                if not is_of_run(error):
                    raise
                raise session.failed(error) from error


class _DeviceBuffers:
    """Input and outputs of one batch size in device memory, and what runs them."""

    def __init__(self, session: SharedSession, size: int, device: str = "cuda") -> None:
        ort = import_onnxruntime()
        self._raw, self._binding = session.raw, session.raw.io_binding()

        def buffer(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
            return ort.OrtValue.ortvalue_from_shape_and_type(
                (size, *shape), dtype.type, device, session.device_id or 0
            )

        self._input = buffer(session.input_shape, np.dtype(np.float32))
        self._binding.bind_ortvalue_input(INPUT_NAME, self._input)
        self._outputs = {name: buffer(*kind) for name, kind in session.outputs.items()}
        for name, value in self._outputs.items():
            self._binding.bind_ortvalue_output(name, value)
        self._options = ort.RunOptions()
        if session.cuda_graphs:
            # One graph an id: the first run of an id captures it, later ones replay it.
            self._options.add_run_config_entry("gpu_graph_id", str(size))

    def run(self, windows: NDArray[np.float32], outputs: Mapping[str, NDArray[Any]]) -> None:
        self._input.update_inplace(windows)
        self._raw.run_with_iobinding(self._binding, self._options)
        for name, array in outputs.items():
            np.copyto(array, self._outputs[name].numpy())
