"""A model file that is read once and checked: bytes, contract, and what its graph computes."""

from __future__ import annotations

from os import PathLike
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import (
    FORMAT_KEY,
    INPUT_NAME,
    SEALED_VERSION,
    SERIES_INPUT_NAME,
    Signature,
    read_contract,
)
from regimetry.contract.signature import FLOAT, INTEGER
from regimetry.errors import ModelError
from regimetry.runtime.graphfile import GraphFile
from regimetry.runtime.whole import COUNT, WholeGraph

_ELEMENTS = {1: FLOAT, 7: INTEGER}  # TensorProto.DataType


class CheckedFile:
    """A model file of either form, whose graph and metadata agree.

    Parameters
    ----------
    source : path or bytes
        The file, which is read once, or its content.
    sha256 : str or None
        The sum that the file must have.

    Attributes
    ----------
    graph : GraphFile
        The bytes.
    contract : ModelContract
    form : {"window", "series"}
        The name of the graph's input.

    Raises
    ------
    ModelError
        The file is missing, damaged, changed, no regimetry model, of a format version that this
        release cannot read; or its graph and its metadata contradict each other; or a window takes
        more memory or time than any model that regimetry writes.
    """

    def __init__(self, source: str | PathLike[str] | bytes, sha256: str | None = None) -> None:
        graph = self.graph = GraphFile.read(source, sha256=sha256)
        contract = self.contract = read_contract(graph.metadata, graph.name)
        if graph.seal is None and int(graph.metadata[FORMAT_KEY]) >= SEALED_VERSION:
            raise ModelError(
                f"{graph.name} is of format version {graph.metadata[FORMAT_KEY]} and has lost its "
                "seal. It was changed after it was written; copy it again, or fit and save again."
            )
        series = SERIES_INPUT_NAME.encode() in graph.inputs
        self.form = SERIES_INPUT_NAME if series else INPUT_NAME
        signature = Signature.of(contract, self.form)
        self._require_equal(_given(graph), {signature.input.name: tuple(signature.input[1:])})
        _, _, shape = signature.input
        # A series has one window more than another if it has one row more.
        count = contract.window_rows + COUNT - 1 if series else COUNT
        self._whole = WholeGraph(graph, self.form, (count, *shape))
        promised = {t.name: (t.dtype, t.shape) for t in signature.outputs}
        self._require_equal(self._whole.outputs, promised)
        self._require_equal(_stated(graph, self._whole.outputs), promised)

    @property
    def identity(self) -> str:
        """The seal; without one, the contract's fingerprint. Of another model it is another one."""
        return self.graph.seal or self.contract.fingerprint

    def try_windows(self) -> None:
        """Run typical windows through the whole graph, of the window form.

        Raises
        ------
        ModelError
            It does not run, gives something that is not finite, or gives a window other outputs
            beside other windows.
        """
        windows = _typical(self)
        first, second = (self._whole.run(windows[[0, other]]) for other in (1, 2))
        for name, found, again in zip(self._whole.outputs, first, second, strict=True):
            if not np.isfinite(found).all():
                raise ModelError(
                    f"{self.graph.name} gives {name} that are not finite for windows as those of "
                    "its training. It was changed or damaged; copy it again, or fit and save again."
                )
            if not np.array_equal(found[0], again[0]):
                raise ModelError(
                    f"{self.graph.name} gives one window another {name} when other windows stand "
                    "beside it, so its labels would depend on how a series is cut. regimetry "
                    "writes no such file; fit and save again."
                )

    def _require_equal(self, found: dict[str, Any], promised: dict[str, Any]) -> None:
        if found != promised:
            raise ModelError(
                f"The graph of {self.graph.name} has {_listed(found)}; its metadata promise "
                f"{_listed(promised)}. The file was changed after it was written; fit and save "
                "again."
            )


def _given(graph: GraphFile) -> dict[str, Any]:
    """Return type and shape of the inputs to be given; a batch of fixed size stays in the shape."""
    return {
        name.decode(errors="replace"): (
            _ELEMENTS.get(declared.element, declared.element),
            declared.sizes[declared.sizes[:1] == (None,) :],
        )
        for name, declared in graph.inputs.items()
        if name not in graph.initializers
    }


def _stated(graph: GraphFile, computed: dict[str, Any]) -> dict[str, Any]:
    """Return type and shape of the outputs as they are declared; what is not, as computed."""
    found = {}
    for name, (dtype, shape) in computed.items():
        declared = graph.outputs[name.encode()]
        sizes = declared.sizes[1:] or shape
        if len(sizes) == len(shape):
            sizes = tuple(b if a is None else a for a, b in zip(sizes, shape, strict=True))
        element = declared.element
        found[name] = (_ELEMENTS.get(element, element) if element else dtype), sizes
    return found


def _listed(kinds: dict[str, Any]) -> str:
    return ", ".join(f"{name} {dtype}{shape}" for name, (dtype, shape) in kinds.items()) or "none"


def _typical(file: CheckedFile) -> NDArray[np.float32]:
    """Return three windows (3, R, F) that are spread as the training rows were."""
    contract = file.contract
    shape = (COUNT + 1, contract.window_rows, contract.n_features)
    noise = np.random.default_rng(0).standard_normal(shape)
    with np.errstate(all="ignore"):  # of a damaged file
        rows = np.asarray(contract.mean) + noise / np.asarray(contract.scale)
        sums = np.cumsum(rows, axis=1)
        found = {
            "level": rows,
            "difference": sums,
            "log_difference": np.exp(np.clip(sums, -50, 50)),
        }
        windows = np.stack(
            [found[name][..., i] for i, name in enumerate(contract.transforms)], axis=-1
        )
        return cast("NDArray[np.float32]", windows.astype(np.float32))
