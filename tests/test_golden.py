"""The shipped model against its golden file, which its fit wrote."""

import numpy as np
import pytest
from places import MODEL

from regimetry.check.golden import golden_path, read_golden
from regimetry.check.parity import excess, measure
from regimetry.check.reader import read_source
from regimetry.check.runtimes import ONNXRUNTIME, Subject


@pytest.fixture(scope="module")
def contract(shipped):
    return shipped.contract


@pytest.fixture(scope="module")
def golden(contract):
    return read_golden(golden_path(MODEL), contract)


@pytest.fixture(scope="module")
def outputs(golden):
    return ONNXRUNTIME.run(Subject(file=read_source(MODEL)), golden.window)


def test_outputs_are_the_golden_ones(outputs, golden):
    assert excess(measure(outputs, golden.outputs)) is None
    assert measure(outputs, golden.outputs).windows == 64
    assert set(golden.outputs["regime"].tolist()) == {0, 1, 2}


def test_the_recursion_in_three_lines_gives_the_golden_labels(outputs, golden):
    costs, labels = np.zeros(3), []
    for distance in outputs["distance"][: len(golden.labels_from_start)]:
        costs = distance + np.minimum(costs, costs.min() + golden.jump_penalty)
        labels.append(costs.argmin())
    assert labels == golden.labels_from_start.tolist()
    assert len(set(labels)) > 1


def test_the_shipped_model_loads_and_its_card_is_its_own(contract, golden):
    assert contract.training.rows == 5031
    assert contract.schema.names == ("close", "range")
    assert golden.window.shape[1:] == (contract.window_rows, 2)
    text = (MODEL.parent / "README.md").read_text()
    assert contract.training.fingerprint in text
    for regime in contract.regimes:
        assert f"{regime.share:.1%}" in text
