"""Files that would take hours or all memory, opened by a process of bounded memory."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Iterator

import numpy as np
import onnx
from onnx import helper, numpy_helper

import regimetry as rg
from benchmarks.attack import Attack, Place, python
from benchmarks.machine import peak_bytes
from regimetry.errors import ModelError
from regimetry.runtime import whole
from regimetry.runtime.seal import sealed

LIMIT_BYTES, LIMIT_S = 6 << 30, 120
MOST_S, MOST_BYTES = 10.0, 1 << 30


def _constants(**arrays: np.ndarray) -> list[onnx.TensorProto]:
    return [numpy_helper.from_array(array, name) for name, array in arrays.items()]


def _ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def _sizes(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def bombs() -> dict[str, tuple[list[onnx.NodeProto], list[onnx.TensorProto]]]:
    """Return nodes and constants of each bomb, by name."""
    node = helper.make_node
    products = [node("MatMul", ["a", "b"], ["p0"])]
    products += [node("MatMul", [f"p{i}"] * 2, [f"p{i + 1}"]) for i in range(60)]
    to_number = [
        node("ReduceMax", ["window"], ["m"], keepdims=0),
        node("Cast", ["m"], ["n"], to=7),
        node("Range", ["zero", "n", "one"], ["r"]),
    ]
    numbers = _constants(zero=np.array(0, np.int64), one=np.array(1, np.int64))
    return {
        "outer product": (
            [node("MatMul", ["a", "b"], ["o"])], _constants(a=_ones(20_000, 1), b=_ones(1, 20_000))
        ),
        "chain of products": (products, _constants(a=_ones(2000, 20), b=_ones(20, 2000))),
        "expand": ([node("Expand", ["v", "s"], ["o"])], _constants(v=_ones(1), s=_sizes(1 << 40))),
        "constant of shape": (
            [node("ConstantOfShape", ["s"], ["o"])], _constants(s=_sizes(1 << 20, 1 << 20))
        ),
        "tile": (
            [node("Tile", ["v", "s"], ["o"])], _constants(v=_ones(1, 1000), s=_sizes(10**6, 10**3))
        ),
        "pad": (
            [node("Pad", ["v", "s"], ["o"])],
            _constants(v=_ones(1, 9), s=_sizes(0, 0, 1 << 20, 1 << 20)),
        ),
        "one hot": (
            [node("OneHot", ["i", "d", "v"], ["o"])],
            _constants(i=np.zeros(1000, np.int64), d=np.array(10**8, np.int64), v=_ones(2)),
        ),
        "range of data": (to_number, numbers),
        "wide convolution": (
            [node("Conv", ["v", "w"], ["o"], pads=[10**5] * 2)],
            _constants(v=_ones(1, 1, 2 * 10**5), w=_ones(1, 1, 2 * 10**5)),
        ),
        "wide pool": (
            [node("AveragePool", ["v"], ["o"], kernel_shape=[400_001], pads=[2 * 10**5] * 2)],
            _constants(v=_ones(1, 1, 5 * 10**5)),
        ),
        "200000 nodes": (
            [node("Relu", [f"n{i}" if i else "window"], [f"n{i + 1}"]) for i in range(200_000)], []
        ),
    }  # fmt: skip


def _load(path: str, planted: bool) -> None:
    """Run in the child: print nothing where the file is refused in time and within memory."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    if planted:
        whole.MOST_BYTES = whole.MOST_WORK = 1 << 60
    begun = time.perf_counter()
    try:
        rg.load(path, device="cpu", threads=1)
        print("loaded")
    except ModelError as error:
        took = time.perf_counter() - begun
        if took > MOST_S or peak_bytes() > MOST_BYTES:
            print(f"refused after {took:.0f} s with {peak_bytes() >> 20} MiB: {error}")


def memory_bombs(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Open each bomb; planted: no limits."""
    path = place.room / "bomb.onnx"
    for name, (nodes, constants) in [*bombs().items()][: 1 if planted else tries]:
        model = onnx.load_from_string(place.model.read_bytes())
        for node in reversed(nodes[:100]):
            model.graph.node.insert(0, node)
        model.graph.node.extend(nodes[100:])
        model.graph.initializer.extend(constants)
        path.write_bytes(sealed(model.SerializeToString()))
        code = "import sys; from benchmarks.attack.bombs import _load; _load(sys.argv[1], %s)"
        try:
            found = subprocess.run(
                python(code % planted, path),
                capture_output=True, text=True, timeout=LIMIT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            yield f"{name}: no answer within {LIMIT_S} s"
            continue
        said = found.stdout.strip() or (found.returncode and f"exit code {found.returncode}")
        yield f"{name}: {said}" if said else None


ATTACKS = (Attack("bombs", len(bombs()), memory_bombs),)
