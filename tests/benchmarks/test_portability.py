"""The benchmark of other runtimes: a difference, a crash and a missing release are each a row."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.portability import __main__ as command
from benchmarks.portability import environment
from benchmarks.portability.environment import NotInstalledError, compared, installed, interpreter
from benchmarks.portability.releases import ENVIRONMENTS, NOTES, Environment

HERE = Path(sys.executable)


@pytest.fixture(scope="module")
def forms(model_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    command.write_forms(model_path, folder)
    return folder


def run(forms, form="window", runtime="onnxruntime", golden=None):
    return compared(HERE, runtime, forms / f"{form}.onnx", golden or forms / f"{form}.npz")


@pytest.mark.parametrize("form", ["window", "series"])
def test_both_forms_are_the_golden_outputs_here(form, forms):
    found = run(forms, form)
    assert command.passes(found)
    assert command.cells(found).endswith("| equal")


@pytest.mark.parametrize("output", ["embedding", "distance", "regime", "novelty"])
def test_another_golden_output_is_seen(output, forms, tmp_path):
    golden = dict(np.load(forms / "window.npz"))
    golden[output] = golden[output] + 1
    np.savez(tmp_path / "other.npz", **golden)
    found = run(forms, golden=tmp_path / "other.npz")
    assert not command.passes(found)
    assert ("0% equal" in command.cells(found)) is (output == "regime")


def test_what_a_runtime_raises_is_its_row(forms, tmp_path):
    (tmp_path / "window.onnx").write_bytes(b"no model")
    found = compared(HERE, "reference", tmp_path / "window.onnx", forms / "window.npz")
    assert "Error" in found
    assert not command.passes(found)
    assert compared(HERE, "nothing", tmp_path, forms / "window.npz").startswith("KeyError")


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
        ("import time; time.sleep(9)", "no result within 1 s"),
        ("print('chatter')", "it says nothing"),
    ],
)
def test_a_crash_a_hang_and_silence_are_rows(script, found, forms, tmp_path, monkeypatch):
    path = tmp_path / "run.py"
    path.write_text(script)
    monkeypatch.setattr(environment, "SCRIPT", path)
    monkeypatch.setattr(environment, "RUN_S", 1 if "sleep" in script else 60)
    assert found in run(forms)


def test_a_release_that_cannot_be_had_leaves_no_folder(tmp_path, forms):
    with pytest.raises(NotInstalledError, match=r"needs Python 2\.0, which is not here"):
        interpreter("2.0")
    folder, wheel = tmp_path / "environment", str(tmp_path / "absent.whl")
    with pytest.raises(NotInstalledError, match="ERROR"), installed(folder, (wheel,), ""):
        pass
    assert not folder.exists()
    absent = Environment(("absent==1.0",), ("onnxruntime", "int8"), "2.0")
    rows = list(command.rows_of(absent, forms))
    assert [title for title, _ in rows] == ["absent 1.0", "absent 1.0, int8 by quantize_dynamic"]
    assert all("needs Python 2.0" in found["series"] for _, found in rows)


def test_a_row_is_one_line_without_paths():
    cells = command.cells("OSError: /somewhere/else/x.onnx | is absent " + "x" * 200)
    assert cells.startswith("OSError: x.onnx / is absent xxx")
    assert cells.count("|") == 2
    assert len(cells) < 130


def test_the_command_names_what_there_is(capsys):
    assert command.main(["--only", "abacus"]) == 2
    assert "there are int8, iree, jaxonnxruntime" in capsys.readouterr().err


def test_every_runtime_is_one_that_the_script_knows():
    known = {name for item in ENVIRONMENTS for name in item.runtimes}
    script = environment.SCRIPT.read_text()
    assert set(NOTES) <= known
    for name in known:
        assert f"\ndef {name}(" in script, name


def test_the_golden_windows_that_follow_each_other_are_the_series(forms, model_path):
    series, windows = (dict(np.load(forms / f"{form}.npz")) for form in ("series", "window"))
    count = len(json.loads(model_path.with_suffix(".golden.json").read_text())["labels_from_start"])
    np.testing.assert_array_equal(series["input"][-windows["input"].shape[1] :],
                                  windows["input"][count - 1])  # fmt: skip
    assert len(series["regime"]) == count
