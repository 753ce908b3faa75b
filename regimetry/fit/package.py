"""Stage 5 as a whole: what a fit learned becomes a model, checked against Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from regimetry.check.golden import Golden, make_golden
from regimetry.check.parity import ParityReport, compare
from regimetry.contract import OUTPUT_NAMES, TrainingRecord
from regimetry.export.assemble import assemble
from regimetry.export.convert import encoder_to_onnx
from regimetry.export.rules import optimise
from regimetry.export.stamp import stamp
from regimetry.fit.describe import describe
from regimetry.fit.learn import Learned
from regimetry.fit.stages import Stage, no_stage
from regimetry.runtime.batch import run_windows
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.shared_session import SharedSession
from regimetry.runtime.threads import available_threads
from regimetry.series.panel import Panel
from regimetry.series.scaling import InstrumentScaling
from regimetry.series.schema import Schema
from regimetry.windows import Windows, rolling_windows


@dataclass(frozen=True)
class Packaged:
    """A model and what vouches for it.

    Attributes
    ----------
    model : RegimeModel
    outputs : dict of ndarray
        Of the model's graph on all training windows.
    parity : ParityReport
        Graph against Keras on those windows.
    golden : Golden
        Windows with what Keras and the numpy head gave.
    """

    model: RegimeModel
    outputs: dict[str, NDArray[Any]]
    parity: ParityReport
    golden: Golden


@threadpool_limits.wrap(limits=1)
def package(
    learned: Learned,
    schema: Schema,
    panel: Panel,
    *,
    jump_penalty: float | None,
    smooth_penalty: float | None,
    opset: int,
    by: str | None = None,
    scaling: InstrumentScaling | None = None,
    names: Sequence[str] | None = None,
    training: TrainingRecord,
    stage: Stage = no_stage,
) -> Packaged:
    """Convert, assemble, optimise, compare with Keras, and describe.

    Parameters
    ----------
    learned : Learned
    schema : Schema
    panel : Panel
        The training rows, in common units.
    jump_penalty, smooth_penalty : float or None
        Of the causal and of the whole-series labels; ``None`` takes what the fit found.
    opset : {17, 18}
    by, scaling
        Of the contract.
    names : sequence of str or None
        Of the regimes; ``None`` numbers them.
    training : TrainingRecord
        To keep in the file; what was learned is added.
    stage : callable
        Told when the export and when the comparison begins, and when all is done.

    Returns
    -------
    Packaged

    Raises
    ------
    ExportError
        The encoder has a layer that ONNX cannot express.
    ExportParityError
        The graph does not compute what the fitted model computes.
    """
    stage("export")
    encoder = encoder_to_onnx(learned.encoder, opset=opset)
    window_size = learned.encoder.inputs[0].shape[1]
    refinement = learned.refinement
    graph, rules = optimise(
        assemble(
            learned.preprocessing,
            encoder,
            learned.head,
            learned.novelty,
            window_size,
            emission=None if refinement is None else refinement.emission,
            opset=opset,
        )
    )
    stage("parity")
    session = SharedSession(graph.SerializeToString(), device="cpu")
    window_rows = window_size + learned.preprocessing.lag
    outputs = run_windows(
        session,
        panel.values,
        OUTPUT_NAMES,
        starts=panel.ends(window_rows) - (window_rows - 1),
        threads=available_threads(),
    )
    expected: dict[str, NDArray[np.floating]] = {
        "embedding": learned.embeddings,
        "distance": learned.distance,
        "novelty": learned.windows.map(learned.novelty.transform),
    }
    parity = compare(outputs, expected)
    contract = describe(
        schema,
        panel,
        learned.preprocessing,
        outputs,
        window_size=window_size,
        jump_penalty=learned.penalties[0] if jump_penalty is None else jump_penalty,
        smooth_penalty=learned.penalties[1] if smooth_penalty is None else smooth_penalty,
        evidence="window" if refinement is None else "bar",
        novelty_threshold=learned.novelty_threshold,
        by=by,
        scaling=scaling,
        names=names,
        training=replace(
            training,
            history={name: tuple(losses) for name, losses in learned.history.items()},
            eigenvalues=tuple(learned.head.eigenvalues.tolist()),
            candidates=learned.head.candidates,
            refinement=None if refinement is None else refinement.record,
            graph=rules,
        ),
    )
    raw = Windows([rolling_windows(rows, window_rows) for rows in panel.parts()])
    golden = make_golden(raw, expected, contract.jump_penalty)
    packaged = Packaged(RegimeModel(stamp(graph, contract)), outputs, parity, golden)
    stage("")
    return packaged
