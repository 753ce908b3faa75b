"""The whole graph, opened once to be checked: what it computes is measured before it runs.

onnxruntime itself says how large each value of a graph is, if all of them are outputs and the batch
is a number. So a file that would take hours or all memory is refused in a sentence, without a run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract.signature import FLOAT, INTEGER
from regimetry.errors import ModelError
from regimetry.runtime.graphfile import GraphFile, Node
from regimetry.runtime.onnx_messages import (
    GRAPH_INITIALIZER,
    GRAPH_INPUT,
    GRAPH_NAME,
    GRAPH_OUTPUT,
    SHAPE_SIZE,
    SIZE_NUMBER,
    TENSOR_ELEMENT,
    TENSOR_NAME,
    TENSOR_RAW,
    TENSOR_SHAPE,
    TENSOR_SIZES,
    TENSOR_TYPE_OF,
    TYPE_TENSOR,
    VALUE_NAME,
    VALUE_TYPE,
)
from regimetry.runtime.part import as_model, leading_to
from regimetry.runtime.protobuf import as_field, as_number
from regimetry.runtime.session import first_line, is_of_run, open_session, reading

COUNT = 2
"""Windows of the run that is measured and tried: one, and one beside it."""

MOST_BYTES = 2**29
"""Of all values that are computed for one window. Attention of 4 heads over 1000 bars has 32 MB."""

MOST_WORK = 2 * 10**10
"""Multiplications for one window: seconds of one core, where a tick takes .1 ms."""

Kind = tuple[tuple[int, ...], np.dtype[Any]]
"""Shape without the batch, and type, of an input or output.

