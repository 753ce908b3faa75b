import json
from pathlib import Path

import numpy as np
import pytest
from changed import change_constant, change_golden

from regimetry.check import doctor as diagnosis
from regimetry.check.doctor import diagnose
from regimetry.check.golden import golden_path
from regimetry.cli import main
from regimetry.errors import InstallError
from regimetry.runtime import trial
from regimetry.runtime.providers import CPU, CUDA
from regimetry.runtime.trial import Trial, try_provider

TRIALS = {True: Trial(True, ""), False: Trial(False, "no library")}
MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture
def quick(monkeypatch):
    """Try no provider for real."""
    monkeypatch.setattr(diagnosis, "try_provider", lambda name: TRIALS[name == CPU])
    monkeypatch.setattr(diagnosis, "has_cuda_driver", lambda: False)


def test_a_provider_is_tried_in_a_process_of_its_own():
    assert try_provider(CPU) == Trial(True, "")
    started, reason = try_provider("NonsenseExecutionProvider")
    assert not started
    assert reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal 11"),
        ("import time; time.sleep(60)", "no answer within 0.5 s"),
        ("raise SystemExit(7)", "its process ended with 7"),
        ("raise ValueError('no such thing')", "ValueError: no such thing"),
        (
            r"import sys; sys.stderr.write('\x1b[1mE Failed to load x.so with error: y.so: no\n'); "
            r"print('then'); sys.stderr.write('more\n')",
            "y.so: no",
        ),
    ],
)
def test_what_goes_wrong_in_the_child_is_told(monkeypatch, code, reason):
    real = trial.subprocess.run
    monkeypatch.setattr(
        trial.subprocess, "run", lambda command, **keywords: real([*command[:3], code], **keywords)
    )
    started, found = try_provider(CPU, timeout_s=0.5)
    assert not started
    assert reason in found


def test_a_healthy_installation(quick, capsys):
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["problems"] == []
    assert report["versions"]["numpy"] == np.__version__
    assert report["threads"]["used"] == min(report["threads"]["limits"].values())
    assert report["extension"] is True
    assert report["providers"][CPU] == {"starts": True, "reason": ""}
    assert report["cpu"]["machine"]
    assert "model" not in report


def test_a_model_is_checked(quick, capsys):
    assert main(["doctor", str(MODELS / "sp500.onnx")]) == 0
    out = capsys.readouterr().out
    assert "golden regime              off by 0, 0 allowed" in out
    assert "sp500.onnx, on CPUExecutionProvider" in out


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda path: change_golden(golden_path(path), "distance"), "distance by 0.0"),
        (lambda path: change_golden(golden_path(path), "labels_from_start"), "1 of 40 causal"),
        (
            lambda path: change_constant(path, lambda t: t.name == "preprocessing/scale"),
            "embedding by",
        ),
    ],
)
def test_a_model_that_computes_something_else_is_a_problem(quick, copy, capsys, change, problem):
    change(copy)
    assert main(["doctor", str(copy), "--json"]) == 1
    streams = capsys.readouterr()
    report = json.loads(streams.out)
    (found,) = report["problems"]
    assert f"{copy} fails: onnxruntime: it differs from the golden file: {problem}" in found
    assert found in streams.err
    assert report["model"]["golden"]["failure"] in found
    assert report["model"]["provider"] == CPU


@pytest.mark.parametrize("content", ["{", "{}", '{"window": [[1]]}', None])
def test_a_golden_file_that_says_nothing_is_a_problem(quick, copy, content):
    if content is None:  # its model computes in float16
        copy = Path(__file__).parent / "files" / "float16.onnx"
    else:
        golden_path(copy).write_text(content)
    report = diagnose(copy)
    assert len(report["problems"]) == 1
    assert "golden" not in report["model"]
    assert report["model"]["provider"] == CPU


def test_what_is_broken_is_listed_and_the_rest_still_shown(quick, monkeypatch, capsys, tmp_path):
    def clash():
        raise InstallError("Both are installed.")

    monkeypatch.setattr(diagnosis, "import_onnxruntime", clash)
    assert main(["doctor", str(tmp_path / "none.onnx")]) == 1
    streams = capsys.readouterr()
    assert "numpy" in streams.out
    assert "Both are installed." in streams.err
    assert "none.onnx" in streams.err


def test_a_device_that_is_there_and_does_not_start_is_a_problem(quick, monkeypatch):
    class Runtime:
        @staticmethod
        def get_available_providers():
            return [CUDA, CPU]

    monkeypatch.setattr(diagnosis, "import_onnxruntime", Runtime)
    assert diagnose()["problems"] == []
    monkeypatch.setattr(diagnosis, "has_cuda_driver", lambda: True)
    assert diagnose()["problems"] == [f"{CUDA} does not start: no library."]


def test_an_extension_that_computes_nonsense_is_a_problem(quick, monkeypatch):
    from regimetry.runtime import recursion

    nothing = np.zeros(3, int), np.zeros((3, 2)), np.zeros(3, bool), np.zeros((3, 2)), np.zeros(3)
    monkeypatch.setattr(recursion, "follow", lambda *_: nothing)
    report = diagnose()
    assert report["extension"] is False
    assert "wrong results" in report["problems"][0]
