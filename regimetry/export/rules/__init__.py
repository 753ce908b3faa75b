"""Exact rewrite rules: they make a graph that another program wrote small and fast.

Each rule has its own file. It replaces values of the graph by others that are equal for every
input (up to rounding). Rules are walks from an anchor, not patterns, so that they can say why a
place that almost fits does not fit.
"""

from __future__ import annotations

import onnx
import onnx_ir as ir
from onnx_ir.passes import common

from regimetry.contract import RuleReport
from regimetry.export.rules.attention import FoldedAttention
from regimetry.export.rules.constants import fold_constants
from regimetry.export.rules.convolution import Convolution
from regimetry.export.rules.dense import Dense
from regimetry.export.rules.layer_norm import LayerNorm
from regimetry.export.rules.reshapes import DeadReshape
from regimetry.export.rules.row_wise import Rows
from regimetry.export.rules.rule import Rule, apply

__all__ = ["RULES", "Rule", "optimise"]

RULES: tuple[Rule, ...] = (
    LayerNorm(),
    FoldedAttention(),
    Convolution(),
    Dense(),
    Rows(),
    DeadReshape(),
)
"""In the order in which they are applied."""


def optimise(
    model: onnx.ModelProto, rules: tuple[Rule, ...] = RULES
) -> tuple[onnx.ModelProto, tuple[RuleReport, ...]]:
    """Apply the rules to a model.

    Parameters
    ----------
    model : onnx.ModelProto
        The first dimension of every input is the batch; the others are fixed. Unchanged.
    rules : tuple of Rule

    Returns
    -------
    onnx.ModelProto
        The same inputs, outputs, opset and metadata; equal models give equal bytes.
    tuple of RuleReport
        One for each rule, in order.

    Raises
    ------
    ExportError
        The shapes of the graph contradict each other.
    """
    rewritten = ir.from_proto(model)
    fold_constants(rewritten)
    reports = tuple(apply(rule, rewritten) for rule in rules)
    common.DeduplicateInitializersPass()(rewritten)
    common.CommonSubexpressionEliminationPass()(rewritten)
    common.RemoveUnusedNodesPass()(rewritten)
    for value in rewritten.graph.outputs:
        if (node := value.producer()) is not None:
            node.name = value.name  # as every output's node is called, and some runtimes expect
    return ir.to_proto(rewritten), reports
