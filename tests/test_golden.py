"""The shipped model against its golden file, through onnxruntime alone."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import regimetry as rg

MODELS = Path(__file__).parents[1] / "models"
TOLERANCE = {"embedding": 2e-4, "distance": 2e-4, "novelty": 2e-3}
"""Between machines, whose matrix products round differently; measured on one: exact."""


@pytest.fixture(scope="module")
def golden():
    content = json.loads((MODELS / "sp500.golden.json").read_text())
    return {
        name: np.asarray(value) if isinstance(value, list) else value
        for name, value in content.items()
    }


@pytest.fixture(scope="module")
def outputs(golden):
    session = onnxruntime.InferenceSession(
        str(MODELS / "sp500.onnx"), providers=["CPUExecutionProvider"]
    )
    names = ("embedding", "distance", "regime", "novelty")
    found = session.run(list(names), {"window": golden["window"].astype(np.float32)})
    return dict(zip(names, found, strict=True))


def disagreements(outputs, golden):
    """Names of the outputs that differ by more than their tolerance."""
    wrong = [
        name
        for name, tolerance in TOLERANCE.items()
        if not np.abs(outputs[name] - golden[name]).max() <= tolerance
    ]
    return wrong + ["regime"] * (not np.array_equal(outputs["regime"], golden["regime"]))


def test_outputs_are_the_golden_ones(outputs, golden):
    assert disagreements(outputs, golden) == []
    assert len(set(golden["regime"].tolist())) == 3


@pytest.mark.parametrize("name", ["embedding", "distance", "novelty", "regime"])
def test_the_comparison_can_fail(outputs, golden, name):
    changed = golden[name].copy()
    changed.flat[-1] += 1 if name == "regime" else 0.01
    assert disagreements(outputs, {**golden, name: changed}) == [name]


def test_the_recursion_in_three_lines_gives_the_golden_labels(outputs, golden):
    costs, labels = np.zeros(3), []
    for distance in outputs["distance"][: len(golden["labels_from_start"])]:
        costs = distance + np.minimum(costs, costs.min() + golden["jump_penalty"])
        labels.append(costs.argmin())
    assert labels == golden["labels_from_start"].tolist()
    assert len(set(labels)) > 1


def test_the_shipped_model_loads(golden):
    model = rg.load(MODELS / "sp500.onnx")
    assert model.contract.training["rows"] == 5031
    assert model.contract.schema.names == ("close", "range")
    assert golden["window"].shape[1:] == (model.contract.window_rows, 2)


def test_the_card_is_that_of_the_file():
    text = (MODELS / "README.md").read_text()
    contract = rg.load(MODELS / "sp500.onnx").contract
    assert contract.training["fingerprint"] in text
    for regime in contract.regimes:
        assert f"{regime.share:.1%}" in text
