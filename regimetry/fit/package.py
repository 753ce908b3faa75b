"""Stage 5: the results of a fit become a model file, compared with the fitted parts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from regimetry.check.golden import Golden, golden_path, golden_rows, make_golden, write_golden
from regimetry.check.parity import ParityReport, compare
from regimetry.contract.remarks import remarks
from regimetry.errors import RegimeWarning
from regimetry.export.assemble import assemble
from regimetry.export.stamp import stamp
from regimetry.files import replacing
from regimetry.fit.describe import describe, training_record
from regimetry.fit.learned import Learned
from regimetry.fit.options import FitOptions
from regimetry.fit.rows import TrainingRows
from regimetry.fit.source import PanelSource
from regimetry.fit.stages import Stages
from regimetry.runtime.batch import run_windows
from regimetry.runtime.labelling import MISSING, at_bars
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.recursion import Recursion
from regimetry.runtime.shared_session import SharedSession
from regimetry.runtime.threads import available_threads
from regimetry.windows import Windows, rolling_windows

if TYPE_CHECKING:
    from regimetry.series.features import OhlcvFeatures


_Pinned = tuple[NDArray[np.floating], dict[str, NDArray[np.floating]], int]


@dataclass(frozen=True)
class Packaged:
    """A model and the checks of it.

    Attributes
    ----------
    model : RegimeModel
    outputs : dict of ndarray
        Of the model's graph on all training windows.
    parity : ParityReport
        Of the graph with the fitted parts on those windows; with the encoder, on those of the
        golden file at least.
    golden : Golden
        Windows with what the encoder's twin and the numpy head gave.
    """

    model: RegimeModel
    outputs: dict[str, NDArray[Any]]
    parity: ParityReport
    golden: Golden


@threadpool_limits.wrap(limits=1)
def package(
    learned: Learned,
    rows: TrainingRows,
    options: FitOptions,
    features: OhlcvFeatures | None,
    stages: Stages,
) -> Packaged:
    """Assemble, compare with the fitted parts, and describe.

    Parameters
    ----------
    learned : Learned
    rows : TrainingRows
    options : FitOptions
    features : OhlcvFeatures or None
        What computed the columns from price bars.
    stages : Stages
        Shows that the export or the comparison begins.

    Returns
    -------
    Packaged

    Raises
    ------
    ExportParityError
        The graph does not compute what the fitted model computes.
    """
    stages.begin("export")
    refinement = learned.refinement
    graph, rules = assemble(
        learned.preprocessing,
        learned.encoder.part,
        learned.head,
        learned.novelty,
        emission=None if refinement is None else refinement.emission,
    )
    stages.begin("parity")
    panel, window_rows = rows.scaled, rows.window_rows
    outputs = run_windows(
        SharedSession(graph.SerializeToString(), device="cpu"),
        panel.values,
        [value.name for value in graph.graph.output],
        starts=panel.ends(window_rows) - (window_rows - 1),
        threads=available_threads(),
    )
    parity, pinned = _compared(learned, rows, outputs, learned.penalties(options)[0])
    record = training_record(learned, rows, options, rules, features)
    contract = describe(learned, rows, options, outputs, record)
    for remark in remarks(contract):
        warnings.warn(remark, RegimeWarning, stacklevel=4)
    content = stamp(graph, contract)
    golden = make_golden(*pinned, contract, content)
    return Packaged(RegimeModel(content), outputs, parity, golden)


def _compared(
    learned: Learned,
    rows: TrainingRows,
    outputs: Mapping[str, NDArray[Any]],
    jump_penalty: float,
) -> tuple[ParityReport, _Pinned]:
    """Compare the graph with the fitted parts: the encoder's twin, and the head in numpy.

    A slow twin embeds the windows of the golden file alone; the head then reads the graph's own
    embeddings of the others.

    Returns
    -------
    ParityReport
    windows, outputs, count
        What the golden file pins, as :func:`make_golden` takes it.
    """
    windows, encoder = learned.windows, learned.encoder
    chosen, count = golden_rows(windows, learned.distance, jump_penalty)
    if encoder.twin_is_fast:
        expected = _expected(learned, windows, learned.read.map(encoder.twin))
        reference = {name: array[chosen] for name, array in expected.items()}
        parity = compare(outputs, expected)
    else:
        parity = compare(outputs, _expected(learned, windows, learned.embeddings))
        read = Windows.of(learned.read.take(chosen))
        embeddings, some = read.map(encoder.twin), read.last(rows.window_size)
        reference = _expected(learned, some, embeddings)
        near = compare({name: array[chosen] for name, array in outputs.items()}, reference)
        largest = {
            name: max(value, near.differences[name]) for name, value in parity.differences.items()
        }
        parity = replace(parity, differences=largest)
    raw = Windows([rolling_windows(part, rows.window_rows) for part in rows.scaled.parts()])
    return parity, (raw.take(chosen), reference, count)


def _expected(
    learned: Learned, windows: Windows, embeddings: NDArray[np.floating]
) -> dict[str, NDArray[np.floating]]:
    return {
        "embedding": embeddings,
        **learned.told(windows, embeddings),
        "novelty": windows.map(learned.novelty.transform),
    }


def training_labels(rows: TrainingRows, packaged: Packaged) -> Any:
    """Return the causal labels of the training bars; ``None`` if the bars are not in memory."""
    if not isinstance(rows.source, PanelSource):
        return None
    panel, model = rows.source.panel, packaged.model
    distance = packaged.outputs["distance"]  # of every window, unless it is a sample
    if not rows.complete:
        distance = model.outputs_of(panel.scaled(rows.scaling), ("distance",))["distance"]
    carry = rows.source.reading.after_gap == "carry"
    boundaries = panel.boundaries(rows.window_rows, carry=carry)
    labels = Recursion.of(model.contract).labels(distance, boundaries)
    found = at_bars(panel, labels, rows.window_rows)
    if panel.instruments is None:
        return panel.in_given_order(found, MISSING)
    return panel.give(found, ["regime"], missing=MISSING)


def write_files(content: bytes, golden: Golden | None, path: str | PathLike[str]) -> None:
    """Write a model file and the golden file beside it; without one, remove an old one.

    The model file is the commit: if the process dies between the two, the old model lies beside a
    golden file that names another one, as ``regimetry verify`` says.
    """
    beside = golden_path(path)
    with replacing(path) as temporary:
        temporary.write_bytes(content)
        if golden is None:
            beside.unlink(missing_ok=True)
        else:
            with replacing(beside) as temporary_golden:
                write_golden(golden, temporary_golden)
