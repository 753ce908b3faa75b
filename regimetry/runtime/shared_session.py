"""One session for all threads of a process, and for the processes forked from it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DeviceError, ModelError
from regimetry.runtime.graphfile import GraphFile
from regimetry.runtime.part import cut
from regimetry.runtime.process_lock import ProcessLock
from regimetry.runtime.providers import CPU, CUDA, Provider
from regimetry.runtime.session import first_line, open_session, reading
from regimetry.runtime.whole import DTYPES, Kind


class SharedSession:
    """A model, or the part of it that some outputs need, on a device, ready to run.

    Any number of threads may share it.

    One run uses one thread: with more, a single window becomes slower at its worst, and batches
    gain less than from as many runs side by side, which is how :func:`run_windows` uses threads.
    So there is no pool of idle threads either, and nothing spins. Memory is bounded by the batch
    sizes that are run, since onnxruntime's arena keeps what the largest needs and one plan per
    size; callers use only a few sizes.

    In a forked child the session opens again when it is first used: the parent's may be locked
    there by a thread that the child does not have. What a device holds does not survive a fork, so
    only the CPU goes on.

    Both forms of a model are opened alike; whether it is one that regimetry wrote is left to
    :class:`~regimetry.runtime.checked.CheckedFile`.

    Parameters
    ----------
    source : GraphFile or bytes
        The model, or its content, which is then checked.
    needed : iterable of str or None
        The outputs that the session computes; all by default.
    device, providers, arena, cuda_graphs
        As for :func:`open_session`, whose errors it raises.

    Attributes
    ----------
    name : str
        What messages call the file.
    provider : str
        The provider that computes.
    inputs, outputs : dict of str to (tuple of int, dtype)
        Shape and type of each input and output, without the batch.
    """

    def __init__(
        self,
        source: GraphFile | bytes,
        needed: Iterable[str] | None = None,
        *,
        device: str = "auto",
        providers: Sequence[Provider] | None = None,
        arena: bool = True,
        cuda_graphs: bool = False,
    ) -> None:
        self._graph = GraphFile.read(source) if isinstance(source, bytes) else source
        self._needed = None if needed is None else frozenset(needed)
        self.name = self._graph.name
        self._asked: dict[str, Any] = {
            "device": device,
            "providers": providers,
            "arena": arena,
            "cuda_graphs": cuda_graphs,
        }
        self.lock = ProcessLock()
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
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input without the batch: (R, F) of a window."""
        return next(iter(self.inputs.values()))[0]

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
            f"{self.name} does not run ({first_line(error)}). The file was changed after it was "
            "written, or memory is short; fit and save again, or use smaller batches."
        )

    def _open(self) -> None:
        graph = self._graph
        content = graph.content if self._needed is None else cut(graph, self._needed)
        self._raw = open_session(content, name=self.name, **self._asked)
        self._pid = os.getpid()
        self.provider: str = self._raw.get_providers()[0]
        with reading(self.name):  # names in the file may be no text
            self.inputs = _declared(self._raw.get_inputs())
            self.outputs = _declared(self._raw.get_outputs())

    def _open_in_child(self) -> None:
        if self.provider != CPU:
            raise DeviceError(
                f"This process was forked from one that runs the model on {self.provider}, which "
                "does not survive a fork. Start workers with the 'spawn' method of "
                "multiprocessing, or load the model in each of them."
            )
        with self.lock.free():
            if self._pid != os.getpid():
                self._open()


def _declared(values: Sequence[Any]) -> dict[str, Kind]:
    """Return shape and type of inputs or outputs; a batch of fixed size stays in the shape."""
    found: dict[str, Kind] = {}
    for value in values:
        is_open = bool(value.shape) and not isinstance(value.shape[0], int)
        found[value.name] = tuple(value.shape[is_open:]), DTYPES.get(value.type, value.type)
    return found
