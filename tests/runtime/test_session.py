import logging
from importlib import metadata

import pytest

import regimetry as rg
from regimetry.errors import ConfigError, DeviceError, InstallError
from regimetry.runtime import session


def _installed(monkeypatch, names):
    def version(name):
        if name in names:
            return "1.0"
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(session.metadata, "version", version)


def test_both_distributions_are_refused(monkeypatch, model_path):
    _installed(monkeypatch, ["onnxruntime", "onnxruntime-gpu"])
    with pytest.raises(InstallError, match=r"Both .* pip uninstall -y onnxruntime onnxruntime-gpu"):
        rg.load(model_path)


def test_neither_is_refused(monkeypatch, model_path):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(session, "import_module", missing)
    with pytest.raises(InstallError, match=r"pip install 'regimetry\[cpu\]'"):
        rg.load(model_path)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cuda:", ""])
def test_an_unknown_device_is_named(model_path, device):
    with pytest.raises(ConfigError, match="must be 'auto', 'cpu', 'cuda' or 'cuda:N'"):
        rg.load(model_path, device=device)


class _Session:
    def __init__(self, _model, _options, providers):
        self.asked = providers

    def get_providers(self):
        return ["CPUExecutionProvider"]


class _Runtime:
    """An onnxruntime that lists CUDA and never starts it."""

    def __init__(self, listed):
        self.listed = listed
        self.InferenceSession = _Session

    def get_available_providers(self):
        return self.listed

    class SessionOptions:
        def add_session_config_entry(self, _key, _value):
            pass


def test_only_auto_falls_back_and_says_so(monkeypatch, caplog):
    runtime = _Runtime(["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(session, "import_onnxruntime", lambda: runtime)
    monkeypatch.setattr(session, "_has_cuda_driver", lambda: True)
    for device in ("cuda", "cuda:1"):
        with pytest.raises(DeviceError, match="listed and did not start"):
            session.open_session(b"", device=device)
    with caplog.at_level(logging.WARNING, logger="regimetry"):
        session.open_session(b"", device="auto")
    assert "running on the CPU" in caplog.text


def test_auto_does_not_try_cuda_without_a_driver(monkeypatch, caplog):
    runtime = _Runtime(["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(session, "import_onnxruntime", lambda: runtime)
    monkeypatch.setattr(session, "_has_cuda_driver", lambda: False)
    assert session.open_session(b"", device="auto").asked == ["CPUExecutionProvider"]
    assert not caplog.text


def test_cuda_needs_the_provider(monkeypatch):
    monkeypatch.setattr(session, "import_onnxruntime", lambda: _Runtime(["CPUExecutionProvider"]))
    with pytest.raises(DeviceError, match="has no CUDA provider"):
        session.open_session(b"", device="cuda")


def test_threads_follow_the_affinity():
    import os

    assert session.available_threads() == len(os.sched_getaffinity(0))
