"""A model file, opened and checked: its session and its contract, which must agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from regimetry.contract import (
    INPUT_NAME,
    OUTPUT_NAMES,
    SERIES_INPUT_NAME,
    ModelContract,
    Signature,
    Tensor,
    read_contract,
)
from regimetry.errors import ModelError
from regimetry.parameters import require_integer
from regimetry.runtime.batch import BATCH_SIZE
from regimetry.runtime.binding import bind
from regimetry.runtime.providers import Provider
from regimetry.runtime.shared_session import Kind, SharedSession
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
        Run one window on loading (default), so that the user's first is not the slowest.
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

    Pickles as its path and opens again there; as its content where it was made from bytes.

    Parameters
    ----------
    source : path or bytes
        The model file, or its content.
    device, providers, threads, batch_size, arena, warm_up, cuda_graphs
        See :class:`Settings`.

    Attributes
    ----------
    features : OhlcvFeatures or None
        What the model computes from bars before the graph reads them.
    schema : Schema
        Columns of the rows that the model takes: those of the graph, or of bars.
    rows : int
        How many of those rows a label needs: R, or R and the warm-up of the features.

    Raises
    ------
    ModelError
        The file is missing, damaged, or not a regimetry model, or its graph and its metadata
        contradict each other.
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
        self._settings = Settings(
            device=device,
            providers=providers,
            threads=threads,
            batch_size=batch_size,
            arena=arena,
            warm_up=warm_up,
            cuda_graphs=cuda_graphs,
        )
        self.session = SharedSession(
            self.source, device=device, providers=providers, arena=arena, cuda_graphs=cuda_graphs
        )
        self.contract, form = checked_contract(self.session)
        if form != INPUT_NAME:
            raise ModelError(
                f"{self.session.name} is of the series form, for other runtimes: it reads a whole "
                "series. Load the window form it was made from, which `regimetry fit` wrote."
            )
        self.features = self.contract.training.features
        self.schema, self.rows = self.contract.schema, self.contract.window_rows
        if self.features is not None:
            self.schema, self.rows = self.features.schema, self.rows + self.features.warm_up
        if warm_up:
            window = np.ones((1, *self.session.input_shape), np.float32)
            bind(self.session, window, self.session.empty_outputs(1, OUTPUT_NAMES))()

    def __getstate__(self) -> dict[str, Any]:
        # Workers may stand in another folder.
        source = self.source if isinstance(self.source, bytes) else self.source.absolute()
        fingerprint = self.contract.fingerprint
        return {"source": source, "settings": self._settings, "fingerprint": fingerprint}

    def __setstate__(self, state: dict[str, Any]) -> None:
        ModelFile.__init__(self, state["source"], **state["settings"])
        if self.contract.fingerprint != state["fingerprint"]:
            raise ModelError(
                f"{state['source']} is not the model that was pickled; a model pickles as its "
                "path. Keep the file until the workers have loaded it."
            )

    @property
    def content(self) -> bytes:
        """The content of the file."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()


def checked_contract(session: SharedSession) -> tuple[ModelContract, str]:
    """Read the metadata of a file, and check that its graph agrees with them.

    Parameters
    ----------
    session : SharedSession
        Of either form of a model.

    Returns
    -------
    contract : ModelContract
    form : {"window", "series"}
        The name of the graph's input.

    Raises
    ------
    ModelError
        No regimetry model, a format version that this release cannot read, damaged metadata, or
        metadata that contradict the graph.
    """
    contract = read_contract(session.metadata, session.name)
    form = SERIES_INPUT_NAME if SERIES_INPUT_NAME in session.inputs else INPUT_NAME
    signature = Signature.of(contract, form)
    reads, gives = _kinds([signature.input]), _kinds(signature.outputs)
    if (session.inputs, session.outputs) != (reads, gives):
        raise ModelError(
            f"The graph of {session.name} reads {_listed(session.inputs)} and gives "
            f"{_listed(session.outputs)}; its metadata promise {_listed(reads)} and "
            f"{_listed(gives)}. The file was changed after it was written; fit and save again."
        )
    return contract, form


def _kinds(tensors: Iterable[Tensor]) -> dict[str, Kind]:
    return {name: (shape, dtype) for name, dtype, shape in tensors}


def _listed(kinds: dict[str, Kind]) -> str:
    return ", ".join(f"{name} {dtype}{shape}" for name, (shape, dtype) in kinds.items())
