"""A model file as the export side reads it: content, contract, form and precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regimetry.contract import INPUT_NAME, SERIES_INPUT_NAME, ModelContract, precision_of
from regimetry.errors import InstallError, ModelError
from regimetry.runtime.session import open_session

if TYPE_CHECKING:
    import onnx

LARGEST_BYTES = 2**31 - 1
"""What one ONNX file can hold without external data: a protobuf message ends there."""


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One model file.

    Attributes
    ----------
    path : Path
    content : bytes
    contract : ModelContract
    precision : {"float32", "float16"}
    inputs, outputs : mapping of str to (type, shape)
        As onnxruntime names them, such as ``("tensor(float)", ("batch", 21, 2))``.
    """

    path: Path
    content: bytes
    contract: ModelContract
    precision: str
    inputs: Mapping[str, tuple[str, tuple[Any, ...]]]
    outputs: Mapping[str, tuple[str, tuple[Any, ...]]]

    @property
    def input_name(self) -> str:
        """``window`` or ``series``: the form of the graph."""
        return next(iter(self.inputs))

    def graph(self) -> onnx.ModelProto:
        """Return the file as ONNX's own structure.

        Raises
        ------
        InstallError
            onnx is not installed.
        """
        try:
            import onnx
        except ImportError as error:
            raise InstallError(
                "onnx is not installed. Run: pip install 'regimetry[train]'."
            ) from error
        return onnx.load_from_string(self.content)


def read_source(path: str | PathLike[str]) -> SourceFile:
    """Read a model file, of either form; needs onnxruntime alone.

    Raises
    ------
    ModelError
        The file is missing, damaged, too large, or not a regimetry model.
    InstallError
        Neither or both onnxruntime distributions are installed.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"There is no model file {path}. Make one with `regimetry fit`.")
    require_size(path.stat().st_size, str(path))
    content = path.read_bytes()
    session = open_session(path, device="cpu")
    metadata = session.get_modelmeta().custom_metadata_map
    model = SourceFile(
        path=path,
        content=content,
        contract=ModelContract.from_metadata(metadata, str(path)),
        precision=precision_of(metadata, str(path)),
        inputs={item.name: (item.type, tuple(item.shape)) for item in session.get_inputs()},
        outputs={item.name: (item.type, tuple(item.shape)) for item in session.get_outputs()},
    )
    if list(model.inputs) not in ([INPUT_NAME], [SERIES_INPUT_NAME]):
        raise ModelError(
            f"The graph of {path} reads {', '.join(model.inputs)}, where {INPUT_NAME!r} or "
            f"{SERIES_INPUT_NAME!r} is expected. The file was changed after it was written; fit "
            "and save again."
        )
    return model


def require_size(n_bytes: int, name: str) -> None:
    """Raise :class:`ModelError` if a model does not fit into one ONNX file."""
    if n_bytes > LARGEST_BYTES:
        raise ModelError(
            f"{name} has {n_bytes / 2**30:.2f} GiB; one ONNX file holds at most 2 GiB. Use a "
            "smaller encoder or fewer landmarks."
        )
