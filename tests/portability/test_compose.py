"""The page's recipe joins two models; without it their contracts clash."""

import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import compose

from regimetry.contract import OUTPUT_NAMES
from regimetry.errors import ModelError

PAGE = Path(__file__).parents[2] / "docs" / "portability.md"


def recipe():
    (source,) = re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), flags=re.DOTALL | re.M
    )
    return source


@pytest.fixture
def files(detector, bar_detector, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    detector.save("a.onnx")
    bar_detector.save("b.onnx")


def run(path, **given):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, given), strict=True))


@pytest.mark.usefixtures("files")
def test_both_models_answer_as_alone(values):
    import regimetry as rg

    exec(compile(recipe(), str(PAGE), "exec"), {})
    onnx.checker.check_model("both.onnx", full_check=True)
    windows = np.ascontiguousarray(rg.rolling_windows(values.astype(np.float32), 11)[:9])
    found = run("both.onnx", a_window=windows, b_window=windows[:5])
    for name, given in (("a", windows), ("b", windows[:5])):
        alone = run(f"{name}.onnx", window=given)
        for output in OUTPUT_NAMES:
            np.testing.assert_array_equal(found[f"{name}_{output}"], alone[output])
    with pytest.raises(ModelError):
        rg.load("both.onnx")


@pytest.mark.usefixtures("files")
def test_without_the_prefix_the_contracts_clash():
    first, second = (compose.add_prefix(onnx.load(f"{name}.onnx"), name) for name in "ab")
    with pytest.raises(ValueError, match="metadata"):
        compose.merge_models(first, second, io_map=[])
