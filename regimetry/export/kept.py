"""The encoder inside a model file, taken out so that a refit keeps it to the bit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from regimetry.contract import INPUT_NAME
from regimetry.errors import ModelError
from regimetry.export.inline import inlined_part
from regimetry.export.opset import IR_VERSION
from regimetry.export.part import EncoderPart
from regimetry.runtime.batch import run_gathered
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.shared_session import SharedSession


@dataclass(frozen=True)
class KeptEncoder:
    """The nodes of a model file from the scaled window to the embedding.

    Attributes
    ----------
    content : bytes
        A model of them: scaled windows (B, W + reach, F) to embeddings (B, D).
    part : EncoderPart
        The same, to be recorded in another graph.
    """

    content: bytes
    part: EncoderPart

    def embed(self, windows: NDArray[np.floating]) -> NDArray[np.floating]:
        """Run them as they lay in the file on windows (N, W + reach, F): (N, D)."""
        session = SharedSession(self.content, device="cpu")
        return run_gathered(session, windows, ("embedding",))["embedding"]


def kept_encoder(model: RegimeModel) -> KeptEncoder:
    """Take the encoder out of a model.

    Raises
    ------
    ModelError
        The file was written by a release whose graphs do not name their preprocessing.
    """
    file, contract = onnx.load_from_string(model.content), model.contract
    graph = file.graph
    nodes = [node for node in graph.node if not node.name.startswith("preprocessing/")]
    scaled = {
        output
        for node in graph.node
        if node.op_type == "Clip" and node.name.startswith("preprocessing/")
        for output in node.output
    }
    (output,) = [node for node in nodes if "embedding" in node.output]
    needed = _needed(nodes, output)
    if not scaled & {name for node in needed for name in node.input}:
        raise ModelError(
            "The encoder of this model cannot be told from its preprocessing, as in files of "
            "release 0.1.0. Fit anew, with align_to so that the regimes keep their names."
        )
    rows = contract.window_size + contract.reach
    for node in needed:
        names = [INPUT_NAME if name in scaled else name for name in node.input]
        node.ClearField("input")
        node.input.extend(names)
    float32 = onnx.TensorProto.FLOAT
    used = {name for node in needed for name in node.input}
    alone = helper.make_graph(
        needed,
        "encoder",
        [helper.make_tensor_value_info(INPUT_NAME, float32, ["batch", rows, contract.n_features])],
        [helper.make_tensor_value_info("embedding", float32, ["batch", contract.embedding_size])],
        [tensor for tensor in graph.initializer if tensor.name in used],
    )
    opset = max(entry.version for entry in file.opset_import if entry.domain in ("", "ai.onnx"))
    made = helper.make_model(alone, opset_imports=file.opset_import, ir_version=IR_VERSION)
    onnx.checker.check_model(made, full_check=True)
    part = inlined_part(
        alone, contract.window_size, contract.n_features, contract.embedding_size, opset
    )
    # It went through the rewrite rules when it was written.
    part = replace(part, foreign=False, reach=contract.reach)
    return KeptEncoder(made.SerializeToString(), part)


def _needed(nodes: list[onnx.NodeProto], last: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Return the nodes that a node needs and the node itself, in their order."""
    wanted, needed = {last.name}, set(last.input)
    for node in reversed(nodes):
        if node.name == last.name or needed & set(node.output):
            wanted.add(node.name)
            needed |= set(node.input)
    return [node for node in nodes if node.name in wanted]
