"""``regimetry verify`` and ``regimetry inspect`` as a person uses them."""

import json

import onnx
import pytest
from changed import change_constant

from regimetry.check.golden import golden_path


@pytest.fixture
def spoilt(copy):
    change_constant(copy, lambda tensor: tensor.name == "head/centroids", 0.01)
    return copy


def test_one_line_a_runtime(copy, run):
    out = run("verify", copy).out
    for runtime in ("onnxruntime", "reference", "openvino"):
        (line,) = [line for line in out.splitlines() if line.startswith(runtime)]
        assert all(text in line for text in ("64 of 64", "40 of 40", "agrees"))
    assert "keras was not run; no weights: m.keras is not there" in out
    assert "64 windows of" in out


def test_a_failure_exits_with_1_and_says_what(spoilt, run, answer):
    captured = run("verify", spoilt, code=1)
    assert captured.out.count("fails") == 3
    assert "onnxruntime: it differs from the golden file: distance by" in captured.err
    assert captured.err.count("\n") == 1
    found = answer("verify", spoilt, "--runtime", "onnxruntime", code=1)
    assert found["passed"] is False
    assert [replay["runtime"] for replay in found["replays"]] == ["onnxruntime"]
    assert found["replays"][0]["report"]["distance"] > 1e-3


def test_what_is_no_number_fails_and_stays_json(copy, run):
    change_constant(copy, lambda tensor: tensor.name == "novelty/scale", float("nan"))
    captured = run("verify", copy, "--json", code=1)
    found = json.loads(captured.out)
    assert found["replays"][0]["report"]["novelty"] is None
    assert "novelty by nan" in captured.err


def test_bad_usage_exits_with_2(copy, tmp_path, refuses):
    for message, *arguments in (
        ("no model file", tmp_path / "none.onnx"),
        ("no golden file", copy, "--golden", tmp_path / "none.json"),
        ("is no .keras file", copy, "--keras", tmp_path / "none.keras"),
        ("runtime is 'tvm'", copy, "--runtime", "tvm"),
        ("keras cannot be used: no weights", copy, "--runtime", "keras"),
    ):
        refuses(message, "verify", *arguments)
    golden_path(copy).unlink()
    refuses("no golden file", "verify", copy)


def test_fit_writes_the_golden_file_and_the_keras_encoder(tmp_path, run, answer):
    sample, model = tmp_path / "s.csv", tmp_path / "m.onnx"
    run("sample", "simulated", "--rows", "400", "-o", sample)
    run("fit", sample, "-o", model, "--objective", "none", "--n-regimes", "2", "--keras")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"s.csv", "s.states.csv", "m.onnx", "m.golden.json", "m.keras"}
    *_, keras = answer("verify", model)["replays"]
    assert keras["runtime"] == "keras"
    assert keras["report"]["embedding"] < 1e-6


def test_inspect_shows_card_and_graph(copy, run, answer):
    out = run("inspect", copy).out
    for text in (
        "version 4, float32, reads 'window'",
        "10 rows",
        "11 rows read",
        "24 numbers",
        "log_difference",
        "regime_2",
        "700 rows",
        "seed 0",
        "fingerprint",
        "scikit-learn",
        "multiply-accumulates per window",
        "opset         17, IR version 8, domains ai.onnx",
        "MatMul",
    ):
        assert text in out
    data, model = answer("inspect", copy), onnx.load(copy)
    statistics = data["statistics"]
    assert statistics["nodes"] == len(model.graph.node) == sum(statistics["operators"].values())
    assert statistics["bytes"] == copy.stat().st_size
    assert data["format_version"] == 4
    assert data["form"] == "window"
    assert data["training"]["seed"] == 0
