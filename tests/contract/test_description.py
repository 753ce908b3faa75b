import json
from dataclasses import replace

import onnx
import pytest
from changed import save

import regimetry as rg
from regimetry.contract import CONTRACT_KEY, FORMAT_KEY, PRECISION_KEY, precision_of, read_contract
from regimetry.contract.record import TrainingRecord
from regimetry.errors import ModelError


def test_a_contract_survives_the_file_and_tells_of_the_fit(model):
    contract = model.contract
    again = read_contract(contract.to_metadata(), "x")
    assert again == contract
    assert again.fingerprint == contract.fingerprint
    assert replace(contract, jump_penalty=0.5).fingerprint != contract.fingerprint
    assert contract.to_metadata() == replace(contract).to_metadata()
    assert (contract.window_size, contract.window_rows) == (10, 11)
    assert contract.transforms == ("level", "level", "level", "log_difference")
    training = contract.training
    assert training.rows == 700
    assert training.windows == 690
    assert training.seed == 0
    assert training.configuration["encoder"]["embedding_dim"] == 8
    assert len(training.fingerprint) == 64
    assert {"onnx", "scikit-learn", "regimetry"} <= set(training.versions)
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


def of_version(version):
    return lambda model: {**model.contract.to_metadata(), FORMAT_KEY: version}


def test_edited_metadata_are_refused(model):
    for edit, message in (
        (lambda m: {}, "not a regimetry model"),
        (
            of_version("0"),
            "'0'; this release reads 1, 2, 3, 4 and 5. Use the release that wrote it, or",
        ),
        (
            of_version("6"),
            "'6'; this release reads 1, 2, 3, 4 and 5. A newer release wrote it: upgrade",
        ),
        (
            of_version("one"),
            "'one'; this release reads 1, 2, 3, 4 and 5. Use the release that wrote it",
        ),
        (lambda m: {**m.contract.to_metadata(), CONTRACT_KEY: "{"}, "damaged"),
        (lambda m: _edited(m, scale=None), "damaged"),
        (lambda m: _edited(m, mean=[1.0]), r"mean is \(1.0,\); expected 4 numbers"),
        (lambda m: _edited(m, window_rows=10), "window_rows is 10; expected 11"),
        (lambda m: _edited(m, window_size="10"), "window_size is '10'"),
        (lambda m: _edited(m, window_size=-10, window_rows=-9), "window_size is -10"),
        (lambda m: _edited(m, embedding_size=True), "embedding_size is True"),
        (lambda m: _edited(m, jump_penalty=-1), "jump_penalty"),
        (lambda m: _edited(m, sharpness="1"), "sharpness"),
        (lambda m: _edited(m, clip=float("nan")), "NaN is no number"),
        (lambda m: _edited(m, scale=[1.0, 1.0, 1.0, 1e999]), "damaged"),
        (lambda m: _edited(m, transforms=["level"] * 3 + ["square"]), "transforms"),
        (lambda m: _edited(m, transition_matrix=[[1.0]]), "transition_matrix"),
        (lambda m: _edited(m, evidence="hearsay"), "evidence is 'hearsay'; expected window or bar"),
        (lambda m: _edited(m, regimes=[]), "regimes is 0"),
        (lambda m: _edited(m, training=[1]), r"training is \[1\]; expected a mapping"),
        (lambda m: _edited(m, schema=[]), "schema"),
        (lambda m: _edited(m, schema=[{"name": "a", "categories": None}] * 4), "schema"),
        (lambda m: _edited(m, unknown=1), "damaged"),
        (lambda m: {**m.contract.to_metadata(), CONTRACT_KEY: "[" * 100_000}, "damaged"),
    ):
        with pytest.raises(ModelError, match=message):
            read_contract(edit(model), "file.onnx")


def test_a_file_of_another_version_is_refused_by_every_reader(copy, refuses):
    model = onnx.load(copy)
    next(entry for entry in model.metadata_props if entry.key == FORMAT_KEY).value = "6"
    save(model, copy)
    with pytest.raises(ModelError, match="format version '6'; this release reads 1, 2, 3, 4 and 5"):
        rg.load(copy)
    for verb in ("inspect", "verify"):
        refuses("format version '6'", verb, copy)


def test_precision_is_float32_unless_the_file_says_otherwise():
    assert precision_of({}, "m.onnx") == "float32"
    assert precision_of({PRECISION_KEY: "float16"}, "m.onnx") == "float16"
    with pytest.raises(ModelError, match="its precision is 'int4'; this release knows float32"):
        precision_of({PRECISION_KEY: "int4"}, "m.onnx")


@pytest.mark.parametrize(
    "change",
    [
        {"channels": [0, 9]},
        {"channels": []},
        {"channels": [0, 0, 1]},
        {"coefficients": [[[0.0]]]},
        {"coefficients": []},
        {"factors": [[[1.0]]]},
        {"freedom": [2.0, 5.0, 5.0]},
        {"freedom": [5.0, 5.0]},
        {"shock": [-0.1, 0.1, 0.1]},
        {"memory": [1.0, 0.5, 0.5]},
        {"skew": [0.0]},
        {"stay": 1.0},
        {"begin": [[0.0], [1.0]]},
        {"weights": "others"},
    ],
    ids=str,
)
def test_an_impossible_density_is_refused(model, change):
    density = json.loads(model.contract.to_metadata()[CONTRACT_KEY])["density"]
    read_contract(_edited(model, density=density), "x")
    with pytest.raises(ModelError, match="density"):
        read_contract(_edited(model, density={**density, **change}), "x")
    with pytest.raises(ModelError, match="single_density"):
        read_contract(_edited(model, single_density=density), "x")  # of three regimes


def test_a_single_density_alone_and_impossible_states_are_refused(model):
    data = json.loads(model.contract.to_metadata()[CONTRACT_KEY])
    single = {**data["density"], "weights": "regimes"}
    for name in ("coefficients", "factors", "omega", "leverage", "begin", "typical"):
        single[name] = single[name][:1]
    for name in ("shock", "memory", "fall_memory", "freedom"):
        single[name] = single[name][:1]
    read_contract(_edited(model, single_density=single), "x")
    with pytest.raises(ModelError, match="both, or density alone"):
        read_contract(_edited(model, single_density=single, density=None), "x")
    known = {"states": ["a", "b"], "rows": 3, "share": 1.0, "adjusted_rand": 1.0}
    counts = [[1, 0], [0, 2], [0, 0]]
    for mapping, table, possible in (
        ([0, 1, -1], counts, True),
        ([0, 1, 2], counts, False),
        ([0, 0, -1], counts, False),
        ([0, 1], counts, False),
        ([0, 1, -1], [[1], [2], [0]], False),
    ):
        training = {**data["training"], "known": {**known, "mapping": mapping, "counts": table}}
        if possible:
            read_contract(_edited(model, training=training), "x")
            continue
        with pytest.raises(ModelError, match=r"training\.known"):
            read_contract(_edited(model, training=training), "x")


def test_a_record_without_candidates_has_no_entry_of_them():
    assert "candidates" not in TrainingRecord().to_dict()
