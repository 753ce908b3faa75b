import logging
from importlib import metadata

import numpy as np
import pytest

import regimetry as rg
from regimetry.errors import ConfigError, DeviceError, InstallError
from regimetry.runtime import providers, session
from regimetry.runtime.providers import CPU, CUDA, OPENVINO, TENSORRT, name_of
from regimetry.runtime.shared_session import SharedSession
from regimetry.runtime.trial import _RELU


def _installed(monkeypatch, names):
    def version(name):
        if name in names:
            return "1.0"
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(providers.metadata, "version", version)


@pytest.mark.parametrize("other", ["onnxruntime-gpu", "onnxruntime-openvino"])
def test_several_distributions_are_refused(monkeypatch, model_path, other):
    _installed(monkeypatch, ["onnxruntime", other])
    with pytest.raises(InstallError, match=f"Both .* pip uninstall -y onnxruntime {other}"):
        rg.load(model_path)


def test_none_is_refused(monkeypatch, model_path):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(providers, "import_module", missing)
    with pytest.raises(InstallError, match=r"pip install 'regimetry\[cpu\]'"):
        rg.load(model_path)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cuda:", "", "tensorrt:1"])
def test_an_unknown_device_is_named(model_path, device):
    with pytest.raises(ConfigError, match="must be 'auto', 'cpu', 'cuda', 'cuda:N', 'tensorrt'"):
        rg.load(model_path, device=device)


def test_device_and_providers_exclude_each_other(model_path):
    with pytest.raises(ConfigError, match="give one of the two"):
        rg.load(model_path, device="cpu", providers=[CPU])
    with pytest.raises(ConfigError, match="empty"):
        rg.load(model_path, providers=[])
    assert rg.load(model_path, providers=[(CPU, {})]).device == CPU


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"threads": 0}, "threads is 0"),
        ({"threads": True}, "threads is True"),
        ({"batch_size": 0}, "batch_size is 0"),
    ],
)
def test_numbers_out_of_range(model_path, setting, message):
    with pytest.raises(ConfigError, match=message):
        rg.load(model_path, **setting)


def test_an_unknown_setting_is_refused(model_path):
    with pytest.raises(TypeError, match="devcie"):
        rg.load(model_path, devcie="cpu")


class _Value:
    def __init__(self, name, shape, kind="tensor(float)"):
        self.name, self.shape, self.type = name, shape, kind


class _Session:
    """Starts what its runtime lets start."""

    starts = (CPU,)
    failure = None

    def __init__(self, _model, options, providers, enable_fallback):
        assert enable_fallback == 0
        self.asked, self.options = providers, options
        names = list(map(name_of, providers))
        if self.failure and names != [CPU]:
            raise RuntimeError(self.failure)
        self.got = [name for name in names if name in self.starts]

    def get_providers(self):
        return self.got

    def get_modelmeta(self):
        return type("Meta", (), {"custom_metadata_map": {}})

    def get_inputs(self):
        return [_Value("window", ["batch", 3, 2])]

    def get_outputs(self):
        return [_Value("embedding", ["batch", 4])]


class _Runtime:
    """An onnxruntime that lists and starts what it is told."""

    def __init__(self, listed, starts=(CPU,), failure=None):
        self.listed = listed
        self.InferenceSession = type("Made", (_Session,), {"starts": starts, "failure": failure})

    def get_available_providers(self):
        return self.listed

    class SessionOptions:
        def add_session_config_entry(self, key, value):
            setattr(self, key, value)


@pytest.fixture
def runtime(monkeypatch):
    """Put an onnxruntime of our own in place, on a machine with or without a driver."""

    def install(*arguments, driver=True, **keywords):
        made = _Runtime(*arguments, **keywords)
        monkeypatch.setattr(session, "import_onnxruntime", lambda: made)
        monkeypatch.setattr(providers, "has_cuda_driver", lambda: driver)
        return made

    return install


