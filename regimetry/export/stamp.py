"""The contract, written into the file."""

from __future__ import annotations

import onnx
from onnx import helper

from regimetry.contract import ModelContract


def stamp(model: onnx.ModelProto, contract: ModelContract) -> bytes:
    """Return the content of the model file: the graph with the contract as its metadata.

    Equal graphs and contracts give equal bytes.
    """
    stamped = onnx.ModelProto()
    stamped.CopyFrom(model)
    helper.set_model_props(stamped, contract.to_metadata())
    onnx.checker.check_model(stamped, full_check=True)
    return stamped.SerializeToString(deterministic=True)
