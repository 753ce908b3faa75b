"""What a rule is, and how one is applied to a graph."""

from __future__ import annotations

from typing import Protocol

import onnx_ir as ir
from onnx_ir.passes import common

from regimetry.contract import RuleReport
from regimetry.export.rules.cost import cost_of
from regimetry.export.rules.matching import Declined
from regimetry.export.shapes import annotate, dims
from regimetry.export.tape import Tape


class Rule(Protocol):
    """Replaces one value of a graph by another that equals it for every input."""

    name: str

    def anchors(self, node: ir.Node) -> bool:
        """Whether the rule could apply at this node; where it could, it has to say why not."""

    def rewrite(self, node: ir.Node, tape: Tape) -> tuple[ir.Value, ir.Value]:
        """Return the value to replace and its replacement, recorded on the tape.

        Raises
        ------
        Declined
            The rule does not apply; the message is the reason.
        """


def apply(rule: Rule, model: ir.Model) -> RuleReport:
    """Apply a rule wherever it can be, until it cannot be any more."""
    annotate(model)
    before = cost_of(model.graph)
    applied, refused = 0, dict[str, str]()
    while replaced := _sweep(rule, model, applied, refused):
        applied += replaced
        annotate(model)
    after = cost_of(model.graph)
    return RuleReport(
        rule=rule.name,
        applied=applied,
        refused=tuple(refused.values()),
        nodes_before=before.nodes,
        nodes_after=after.nodes,
        operations_before=before.operations,
        operations_after=after.operations,
        bytes_before=before.bytes,
        bytes_after=after.bytes,
    )


def _sweep(rule: Rule, model: ir.Model, start: int, refused: dict[str, str]) -> int:
    """Visit every node once; count the replacements, and keep the reasons of the last visit."""
    graph, applied = model.graph, 0
    refused.clear()
    for node in list(graph):
        own = str(node.name).startswith(f"{rule.name}/")  # what the rule made is as it wants it
        if node.graph is None or own or not rule.anchors(node):
            continue
        prefix = _free_prefix(graph, f"{rule.name}/{start + applied}")
        tape = Tape(prefix, model.opset_imports[""])
        try:
            old, new = rule.rewrite(node, tape)
        except Declined as reason:
            refused[str(node.name)] = f"{node.name}: {reason}"
            continue
        _insert(graph, tape, old, new)
        common.RemoveUnusedNodesPass()(model)
        applied += 1
    return applied


def _free_prefix(graph: ir.Graph, prefix: str) -> str:
    """Return a prefix that no name of the graph has, which may have been rewritten before."""
    taken = {*graph.initializers, *(v.name for node in graph for v in node.outputs)}
    while any(str(name).startswith(f"{prefix}/") for name in taken):
        prefix += "+"
    return prefix


def _insert(graph: ir.Graph, tape: Tape, old: ir.Value, new: ir.Value) -> None:
    """Put the tape before the maker of ``old``, and ``new`` in its place."""
    maker = old.producer()
    assert maker is not None
    tape.insert(graph, before=maker)
    if not new.is_graph_input():  # that one knows its own, with the batch by name
        new.meta["dims"] = dims(old)
        new.type, new.shape = old.type, old.shape
    if old.is_graph_output():
        name, old.name = old.name, f"{old.name}/replaced"
        new.name = name
    old.replace_all_uses_with(new, replace_graph_outputs=True)