def test_only_auto_falls_back_and_says_so_once(runtime, caplog):
    runtime([CUDA, CPU])
    for device in ("cuda", "cuda:1"):
        with pytest.raises(DeviceError, match=f"{CUDA} is listed .* did not start; it loaded CPU"):
            SharedSession(_RELU, device=device)
    with pytest.raises(DeviceError, match="did not start"):
        SharedSession(_RELU, providers=[CUDA, CPU])
    with caplog.at_level(logging.WARNING, logger="regimetry"):
        assert SharedSession(_RELU, device="auto").provider == CPU
    assert caplog.text.count("Running on the CPU") == 1


def test_every_part_runs_where_the_first_one_does(model_path, values, monkeypatch, caplog):
    def choose(_ort, device, _providers, *, cuda_graphs):
        return ([OPENVINO, CPU], False) if device == "auto" else ([CPU], True)

    monkeypatch.setattr(session, "choose_providers", choose)
    with caplog.at_level(logging.WARNING, logger="regimetry"):
        model = rg.load(model_path)
        model.label(values)
        model.outputs(values)
    assert model.device == CPU
    assert caplog.text.count("Running on the CPU") == 1


def test_a_provider_that_raises_gives_its_reason(runtime, caplog):
    runtime([TENSORRT, CUDA, CPU], failure="install TensorRT libraries\nmore")
    with pytest.raises(DeviceError, match=r"did not start \(install TensorRT libraries\)"):
        SharedSession(_RELU, device="tensorrt")
    assert SharedSession(_RELU).provider == CPU
    assert "install TensorRT libraries" in caplog.text


def test_what_starts_is_what_was_asked(runtime):
    runtime([TENSORRT, CUDA, CPU], starts=(TENSORRT, CUDA, CPU))
    made = SharedSession(_RELU, device="cuda:1", cuda_graphs=True)
    assert made.provider == CUDA
    name, options = made.raw.asked[0]
    assert name == CUDA
    assert options["device_id"] == 1
    assert options["enable_cuda_graph"] == "1"
    assert SharedSession(_RELU, device="tensorrt").provider == TENSORRT
    assert SharedSession(_RELU, device="cpu").provider == CPU


def test_providers_in_another_order_are_not_what_was_asked():
    with pytest.raises(DeviceError):
        providers.require_started([CUDA, TENSORRT], [TENSORRT, CUDA, CPU])
    providers.require_started([CUDA], [CUDA, CPU])


def test_auto_does_not_try_cuda_without_a_driver(runtime, caplog):
    runtime([CUDA, CPU], driver=False)
    made = SharedSession(_RELU, device="auto")
    assert made.raw.asked == [CPU]
    assert not caplog.text


@pytest.mark.parametrize(
    ("device", "provider"), [("cuda", CUDA), ("tensorrt", TENSORRT), ("openvino", OPENVINO)]
)
def test_a_provider_that_is_not_listed_is_named(runtime, device, provider):
    runtime([CPU])
    with pytest.raises(DeviceError, match=f"has no {provider} .*or use device='cpu'"):
        SharedSession(_RELU, device=device)


def test_a_real_runtime_refuses_what_it_does_not_have(model_path):
    with pytest.raises(DeviceError, match="Nonsense"):
        rg.load(model_path, providers=["NonsenseExecutionProvider"])


def test_a_run_has_one_thread_and_does_not_spin(runtime):
    runtime([CPU])
    options = SharedSession(_RELU, device="cpu", arena=False).raw.options
    assert options.intra_op_num_threads == options.inter_op_num_threads == 1
    assert not options.enable_cpu_mem_arena
    assert getattr(options, "session.intra_op.allow_spinning") == "0"


def test_settings_do_not_change_results(model_path, values):
    expected = rg.load(model_path).embed(values)
    for settings in ({"arena": False}, {"threads": 3}, {"warm_up": False}, {"device": "cpu"}):
        np.testing.assert_array_equal(rg.load(model_path, **settings).embed(values), expected)
