"""Stage 5 as a whole: what a fit learned becomes a model, checked against Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import OUTPUT_NAMES
from regimetry.export.assemble import assemble
from regimetry.export.convert import encoder_to_onnx
from regimetry.export.describe import describe
from regimetry.export.golden import Golden, make_golden
from regimetry.export.parity import ParityReport, compare
from regimetry.export.rules import optimise
from regimetry.export.stamp import stamp
from regimetry.learning import Learned
from regimetry.runtime.batch import run_windows
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.shared_session import SharedSession
from regimetry.runtime.threads import available_threads
from regimetry.series.schema import Schema
from regimetry.series.series import Series
from regimetry.windows import rolling_windows


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


def package(
    learned: Learned,
    schema: Schema,
    series: Series,
    *,
    jump_penalty: float,
    smooth_penalty: float,
    opset: int,
    training: Mapping[str, Any],
) -> Packaged:
    """Convert, assemble, optimise, compare with Keras, and describe.

    Parameters
    ----------
    learned : Learned
    schema : Schema
    series : Series
        The training rows.
    jump_penalty, smooth_penalty : float
        Of the causal and of the whole-series labels.
    opset : {17, 18}
    training : mapping
        Plain data to keep in the file about the fit.

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
    encoder = encoder_to_onnx(learned.encoder, opset=opset)
    window_size = learned.encoder.inputs[0].shape[1]
    graph, rules = optimise(
        assemble(learned.preprocessing, encoder, learned.head, window_size, opset=opset)
    )
    session = SharedSession(graph.SerializeToString(), device="cpu")
    outputs = run_windows(session, series.values, OUTPUT_NAMES, threads=available_threads())
    expected: dict[str, NDArray[np.floating]] = {
        "embedding": learned.embeddings,
        **learned.head.outputs(learned.embeddings),
    }
    parity = compare(outputs, expected)
    contract = describe(
        schema,
        series,
        learned.preprocessing,
        outputs,
        window_size=window_size,
        jump_penalty=jump_penalty,
        smooth_penalty=smooth_penalty,
        training={
            **training,
            "history": learned.history,
            "eigenvalues": learned.head.eigenvalues.tolist(),
            "graph": [asdict(rule) for rule in rules],
        },
    )
    raw = rolling_windows(series.values, contract.window_rows)
    golden = make_golden(raw, expected, contract.jump_penalty)
    return Packaged(RegimeModel(stamp(graph, contract)), outputs, parity, golden)
