"""The tool that times models in onnxruntime-web and onnxruntime-node gives what it promises."""

import json
import shutil

import pytest
from places import ROOT

TOOL = ROOT / "benchmarks" / "web" / "time_models.mjs"


@pytest.mark.parametrize("runtime", ["web", "node"])
def test_files_are_timed(runtime, require, node, model, tmp_path):
    if runtime == "web":
        require(shutil.which("chromium"), "Chromium is not installed")
    copy = shutil.copy(model, tmp_path / "copy.onnx")
    result = node(TOOL, model, copy, "--batch", 4, "--rounds", 2, "--runtime", runtime)
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert list(figures) == [str(model), str(copy)]
    for figure in figures.values():
        assert figure["median_ms_per_call"] > 0
        assert figure["microseconds_per_window"] == pytest.approx(
            figure["median_ms_per_call"] * 1000 / 4
        )


def test_wrong_arguments_get_the_usage_and_a_missing_file_is_said(node):
    for arguments in ((), ("a.onnx", "--batch", "0"), ("a.onnx", "--runtime", "x")):
        result = node(TOOL, *arguments)
        assert result.returncode == 2
        assert result.stderr.startswith("usage: ")
    result = node(TOOL, "none.onnx", "--runtime", "node")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "none.onnx" in result.stderr
