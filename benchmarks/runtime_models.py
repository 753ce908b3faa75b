"""The models that ``benchmarks.runtime`` measures, fitted in a process of their own."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path
from unittest import mock

import numpy as np

import regimetry as rg
from benchmarks.graphs import plain_part
from regimetry.export import assemble as assembling

ROWS = 6000


def fit_models(folder: Path) -> None:
    """Write model.onnx, plain.onnx, values.npy, and the tiny pair tiny.onnx, tiny.npy."""
    values = rg.simulate("s2", n_rows=ROWS, seed=0).values
    np.save(folder / "values.npy", values)
    detector = rg.RegimeDetector(window_size=30, n_regimes=3, objective=None, random_state=0)
    (folder / "plain.onnx").write_bytes(fit_with_plain_graph(detector, values))
    detector.save(folder / "model.onnx")

    config = rg.EncoderConfig(
        embedding_dim=4, head_size=4, num_heads=1, ff_dim=8, num_transformer_blocks=1
    )
    tiny = rg.RegimeDetector(
        window_size=4, encoder=config, n_regimes=2, n_landmarks=50, objective=None, random_state=0
    )
    np.save(folder / "tiny.npy", values[:2000])
    tiny.fit(values[:2000]).save(folder / "tiny.onnx")


def fit_with_plain_graph(detector: rg.RegimeDetector, values: np.ndarray) -> bytes:
    """Fit, and return the same model with the encoder as tf2onnx writes it by default."""
    assemble, parts = assembling.assemble, []

    def record(*arguments, **keywords):
        parts.append(arguments)
        return assemble(*arguments, **keywords)

    with mock.patch.object(assembling, "assemble", record):
        detector.fit(values)
    preprocessing, _, head, novelty = parts[0]
    graph, _ = assemble(preprocessing, plain_part(detector.encoder_), head, novelty)
    return graph.SerializeToString()
