"""Compare OpenVINO with a golden file: ``python compare.py model.onnx golden.json``.

Needs openvino and numpy. Exits with 1 if any output differs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

TOLERANCE = {"embedding": 1e-4, "distance": 1e-4, "novelty": 1e-3}
"""Largest difference allowed, relative to the largest magnitude of the golden output."""


def run(model: str, window: np.ndarray) -> dict[str, np.ndarray]:
    """Run all windows as one batch.

    Without the hint OpenVINO computes in bfloat16 on processors that have it: embeddings are then
    off by several percent, and regimes differ.
    """
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled({"window": window})
    return {output.any_name: results[output] for output in compiled.outputs}


def causal_labels(distance: np.ndarray, penalty: float) -> np.ndarray:
    """Label consecutive windows; a change of regime costs ``penalty``."""
    costs, labels = np.zeros(distance.shape[1]), []
    for row in distance:
        costs = row + np.minimum(costs, costs.min() + penalty)
        costs = costs - costs.min()
        labels.append(costs.argmin())
    return np.array(labels)


def compare(
    outputs: dict[str, np.ndarray], golden: dict[str, Any]
) -> list[tuple[str, float, float]]:
    """Return (output, found, limit); a relative difference, or a count of labels that differ."""
    expected = {name: np.asarray(golden[name]) for name in (*TOLERANCE, "regime")}
    rows = []
    for name, limit in TOLERANCE.items():
        difference = np.abs(outputs[name] - expected[name]).max() / np.abs(expected[name]).max()
        rows.append((name, float(difference), limit))
    rows.append(("regime", int(np.sum(outputs["regime"] != expected["regime"])), 0))
    start = np.asarray(golden["labels_from_start"])
    labels = causal_labels(outputs["distance"][: len(start)], golden["jump_penalty"])
    return [*rows, ("labels_from_start", int(np.sum(labels != start)), 0)]


def main(model: str, golden_path: str) -> int:
    """Print one line an output; return the exit code."""
    golden = json.loads(Path(golden_path).read_text())
    rows = compare(run(model, np.asarray(golden["window"], dtype=np.float32)), golden)
    for name, found, limit in rows:
        print(f"{'pass' if found <= limit else 'FAIL'}  {name:17}  {found:.2g} (limit {limit:g})")
    return int(not all(found <= limit for _, found, limit in rows))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python compare.py model.onnx golden.json")
    sys.exit(main(*sys.argv[1:]))
