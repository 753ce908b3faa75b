"""The training record is read strictly, and what a newer release may add is passed over."""

import json

import onnx
import pytest
from places import MODEL

from regimetry.contract import CONTRACT_KEY, Candidate, ModelContract, TrainingRecord, read_contract
from regimetry.errors import ModelError


@pytest.fixture(scope="module")
def metadata():
    return {entry.key: entry.value for entry in onnx.load(MODEL).metadata_props}


def read(metadata, change) -> ModelContract:
    """Read the shipped contract after a change to its training record."""
    data = json.loads(metadata[CONTRACT_KEY])
    change(data["training"])
    return read_contract({**metadata, CONTRACT_KEY: json.dumps(data)}, "m.onnx")


def test_a_wrong_type_is_named(metadata):
    for change, message in (
        ({"rows": "5031"}, "training.rows is '5031'; expected a whole number"),
        ({"rows": 5031.0}, "training.rows is 5031.0; expected a whole number"),
        ({"seed": True}, "training.seed is True; expected a whole number"),
        ({"seed": None}, "training.seed is None; expected a whole number"),
        ({"start": 1999}, "training.start is 1999; expected text"),
        ({"eigenvalues": 1.0}, "training.eigenvalues is 1.0; expected a list"),
        ({"eigenvalues": [1.0, False]}, r"training.eigenvalues\[1\] is False; expected a finite"),
        ({"eigenvalues": [10**400]}, "damaged"),
        ({"history": {"loss": [None]}}, r"training.history.loss\[0\] is None; expected a finite"),
        ({"versions": []}, r"training.versions is \[\]; expected a mapping"),
        ({"candidates": [[]]}, r"training.candidates\[0\] is \[\]; expected a mapping"),
        ({"candidates": [{}]}, "n_regimes"),
        ({"alignment": {"over": "some"}}, "over is 'some'; expected 'shared' or 'all'"),
        ({"features": {"kind": "candles"}}, "kind is 'candles'; expected 'ohlcv'"),
        ({"refinement": 3}, "training.refinement is 3; expected a mapping"),
    ):
        with pytest.raises(ModelError, match=message):
            read(metadata, lambda training, change=change: training.update(change))


def test_what_is_absent_has_its_default_and_what_is_newer_is_passed_over(metadata):
    assert read(metadata, lambda training: training.clear()).training == TrainingRecord()

    def change(training):
        training["weather"] = {"rain": 1}
        training["candidates"][0]["colour"] = "blue"

    contract = read(metadata, change)
    plain = read(metadata, lambda training: None)
    assert contract.training == plain.training
    assert contract.to_metadata() == plain.to_metadata()
    assert contract.fingerprint != plain.fingerprint  # of its own text


def test_an_entry_that_was_not_recorded_is_not_written():
    table = (Candidate(n_regimes=1),)
    assert "candidates" not in TrainingRecord(start=None).to_dict()
    written = TrainingRecord(candidates=table).to_dict()
    assert written["candidates"][0]["landmarks"]["drawn"] == "even"
    assert written["start"] is None
    assert "features" not in written
