"""Other files from a model file: rewritten, in the series form, in float16."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.check.golden import golden_path, read_golden
from regimetry.check.parity import ParityReport, excess, measure
from regimetry.check.reader import SourceFile
from regimetry.check.runtimes import ONNXRUNTIME
from regimetry.contract import INPUT_NAME, SERIES_INPUT_NAME
from regimetry.errors import ConfigError, ExportParityError
from regimetry.export.probe import probe_windows
from regimetry.files import replacing

GRAPH_KEY = "graph"
"""Where the contract's ``training`` keeps what each rewrite rule did at the fit."""

_PROBES = 64


def rule_reports(model: SourceFile) -> list[dict[str, Any]]:
    """Return what each rewrite rule did: as the fit recorded it, or of this graph now."""
    recorded = model.contract.training.get(GRAPH_KEY)
    if recorded is not None:
        return list(recorded)
    from regimetry.export.rules import optimise

    return [asdict(report) for report in optimise(model.graph())[1]]


def write_rewritten(model: SourceFile, path: Path) -> ParityReport:
    """Write the file with the rewrite rules applied, once it gives what the input file gives.

    Raises
    ------
    ExportParityError
        The rewritten graph differs from the golden file, or, without one, from the input file.
    DataError
        The target cannot be written to.
    """
    from regimetry.export.rules import optimise
    from regimetry.export.stamp import stamp

    graph, reports = optimise(model.graph())
    training = {GRAPH_KEY: [asdict(report) for report in reports], **model.contract.training}
    contract = replace(model.contract, training=training)
    content = stamp(graph, contract, precision=model.precision)
    parity = _require_same(model, content, model.input_name)
    write_with_golden(model, content, path)
    return parity


def write_series(model: SourceFile, path: Path) -> ParityReport:
    """Write the series form, once it gives what the window form gives.

    Raises
    ------
    ConfigError
        The file is of the series form already.
    ExportParityError, DataError
        As for :func:`write_rewritten`.
    """
    from regimetry.export.series import to_series
    from regimetry.export.stamp import stamp

    require_window_form(model)
    content = stamp(to_series(model.graph()), model.contract, precision=model.precision)
    parity = _require_same(model, content, SERIES_INPUT_NAME)
    write_with_golden(model, content, path)
    return parity


def require_window_form(model: SourceFile) -> None:
    """Raise :class:`ConfigError` if a file reads a series."""
    if model.input_name != INPUT_NAME:
        raise ConfigError(
            f"{model.path} is of the series form, and this target needs the window form. Export "
            "the file that `regimetry fit` wrote."
        )


def write_with_golden(model: SourceFile, content: bytes, path: Path) -> None:
    """Write a file made of ``model``, and a copy of its golden file beside: both or neither.

    Where ``model`` has no golden file, one that lies beside ``path`` is of another model and goes.
    """
    source, beside = golden_path(model.path), golden_path(path)
    with ExitStack() as stack:
        stack.enter_context(replacing(path)).write_bytes(content)
        if not source.is_file():
            beside.unlink(missing_ok=True)
        elif source.resolve() != beside.resolve():
            shutil.copyfile(source, stack.enter_context(replacing(beside)))


def _require_same(model: SourceFile, content: bytes, input_name: str) -> ParityReport:
    windows, expected = _expected(model)
    found = ONNXRUNTIME.run(content, windows, input_name=input_name)
    report = measure(found, expected, model.precision)
    difference = excess(report, model.precision)
    if difference is not None:
        raise ExportParityError(
            f"The graph made of {model.path} differs from it: {difference}, over {report.windows} "
            "windows. No file was written. Check the file itself with `regimetry verify`."
        )
    return report


def _expected(model: SourceFile) -> tuple[NDArray[np.float32], Mapping[str, NDArray[Any]]]:
    path = golden_path(model.path)
    if path.is_file():
        golden = read_golden(path, model.contract)
        return golden.window, golden.expected
    windows = probe_windows(model.contract, _PROBES)
    return windows, ONNXRUNTIME.run(model.content, windows, input_name=model.input_name)
