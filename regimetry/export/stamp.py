"""The contract, written into the file, and the seal behind it."""

from __future__ import annotations

import onnx
from onnx import helper

from regimetry.contract import (
    FORM_KEY,
    FORMAT_KEY,
    SEALED_VERSION,
    SERIES_INPUT_NAME,
    ModelContract,
)
from regimetry.runtime.graphfile import require_size
from regimetry.runtime.seal import sealed


def stamp(model: onnx.ModelProto, contract: ModelContract) -> bytes:
    """Return the content of the model file: the graph with the contract as its metadata, sealed.

    Equal graphs and contracts give equal bytes.

    Parameters
    ----------
    model : onnx.ModelProto
    contract : ModelContract

    Raises
    ------
    ModelError
        The model does not fit into one ONNX file.
    """
    require_size(model.ByteSize(), "The model")
    stamped = onnx.ModelProto()
    stamped.CopyFrom(model)
    metadata = contract.to_metadata()
    metadata[FORMAT_KEY] = str(max(SEALED_VERSION, contract.format_version))
    if model.graph.input[0].name == SERIES_INPUT_NAME:
        metadata[FORM_KEY] = SERIES_INPUT_NAME
    helper.set_model_props(stamped, metadata)
    onnx.checker.check_model(stamped, full_check=True)
    return sealed(stamped.SerializeToString(deterministic=True))
