import json
from dataclasses import replace

import pytest

from regimetry.contract import CONTRACT_KEY, FORMAT_KEY, ModelContract
from regimetry.errors import ModelError


def test_a_contract_survives_the_file(model):
    contract = model.contract
    assert ModelContract.from_metadata(contract.to_metadata(), "x") == contract
    assert contract.to_metadata() == replace(contract).to_metadata()


def test_what_the_contract_tells(model):
    contract = model.contract
    assert (contract.window_size, contract.window_rows) == (10, 11)
    assert contract.transforms == ("level", "level", "level", "log_difference")
    training = contract.training
    assert training["rows"] == 700
    assert training["windows"] == 690
    assert training["seed"] == 0
    assert training["configuration"]["encoder"]["embedding_dim"] == 8
    assert len(training["fingerprint"]) == 64
    assert {"tensorflow", "tf2onnx", "regimetry"} <= set(training["versions"])
    assert sum(regime.share for regime in contract.regimes) == pytest.approx(1.0)
    for row in contract.transition_matrix:
        assert sum(row) == pytest.approx(1.0)


def _edited(model, **changes):
    metadata = model.contract.to_metadata()
    data = json.loads(metadata[CONTRACT_KEY])
    for name, value in changes.items():
        if value is None:
            del data[name]
        else:
            data[name] = value
    return {**metadata, CONTRACT_KEY: json.dumps(data)}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: {}, "not a regimetry model"),
        (lambda m: {**m.contract.to_metadata(), FORMAT_KEY: "99"}, "'99'; this release reads 1"),
        (lambda m: {**m.contract.to_metadata(), CONTRACT_KEY: "{"}, "damaged"),
        (lambda m: _edited(m, scale=None), "damaged"),
        (lambda m: _edited(m, mean=[1.0]), "mean is or has 1 where 4"),
        (lambda m: _edited(m, window_rows=10), "window_rows is or has 10 where 11"),
    ],
)
def test_edited_metadata_are_refused(model, edit, message):
    with pytest.raises(ModelError, match=message):
        ModelContract.from_metadata(edit(model), "file.onnx")
