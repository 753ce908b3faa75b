"""The benchmark of GPUs: it measures what it says, and says where there is no device."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import gpu
from regimetry.runtime.trial import Trial

RIGHT = gpu.Row("cuda, bound", 40.0, 55.0, (3.0, 1.5), 2.0, 1e-5, 1.0, "310")


def test_a_machine_without_a_device_is_told_so(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "try_provider", lambda _: Trial(False, "no libcuda.so.1"))
    assert gpu.main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "onnxruntime finds no GPU here (no libcuda.so.1); nothing was measured.\n"


def test_every_way_is_measured_against_the_cpu(model_path, values, monkeypatch):
    monkeypatch.setattr(gpu, "used_memory", iter(range(100, 999, 50)).__next__)
    rows = list(
        gpu.measure(model_path, values.astype(np.float32), "cpu", "CPUExecutionProvider", 40)
    )
    assert [row.name.split(", ", 1)[-1] for row in rows] == [
        "CPU", "`session.run`, nothing bound", "bound", "bound, CUDA graphs"
    ]  # fmt: skip
    assert all(row.is_right() for row in rows)
    assert all(0 < row.p50 <= row.p99 and min(row.per_window) > 0 for row in rows)
    assert [row.bank is None for row in rows] == [False, True, False, False]
    assert {row.memory for row in rows} == {"50"}


def test_another_answer_than_the_cpus_is_told():
    assert RIGHT.is_right()
    assert not replace(RIGHT, labels=0.999).is_right()
    assert not replace(RIGHT, difference=2e-3).is_right()
    assert RIGHT.line() == "| cuda, bound | 40 | 55 | 3.00 | 1.50 | 2.00 | 310 | 1e-05 | 100.00% |"


@pytest.mark.parametrize(("row", "code"), [(RIGHT, 0), (replace(RIGHT, labels=0.9), 1)])
def test_the_exit_code_says_whether_all_is_right(row, code, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "try_provider", lambda _: Trial(True, ""))
    monkeypatch.setattr(gpu, "preload_cuda", lambda _: None)
    monkeypatch.setattr(gpu, "market_sample", lambda _: _Frame())
    monkeypatch.setattr(gpu, "measure", lambda *_: iter([RIGHT, row]))
    assert gpu.main([]) == code
    assert capsys.readouterr().out.splitlines()[-1] == row.line()


class _Frame:
    def to_numpy(self, dtype):
        return np.zeros((2, 2), dtype)


def test_memory_is_what_nvidia_smi_says_or_unknown(monkeypatch):
    answers = {"stdout": "812\n"}

    def run(command, **_):
        assert command[0] == "nvidia-smi"
        return subprocess.CompletedProcess(command, 0, **answers)

    monkeypatch.setattr(gpu.subprocess, "run", run)
    assert gpu.used_memory() == 812
    assert gpu.taken_since(500) == "312"
    answers["stdout"] = "[N/A]"
    assert gpu.used_memory() is None
    assert gpu.taken_since(500) == "unknown"
