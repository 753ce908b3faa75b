"""The series form as a file, and what the rewrite rules did to a model."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from regimetry.check.golden import golden_path, read_golden, write_golden
from regimetry.check.reader import SourceFile
from regimetry.check.runtimes import ONNXRUNTIME, Subject
from regimetry.check.verify import Replay, replay
from regimetry.contract import INPUT_NAME, SERIES_INPUT_NAME, RuleReport
from regimetry.errors import ConfigError, ExportParityError
from regimetry.files import replacing


def rule_reports(model: SourceFile) -> tuple[RuleReport, ...]:
    """Return what each rewrite rule did: as the fit recorded it, or of this graph now."""
    from regimetry.export.rules import optimise

    return model.contract.training.graph or optimise(model.graph())[1]


def require_window_form(model: SourceFile) -> None:
    """Raise :class:`ConfigError` if a file reads a series."""
    if model.input_name != INPUT_NAME:
        raise ConfigError(
            f"{model.path} is of the series form, and this target needs the window form. Export "
            "the file that `regimetry fit` wrote."
        )


def write_series(model: SourceFile, path: Path) -> Replay:
    """Write the series form and a copy of the golden file, once it gives the golden outputs.

    Raises
    ------
    ConfigError
        The file is of the series form already.
    ModelError
        There is no golden file beside the model, or the model computes in float16.
    ExportParityError
        The series form differs from the golden file.
    DataError
        The target cannot be written to.
    InstallError
        onnx is not installed.
    """
    require_window_form(model)
    model.require_float32()
    graph = model.graph()  # onnx is here, or this says what to install
    from regimetry.export.series_form import to_series
    from regimetry.export.stamp import stamp

    golden = golden_path(model.path)
    content = stamp(to_series(graph), model.contract)
    made = replace(model, content=content, input_name=SERIES_INPUT_NAME)
    pinned = read_golden(golden, model.contract)
    found = replay(ONNXRUNTIME, Subject(file=made), pinned)
    if found.failure is not None:
        raise ExportParityError(
            f"The series form of {model.path} is not the same: {found.failure}. No file was "
            "written. Check the file itself with `regimetry verify`."
        )
    with replacing(path) as temporary, replacing(golden_path(path)) as temporary_golden:
        temporary.write_bytes(content)
        if pinned.model is not None:
            pinned = replace(pinned, model=hashlib.sha256(content).hexdigest())
        write_golden(pinned, temporary_golden)
    return found
