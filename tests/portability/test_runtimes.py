"""onnxruntime-node, OpenVINO and ONNX's reference evaluator, each through its example."""

from importlib.util import find_spec

import pytest


@pytest.fixture(params=["node", "openvino", "onnx_reference"])
def compare(request, require, python_example):
    if request.param == "node":
        return request.getfixturevalue("regimes")
    module = {"onnx_reference": "onnx"}.get(request.param, request.param)
    require(find_spec(module), f"{module} is not installed")
    return lambda *files: python_example(f"{request.param}/compare.py", *files)


def test_every_output_is_the_golden_one(compare, model, golden):
    result = compare(model, golden)
    assert result.returncode == 0, result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["pass"] * 5


def test_convolutions_of_channels_of_few_levels_agree(compare, few_levels):
    result = compare(*few_levels)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_perturbed_golden_file_is_told(compare, model, perturbed):
    output, path = perturbed
    result = compare(model, path)
    failed = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("FAIL")]
    assert (result.returncode, failed) == (1, [output])
