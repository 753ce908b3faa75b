"""``regimetry verify`` and ``regimetry inspect`` as a person uses them."""

import json
import subprocess
import sys

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
        assert "64 of 64" in line
        assert "40 of 40" in line
        assert line.endswith("agrees")
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


BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} is blocked")
BLOCKED = {"onnx", "tensorflow", "keras", "openvino", "sklearn", "scipy", "pandas", "tf2onnx"}
sys.meta_path.insert(0, Blocker())
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in BLOCKED else find_spec(name, *rest)
from regimetry.cli import main
sys.exit(main(sys.argv[1:]))
"""


def in_production(*arguments):
    """Run a verb where nothing but numpy and onnxruntime is installed."""
    return subprocess.run(
        [sys.executable, "-I", "-c", BLOCKED, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_verifies_and_inspects_with_onnxruntime_alone(copy, tmp_path):
    verified = in_production("verify", copy)
    assert verified.returncode == 0, verified.stderr
    assert "reference was not run; not installed: pip install onnx" in verified.stdout
    assert "openvino was not run; not installed" in verified.stdout
    inspected = in_production("inspect", copy)
    assert inspected.returncode == 0, inspected.stderr
    assert "regime_1" in inspected.stdout
    assert "onnx is not installed, which reads the rest" in inspected.stdout
    plain = json.loads(in_production("inspect", copy, "--json").stdout)
    assert plain["window_size"] == 10
    assert plain["statistics"] is None
    triton = in_production("export", copy, tmp_path / "repo", "--target", "triton")
    assert triton.returncode == 0, triton.stderr
    series = in_production("export", copy, tmp_path / "s.onnx", "--target", "series")
    assert series.returncode == 2
    assert "onnx is not installed. Run: pip install 'regimetry[fit]'" in series.stderr


def test_inspect_shows_card_and_graph(copy, run, answer):
    out = run("inspect", copy).out
    for text in (
        "version 2, float32, reads 'window'",
        "11 rows read",
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
    assert data["format_version"] == 2
    assert data["form"] == "window"
    assert data["training"]["seed"] == 0
