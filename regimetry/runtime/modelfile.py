"""A model file, opened and checked: its contract, and a session for each part of its graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from regimetry.contract import INPUT_NAME, Signature
from regimetry.errors import ConfigError, ModelError
from regimetry.parameters import require_choice, require_integer
from regimetry.runtime.batch import BATCH_SIZE
from regimetry.runtime.binding import bind
from regimetry.runtime.checked import CheckedFile
from regimetry.runtime.ending import running
from regimetry.runtime.part import closed
from regimetry.runtime.process_lock import ProcessLock
from regimetry.runtime.providers import CPU, Provider
from regimetry.runtime.shared_session import SharedSession
from regimetry.runtime.threads import available_threads


class Settings(TypedDict, total=False):
    """How a model runs; every entry has a default.

    Attributes
    ----------
    device : {"auto", "cpu", "cuda", "cuda:N", "tensorrt", "openvino"}
        Only "auto", the default, may fall back to the CPU, and says so once through ``logging``.
    providers : sequence
        onnxruntime's own list of providers, instead of a device.
    threads : int or None
        Batches that run at once; by default the CPUs this process may use. A stream uses one.
    batch_size : int
        Windows of one run, 64 by default; with ``threads`` it bounds the memory.
    arena : bool
        Keep onnxruntime's memory between runs (default); without, every run asks the system.
    warm_up : bool
        Run windows on loading (default): through the whole graph, so that one is refused that does
        not run, gives no finite numbers or mixes the windows of a batch; and through what labels
        need, so that the user's first is not the slowest.
    cuda_graphs : bool
        On CUDA, capture the run of each batch size once and replay it; off by default.
    """

    device: str
    providers: Sequence[Provider] | None
    threads: int | None
    batch_size: int
    arena: bool
    warm_up: bool
    cuda_graphs: bool


class ModelFile:
    """An open model file whose graph and metadata agree.

    The file is read once. What runs are the parts of its graph that lead to what is asked for, each
    in a session that is opened when it is first needed and kept. On loading, onnxruntime reads the
    whole graph, without the optimisation that takes most of the time, so that a graph which is
    damaged anywhere is refused; and the part that labels need is opened on the device.

    Pickles as its path and the sum of its bytes, and opens again there if the file still has them;
    as its content where it was made from bytes.

    Parameters
    ----------
    source : path or bytes
        The model file, or its content.
    sha256 : str or None
        The sum that the file must have, in hexadecimals.
    device, providers, threads, batch_size, arena, warm_up, cuda_graphs
        See :class:`Settings`.

    Attributes
    ----------
    graph : GraphFile
        The file's bytes.
    identity : str
        What snapshots name the model by.
    provider : str
        The execution provider that computes, as onnxruntime names it.
    features : OhlcvFeatures or None
        What the model computes from bars before the graph reads them.
    schema : Schema
        Columns of the rows that the model takes: those of the graph, or of bars.
    rows : int
        How many of those rows a label needs: R, or R and the warm-up of the features.

    Raises
    ------
    ModelError
        The file is missing, damaged, changed, or not a regimetry model, or its graph and its
        metadata contradict each other.
    DeviceError
        The device did not load.
    ConfigError
        A setting has a value that is not allowed.
    InstallError
        None or several onnxruntime distributions are installed.
    """

    def __init__(
        self,
        source: str | PathLike[str] | bytes,
        *,
        sha256: str | None = None,
        device: str = "auto",
        providers: Sequence[Provider] | None = None,
        threads: int | None = None,
        batch_size: int = BATCH_SIZE,
        arena: bool = True,
        warm_up: bool = True,
        cuda_graphs: bool = False,
    ) -> None:
        if threads is not None:
            require_integer("threads", threads, 1, other="None or ")
        require_integer("batch_size", batch_size, 1)
        self.threads = threads or available_threads()
        self.batch_size = batch_size
        self.source = source if isinstance(source, bytes) else Path(source)
        checked = CheckedFile(source, sha256)
        self.graph, self.contract = checked.graph, checked.contract
        self.outputs = tuple(Signature.of(self.contract).output_names)
        self.identity = checked.identity
        self._settings = Settings(
            device=device,
            providers=providers,
            threads=threads,
            batch_size=batch_size,
            arena=arena,
            warm_up=warm_up,
            cuda_graphs=cuda_graphs,
        )
        if checked.form != INPUT_NAME:
            raise ModelError(
                f"{self.graph.name} is of the series form, for other runtimes: it reads a whole "
                "series. Load the window form it was made from, which `regimetry fit` wrote."
            )
        self.features = self.contract.training.features
        self.schema, self.rows = self.contract.schema, self.contract.window_rows
        if self.features is not None:
            self.schema, self.rows = self.features.schema, self.rows + self.features.warm_up
        self._placing: dict[str, Any] = {
            "device": device,
            "providers": providers,
            "arena": arena,
            "cuda_graphs": cuda_graphs,
        }
        self._sessions: dict[frozenset[str], SharedSession] = {}
        self._lock = ProcessLock()
        first = self.session(["distance"])
        self.provider = first.provider
        if device == "auto" and providers is None and first.provider == CPU:
            self._placing["device"] = "cpu"  # what did not start is not tried again for each part
        if warm_up:
            window = np.ones((1, *first.input_shape), np.float32)
            with running():
                checked.try_windows()
                bind(first, window, first.empty_outputs(1, list(first.outputs)))()

    def __getstate__(self) -> dict[str, Any]:
        # Workers may stand in another folder.
        source = self.source if isinstance(self.source, bytes) else self.source.absolute()
        return {"source": source, "settings": self._settings, "sha256": self.graph.sha256}

    def __setstate__(self, state: dict[str, Any]) -> None:
        ModelFile.__init__(self, state["source"], sha256=state["sha256"], **state["settings"])

    def session(self, outputs: Iterable[str]) -> SharedSession:
        """Return a session that computes these outputs, and others at most on the way to them.

        Raises
        ------
        ConfigError
            There is no such output, or none is named.
        ModelError, DeviceError
            It does not open.
        """
        asked = frozenset(outputs)
        if not asked:
            raise ConfigError(f"outputs is empty; name some of {', '.join(self.outputs)}.")
        if asked not in self._sessions:
            for name in sorted(asked):
                require_choice("outputs", name, self.outputs)
            with self._lock.free():
                needed = closed(self.graph, asked)
                if needed not in self._sessions:
                    self._sessions[needed] = SharedSession(self.graph, needed, **self._placing)
                self._sessions[asked] = self._sessions[needed]
        return self._sessions[asked]
