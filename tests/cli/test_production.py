"""What production runs with numpy and onnxruntime alone, or with a reader of tables besides."""

import json

from blocked import VERBS, run_blocked
from places import MODEL

RESEARCH = {"onnx", "tensorflow", "keras", "openvino", "sklearn", "scipy", "tf2onnx", "starlette"}


def in_production(blocked, *verbs, lines=""):
    """What each verb says: exit code, output, errors."""
    arguments = json.dumps([[*map(str, verb)] for verb in verbs])
    done = run_blocked(VERBS, blocked, arguments, input=lines)
    assert done.returncode == 0, done.stderr
    said, loaded = json.loads(done.stdout)
    assert {"numpy", "onnxruntime", "regimetry"} <= set(loaded)
    assert not blocked & set(loaded)
    return said


def test_models_are_verified_shown_exported_and_followed_with_onnxruntime_alone(
    copy, bars, tmp_path
):
    verified, inspected, plain, triton, series, streamed = in_production(
        RESEARCH | {"pandas", "narwhals"},
        ["verify", copy],
        ["inspect", copy],
        ["inspect", copy, "--json"],
        ["export", copy, tmp_path / "repo", "--target", "triton"],
        ["export", copy, tmp_path / "s.onnx", "--target", "series"],
        ["stream", MODEL],
        lines="\n".join(json.dumps({"close": c, "range": r}) for c, r in bars.tolist()),
    )
    assert [said[0] for said in (verified, inspected, plain, triton, streamed)] == [0] * 5
    assert "reference was not run; not installed: pip install onnx" in verified[1]
    assert "openvino was not run; not installed" in verified[1]
    assert "regime_1" in inspected[1]
    assert "onnx is not installed, which reads the rest" in inspected[1]
    card = json.loads(plain[1])
    assert (card["window_size"], card["statistics"]) == (10, None)
    assert (series[0], "Run: pip install 'regimetry[fit]'" in series[2]) == (2, True)
    assert len(streamed[1].splitlines()) == len(bars)


def test_tables_are_labelled_and_compared_without_a_research_module(model_path, data):
    said = in_production(
        RESEARCH,
        ["predict", model_path, data],
        ["analyse", model_path, data],
        ["drift", model_path, data, "--last", "200"],
        ["compare", model_path, model_path, data],
    )
    assert [code for code, _, _ in said] == [0] * 4
