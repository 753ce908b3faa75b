"""Nodes whose inputs are all constant, computed once."""

from __future__ import annotations

from typing import Any

import onnx
import onnx_ir as ir
from onnx.reference import ReferenceEvaluator
from onnx_ir.passes import common


def fold_constants(model: ir.Model) -> None:
    """Replace nodes of constant inputs by their values, which ONNX's reference evaluator gives."""
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    graph = model.graph
    for node in list(graph):
        known = [value is None or value.const_value is not None for value in node.inputs]
        if not node.inputs or not all(known) or any(v.is_graph_output() for v in node.outputs):
            continue
        for value, array in zip(node.outputs, _evaluate(node, model), strict=True):
            folded = ir.Value(name=f"{value.name}/folded", const_value=ir.tensor(array))
            graph.register_initializer(folded)
            value.replace_all_uses_with(folded)
    common.RemoveUnusedNodesPass()(model)


def _evaluate(node: ir.Node, model: ir.Model) -> list[Any]:
    """Run one node alone."""
    inputs = {
        str(value.name): value.const_value.numpy()
        for value in node.inputs
        if value is not None and value.const_value is not None
    }
    graph = onnx.helper.make_graph(
        [ir.to_proto(node)],
        "constant",
        [
            onnx.helper.make_tensor_value_info(
                name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in inputs.items()
        ],
        [onnx.helper.make_empty_tensor_value_info(str(value.name)) for value in node.outputs],
    )
    opsets = [onnx.helper.make_opsetid(*item) for item in model.opset_imports.items()]
    alone = onnx.helper.make_model(graph, opset_imports=opsets)
    return list(ReferenceEvaluator(alone).run(None, inputs))
