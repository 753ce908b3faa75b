"""A model file that is read, not run: its bytes, its contract, its form."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from regimetry.contract import FORMAT_KEY, PRECISIONS, ModelContract, precision_of
from regimetry.errors import InstallError, ModelError
from regimetry.runtime.checked import CheckedFile

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One model file, whose graph and metadata agree.

    Attributes
    ----------
    path : Path
    content : bytes
    sha256 : str
        Of the content.
    sealed : bool
        Whether the file ends with its seal; those of formats 1 to 3 do not.
    contract : ModelContract
    format_version : str
    precision : {"float32", "float16"}
    input_name : {"window", "series"}
        The form of the graph.
    """

    path: Path
    content: bytes
    sha256: str
    sealed: bool
    contract: ModelContract
    format_version: str
    precision: str
    input_name: str

    def graph(self) -> onnx.ModelProto:
        """Return the graph as an ``onnx.ModelProto``.

        Raises
        ------
        InstallError
            onnx is not installed.
        """
        try:
            import onnx
        except ImportError as error:
            raise InstallError(
                "onnx is not installed. Run: pip install 'regimetry[fit]'."
            ) from error
        return onnx.load_from_string(self.content)

    def require_float32(self) -> None:
        """Raise :class:`ModelError` if the file computes in other numbers than the golden file."""
        if self.precision != PRECISIONS[0]:
            raise ModelError(
                f"{self.path} computes in {self.precision}; this release runs such a file but does "
                "not verify it. Verify the float32 file it was made from, or use the release "
                "that wrote it."
            )


def read_source(path: str | PathLike[str]) -> SourceFile:
    """Read a model file, of either form; needs onnxruntime alone.

    Raises
    ------
    ModelError
        The file is missing, damaged, too large, or not a regimetry model, or its graph and its
        metadata contradict each other.
    InstallError
        Neither or both onnxruntime distributions are installed.
    """
    path = Path(path)
    file = CheckedFile(path)
    return SourceFile(
        path=path,
        content=file.graph.content,
        sha256=file.graph.sha256,
        sealed=file.graph.seal is not None,
        contract=file.contract,
        format_version=file.graph.metadata[FORMAT_KEY],
        precision=precision_of(file.graph.metadata, str(path)),
        input_name=file.form,
    )
