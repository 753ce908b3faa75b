"""An encoder as an ONNX file, whoever exported it: torch, JAX or anything else.

It has to be what a fit and a model file can rely on: one input of windows, one output of
embeddings, operators of ONNX itself, nothing random, and no window that depends on another.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, version_converter

from regimetry.errors import ConfigError, ModelError
from regimetry.export.inline import inlined_part
from regimetry.export.part import EncoderPart
from regimetry.runtime.batch import BATCH_SIZE
from regimetry.runtime.graphfile import GraphFile
from regimetry.runtime.session import first_line, open_session

_BATCH_TOLERANCE = 1e-5  # of the largest entry: kernels round by the size of a batch
_TRIED = 6  # windows that are run alone and together


@dataclass(frozen=True)
class EncoderFile:
    """An ONNX file that embeds windows, checked.

    Attributes
    ----------
    path : Path
    content : bytes
        As it was read.
    part : EncoderPart
        The same at the opset of the model file.
    """

    path: Path
    content: bytes
    part: EncoderPart

    def describe(self) -> dict[str, Any]:
        """Return what the model file says of it, as plain data."""
        return {
            "file": self.path.name,
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "input_shape": [self.part.window_size, self.part.n_features],
            "output_dim": self.part.size,
        }

    def embed(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the file itself on windows (N, W, F): (N, D)."""
        session = open_session(self.content, name=str(self.path), device="cpu")
        (name,) = (value.name for value in session.get_inputs())
        parts = [
            session.run(None, {name: np.ascontiguousarray(windows[i : i + BATCH_SIZE])})[0]
            for i in range(0, len(windows), BATCH_SIZE)
        ]
        return np.concatenate(parts)


def read_encoder_file(path: Path, windows: NDArray[np.float32], opset: int) -> EncoderFile:
    """Read and check an encoder.

    Parameters
    ----------
    path : Path
    windows : ndarray of float32, shape (N, W, F)
        Preprocessed windows of the training rows, of which a few are tried.
    opset : {17, 18}
        That the model file shall have; the graph is converted if it has another.

    Raises
    ------
    ConfigError
        The graph has another form, or makes a window depend on its batch.
    ModelError
        The file is missing, damaged, or holds what no model file may hold, as random numbers.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The encoder {path} cannot be read ({error.strerror}). Give the path of an ONNX file."
        ) from error
    GraphFile.read(content, str(path))
    try:
        model = onnx.load_from_string(content)
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # onnx raises what the content makes it stumble over
        raise ModelError(
            f"The encoder {path} is no valid ONNX file ({first_line(error)}). Export it again."
        ) from error
    _, window_size, n_features = windows.shape
    size = _embedding_size(model.graph, str(path), window_size, n_features)
    graph = _converted(model, opset, path)
    part = inlined_part(graph, window_size, n_features, size, opset)
    found = EncoderFile(path, content, part)
    _require_sound(found, np.ascontiguousarray(windows[:: max(1, len(windows) // _TRIED)][:_TRIED]))
    return found


def _embedding_size(graph: onnx.GraphProto, name: str, window_size: int, n_features: int) -> int:
    """Return D; refuse another form than float32 (batch, W, F) -> (batch, D)."""
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    forms = " and ".join(_form(value) for value in inputs) or "nothing"
    expected = f"one input float32 (batch, {window_size}, {n_features}), the batch open"
    shape = _sizes(inputs[0]) if len(inputs) == 1 else ()
    if len(shape) != 3 or isinstance(shape[0], int) or not _is_float(inputs[0]):
        raise ConfigError(f"The encoder {name} reads {forms}; expected {expected}. Export it so.")
    if shape[1:] != (window_size, n_features):
        raise ConfigError(
            f"The encoder {name} reads {forms}; the windows are ({window_size}, {n_features}). "
            "Change window_size or the columns, or export the encoder for these windows."
        )
    forms = " and ".join(_form(value) for value in graph.output)
    shape = _sizes(graph.output[0]) if len(graph.output) == 1 else ()
    if len(shape) != 2 or not isinstance(shape[1], int) or not _is_float(graph.output[0]):
        raise ConfigError(
            f"The encoder {name} gives {forms}; expected one output float32 (batch, D), an "
            "embedding of each window, D fixed. Export it so."
        )
    return shape[1]


def _sizes(value: onnx.ValueInfoProto) -> tuple[int | str, ...]:
    dims = value.type.tensor_type.shape.dim
    return tuple(d.dim_value if d.HasField("dim_value") else d.dim_param or "?" for d in dims)


def _is_float(value: onnx.ValueInfoProto) -> bool:
    return bool(value.type.tensor_type.elem_type == TensorProto.FLOAT)


def _form(value: onnx.ValueInfoProto) -> str:
    kind = "float32" if _is_float(value) else "another type"
    return f"{value.name} {kind} ({', '.join(map(str, _sizes(value)))})"


def _converted(model: onnx.ModelProto, opset: int, path: Path) -> onnx.GraphProto:
    """Return the graph at an opset."""
    given = max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    if given == opset:
        return model.graph
    try:
        converted = version_converter.convert_version(model, opset)
        _drop_defaults(converted.graph, given, opset)
        onnx.checker.check_model(converted, full_check=True)
        return converted.graph
    except Exception as error:  # a C++ exception of any kind
        raise ConfigError(
            f"The encoder {path} is of opset {given} and cannot be converted to {opset} "
            f"({first_line(error)}). Export it at opset {opset}, or fit with opset=17 or 18."
        ) from error


def _drop_defaults(graph: onnx.GraphProto, given: int, opset: int) -> None:
    """Remove attributes that the other opset does not know and that only state their default."""
    for node in graph.node:
        known = onnx.defs.get_schema(node.op_type, opset).attributes
        stated = onnx.defs.get_schema(node.op_type, given).attributes
        kept = [
            attribute
            for attribute in node.attribute
            if attribute.name in known
            or helper.get_attribute_value(attribute)
            != helper.get_attribute_value(stated[attribute.name].default_value)
        ]
        del node.attribute[:]
        node.attribute.extend(kept)


def _require_sound(encoder: EncoderFile, windows: NDArray[np.float32]) -> None:
    """Refuse what is not finite, not repeatable, or depends on the batch."""
    together = encoder.embed(windows)
    if not np.isfinite(together).all():
        raise ConfigError(
            f"The encoder {encoder.path} gives embeddings that are not finite for windows of the "
            "training rows. Train it on scaled windows (mean 0, deviation 1, clipped), which it "
            "will be given."
        )
    if not np.array_equal(together, encoder.embed(windows)):
        raise ConfigError(
            f"The encoder {encoder.path} gives other embeddings when it is run again. Export it "
            "for inference, without anything random."
        )
    alone = np.concatenate([encoder.embed(window[None]) for window in windows])
    difference = np.abs(alone - together).max()
    if difference > _BATCH_TOLERANCE * max(1.0, float(np.abs(together).max())):
        raise ConfigError(
            f"The encoder {encoder.path} gives a window another embedding alone than in a batch, "
            f"by {difference:.2g}. Export it for inference (batch normalisation by the stored "
            "means)."
        )
