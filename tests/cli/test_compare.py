"""``regimetry compare`` as a person uses it."""

import json

import numpy as np
import onnx
import pandas as pd
import pytest
from changed import save
from encoders import FAST
from onnx import numpy_helper

import regimetry as rg
from regimetry.contract import CONTRACT_KEY

COLUMNS = ["x0", "x1", "x2", "x3"]


@pytest.fixture
def renamed(model_path, tmp_path):
    """The same model with regimes 0 and 2 changed over, centroids and contract alike."""
    model = onnx.load(model_path)
    tensor = next(t for t in model.graph.initializer if t.name == "head/centroids")
    array = numpy_helper.to_array(tensor)
    axis = next(i for i, size in enumerate(array.shape) if size == 3)
    tensor.CopyFrom(numpy_helper.from_array(np.flip(array, axis).copy(), tensor.name))
    for entry in model.metadata_props:
        if entry.key == CONTRACT_KEY:
            contract = json.loads(entry.value)
            contract["regimes"] = contract["regimes"][::-1]
            contract["transition_matrix"] = [
                row[::-1] for row in contract["transition_matrix"][::-1]
            ]
            entry.value = json.dumps(contract)
    path = tmp_path / "renamed.onnx"
    save(model, path)
    return path


@pytest.fixture(scope="session")
def other_path(values, tmp_path_factory):
    """Another window, another K, fewer columns."""
    frame = pd.DataFrame(values[:, :3], columns=COLUMNS[:3])
    detector = rg.RegimeDetector(
        window_size=20, encoder=FAST, n_regimes=2, objective=None, n_landmarks=150, random_state=1
    ).fit(frame)
    path = tmp_path_factory.mktemp("other") / "other.onnx"
    detector.save(path)
    return path


def test_a_renaming_is_found(model_path, renamed, data, answer):
    found = answer("compare", model_path, renamed, data)
    assert found["mapping"] == [2, 1, 0]
    assert found["agreement"] == found["adjusted_rand"] == 1.0
    assert found["differing_stretches"] == []
    assert [pair["kept"] for pair in found["regimes"]] == [1.0, 1.0, 1.0]
    assert found["models"] == {}


def test_another_window_k_and_columns(model_path, model, other_path, values, data, run, answer):
    found = answer("compare", model_path, other_path, data)
    old = model.predict(values)
    new = rg.load(other_path).predict(values[:, :3])
    both = (old >= 0) & (new >= 0)
    assert found["bars"] == both.sum() == 700 - 19
    counts = np.array(found["counts"])
    assert counts.sum() == both.sum()
    mapping = np.array([-1 if m is None else m for m in found["mapping"]])
    same = mapping[new[both]] == old[both]
    assert found["agreement"] == pytest.approx(same.mean())
    assert sum(s["bars"] for s in found["differing_stretches"]) == (~same).sum()
    assert found["models"]["window_size"] == [10, 20]
    assert found["models"]["n_regimes"] == [3, 2]
    assert found["models"]["columns"] == [COLUMNS, COLUMNS[:3]]
    assert sum(pair["new"] is None for pair in found["regimes"]) == 1
    out = run("compare", other_path, model_path, data).out
    for text in ("none", "kept", "adjusted Rand index", "longest:", "window size    20 -> 10"):
        assert text in out


def test_bad_input_is_one_sentence(model_path, other_path, data, values, tmp_path, refuses):
    lacking, short = tmp_path / "lacking.csv", tmp_path / "short.csv"
    pd.DataFrame(values[:, :3], columns=COLUMNS[:3]).to_csv(lacking, index=False)
    pd.DataFrame(values[:15], columns=COLUMNS).to_csv(short, index=False)
    for table, message in (
        (lacking, "Column 'x3' is missing"),
        (short, "The data have 15 rows; the model reads 20 at once"),
        (tmp_path / "none.csv", "There is no file"),
    ):
        refuses(message, "compare", model_path, other_path, table)