Of a file from elsewhere a size or a type may be onnxruntime's own word for it; ``checked_contract``
refuses such a file.
"""

DTYPES: dict[str, Any] = {"tensor(float)": FLOAT, "tensor(int64)": INTEGER}
_FLOAT, _INTEGER = 1, 7  # TensorProto.DataType
_POOLS = ("AveragePool", "LRN", "MaxPool")
_BYTES = {"tensor(bool)": 1, "tensor(float16)": 2, "tensor(int32)": 4}

_Values = dict[bytes, tuple[tuple[int, ...] | None, Any]]
"""Sizes, if they are known, and type of each value of a graph."""


class WholeGraph:
    """A session of the whole graph on the CPU, without optimisation, for :data:`COUNT` windows.

    Parameters
    ----------
    graph : GraphFile
    name : str
        Of the input that is given; it is float32.
    shape : tuple of int
        Of what is given to it.

    Attributes
    ----------
    outputs : dict of str to (dtype, tuple of int)
        What the graph really computes for its outputs, without the first dimension.

    Raises
    ------
    ModelError
        onnxruntime cannot read it, a size depends on data, or it takes more memory or time than
        any model that regimetry writes.
    """

    def __init__(self, graph: GraphFile, name: str, shape: tuple[int, ...]) -> None:
        self._graph, self._input = graph, (name, shape)
        self._source = {label: node for node in graph.nodes for label in node.outputs}
        self._constants: dict[bytes, NDArray[np.int64]] = {}
        found = self._open(graph.nodes)
        while unknown := frozenset(n for n, (sizes, _) in found.items() if sizes is None):
            self._require_modest(found)
            settled = self._settled(unknown)
            if not settled:
                raise ModelError(
                    f"In {graph.name} the size of {min(unknown).decode(errors='replace')!r} cannot "
                    "be told before it runs. regimetry writes no such file; fit and save again."
                )
            self._constants |= settled
            found = self._open(graph.nodes)
        self._require_modest(found)
        self.outputs: dict[str, tuple[Any, tuple[int, ...]]] = {}
        for label in graph.outputs:
            sizes, kind = found.get(label, ((), "nothing"))
            self.outputs[label.decode(errors="backslashreplace")] = (kind, tuple(sizes or ())[1:])

    def run(self, values: NDArray[np.float32]) -> list[NDArray[Any]]:
        """Return the outputs, in the order of the file, for an input of the shape."""
        try:
            found: list[NDArray[Any]] = self._session.run([*self.outputs], {self._input[0]: values})
        except Exception as error:
            if not is_of_run(error):
                raise
            raise ModelError(
                f"{self._graph.name} does not run ({first_line(error)}). The file was changed "
                "after it was written, or memory is short; fit and save again."
            ) from error
        return found

    def _open(self, nodes: Sequence[Node]) -> _Values:
        """Open a session of these nodes; return sizes and type of each value that it computes."""
        made = _fields(self._graph, nodes, self._constants, *self._input)
        name, content = self._graph.name, as_model(self._graph, made)
        self._session = open_session(content, name=name, device="cpu", optimise=False)
        with reading(name):  # names in the file may be no text
            return {
                value.name.encode(): (
                    tuple(value.shape) if all(type(n) is int for n in value.shape) else None,
                    DTYPES.get(value.type, value.type),
                )
                for value in self._session.get_outputs()
            }

    def _settled(self, unknown: frozenset[bytes]) -> dict[bytes, NDArray[np.int64]]:
        """Compute the numbers that say how large some of the unknown values are.

        onnxruntime does not follow all ways to compute them. What leads to them is measured
        already; it may read sizes, not data.
        """
        asked = {
            label
            for node in self._graph.nodes
            if not unknown.intersection(node.inputs) and unknown.intersection(node.outputs)
            for label in node.inputs[node.operator not in ("Range", "ConstantOfShape") :]
            if not self._reads_data(label)
        }
        asked -= self._constants.keys() | self._graph.initializers.keys() | {b""}
        if not asked:
            return {}
        self._open([n for n in leading_to(self._graph, asked) if not self._is_constant(n)])
        name, shape = self._input
        names = [label.decode() for label in asked]
        found = self._session.run(names, {name: np.ones(shape, np.float32)})
        return {
            label: array
            for label, array in zip(asked, found, strict=True)
            if array.dtype == np.int64
        }

    def _reads_data(self, label: bytes) -> bool:
        """Return whether a value depends on the input by more than its size."""
        waiting, seen = [label], set()
        while waiting:
            label = waiting.pop()
            if label in self._graph.inputs and label not in self._graph.initializers:
                return True
            node = self._source.get(label)
            if node is not None and label not in seen and node.operator not in ("Shape", "Size"):
                waiting += node.inputs
            seen.add(label)
        return False

    def _is_constant(self, node: Node) -> bool:
        return not self._constants.keys().isdisjoint(node.outputs)

    def _require_modest(self, found: _Values) -> None:
        name, shape = self._input
        sizes = {
            name.encode(): shape,
            **{label: weight.sizes for label, weight in self._graph.initializers.items()},
            **{label: known for label, (known, _) in found.items() if known is not None},
        }
        n_bytes = sum(math.prod(known) * _bytes_of(kind) for known, kind in found.values() if known)
        work = sum(_work(node, sizes) for node in self._graph.nodes)
        for total, most, what in (
            (n_bytes, MOST_BYTES, "bytes of memory"),
            (work, MOST_WORK, "multiplications"),
        ):
            if total > COUNT * most:
                raise ModelError(
                    f"{self._graph.name} takes {total / COUNT:.1e} {what} for one window; at most "
                    f"{most:.1e} are allowed. It is no model that regimetry wrote, or its window "
                    "or encoder is too large to be of use; fit a smaller one."
                )


def _fields(
    graph: GraphFile,
    nodes: Sequence[Node],
    constants: Mapping[bytes, NDArray[np.int64]],
    name: str,
    shape: tuple[int, ...],
) -> list[memoryview | bytes]:
    """Return the fields of a graph with a fixed input and with every value as an output.

    Where a node gives one of the constants, this stands in its place.
    """
    sizes = b"".join(b"".join(as_field(SHAPE_SIZE, [as_number(SIZE_NUMBER, n)])) for n in shape)
    tensor = as_number(TENSOR_ELEMENT, _FLOAT) + b"".join(as_field(TENSOR_SHAPE, [sizes]))
    kind = b"".join(as_field(TYPE_TENSOR, [tensor]))
    given = [*as_field(VALUE_NAME, [name.encode()]), *as_field(VALUE_TYPE, [kind])]
    kept = [node for node in nodes if constants.keys().isdisjoint(node.outputs)]
    labels = [label for node in kept if node.operator != "Constant" for label in node.outputs]
    return [
        *(node.whole for node in kept),
        *as_field(GRAPH_NAME, [b"whole"]),
        *(weight.whole for weight in graph.initializers.values()),
        *(part for pair in constants.items() for part in _as_weight(*pair)),
        *as_field(GRAPH_INPUT, given),
        *(
            part
            for label in labels
            if label
            for part in as_field(GRAPH_OUTPUT, [*as_field(VALUE_NAME, [label])])
        ),
    ]


def _as_weight(label: bytes, value: NDArray[np.int64]) -> list[memoryview | bytes]:
    data = value.astype("<i8").tobytes()
    sizes = b"".join(as_number(TENSOR_SIZES, n) for n in value.shape)
    head = [sizes + as_number(TENSOR_TYPE_OF, _INTEGER), *as_field(TENSOR_NAME, [label])]
    return as_field(GRAPH_INITIALIZER, [*head, *as_field(TENSOR_RAW, [data])])


def _bytes_of(kind: Any) -> int:
    """Return the bytes of an entry, 8 of a type that is not listed."""
    return kind.itemsize if isinstance(kind, np.dtype) else _BYTES.get(kind, 8)


def _work(node: Node, known: Mapping[bytes, tuple[int, ...]]) -> float:
    """Bound the multiplications of a node, from the sizes of what it reads and gives."""
    reads = [known[name] for name in node.inputs if name in known]
    gives = [known[name] for name in node.outputs if name in known]
    entries = [math.prod(shape) for shape in (*reads, *gives)]
    if not reads or not gives:
        return sum(entries)
    if node.operator in ("MatMul", "Gemm", "Einsum"):
        # Every index stands in two of the three tensors (Atserias, Grohe, Marx 2013).
        return math.sqrt(math.prod(entries[:2]) * entries[-1]) + sum(entries)
    if node.operator.startswith("Conv") and len(reads) > 1:
        return max(entries[0], entries[-1]) * entries[1] / max(1, reads[1][0])
    if node.operator in ("GRU", "LSTM", "RNN"):
        return math.prod(reads[0][:2]) * sum(map(math.prod, reads[1:]))
    if node.operator in _POOLS:
        return sum(entries) * math.prod(reads[0][2:])
    return sum(entries)
