import json
import os
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing leaves a test

import numpy as np
import pytest
from encoders import FAST
from hypothesis import settings
from places import MODEL

import regimetry as rg

# A machine that is busy may take its time over an example.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def simulation():
    """Two volatility states, 700 bars: one price-like channel among returns."""
    clean = rg.simulate("s2", n_rows=700, seed=3)
    price = 100 * np.exp(np.cumsum(clean.values[:, 0]))
    return clean, np.column_stack([clean.values, price])


@pytest.fixture(scope="session")
def values(simulation):
    """Raw input (700, 4), its last column a price that is differenced inside the model."""
    return simulation[1]


@pytest.fixture(scope="session")
def detector(values, unfitted):
    """A small detector, fitted once; the tests only read it. Windows tell its regimes."""
    return unfitted("window").fit(values)


@pytest.fixture(scope="session")
def bar_detector(values, unfitted):
    """The same, but single bars tell its regimes."""
    return unfitted("auto").fit(values)


@pytest.fixture(scope="session")
def unfitted():
    """Make a small detector, by its evidence."""
    return _small_detector


def _small_detector(evidence):
    return rg.RegimeDetector(
        window_size=10,
        encoder=FAST,
        n_regimes=3,
        objective=None,
        n_landmarks=200,
        evidence=evidence,
        random_state=0,
    )


@pytest.fixture(scope="session")
def model_path(detector, tmp_path_factory):
    """The detector's file."""
    path = tmp_path_factory.mktemp("model") / "small.onnx"
    detector.save(path)
    return path


@pytest.fixture
def copy(model_path, tmp_path):
    """Its file and golden file once more, to be spoilt."""
    for suffix in (".onnx", ".golden.json"):
        shutil.copyfile(model_path.with_suffix(suffix), tmp_path / f"m{suffix}")
    return tmp_path / "m.onnx"


@pytest.fixture(scope="session")
def shipped():
    """The shipped model, which needs no fit."""
    return rg.load(MODEL, device="cpu", threads=1)


@pytest.fixture
def model(model_path):
    return rg.load(model_path)


@pytest.fixture(scope="session")
def bars_detector():
    """A small detector that was fitted on features of bars."""
    from price_bars import make_frame

    from regimetry.series.features import OhlcvFeatures

    bars = make_frame(260)
    features = OhlcvFeatures.find(bars)
    config = rg.EncoderConfig(embedding_dim=8, head_size=8, num_heads=2, ff_dim=16)
    detector = rg.RegimeDetector(
        window_size=10,
        encoder=config,
        n_regimes=2,
        objective=None,
        difference="none",
        random_state=0,
    )
    return detector.fit(features.frame(bars), features=features)


@pytest.fixture(scope="session")
def bars_path(bars_detector, tmp_path_factory):
    path = tmp_path_factory.mktemp("bars") / "bars.onnx"
    bars_detector.save(path)
    return path


@pytest.fixture
def bars_model(bars_path):
    return rg.load(bars_path, threads=1)


@pytest.fixture(params=["rows", "bars"])
def live(request):
    """A model and rows that it takes."""
    names = ("model", "values") if request.param == "rows" else ("bars_model", "bars")
    return tuple(map(request.getfixturevalue, names))


@pytest.fixture(scope="session")
def bars():
    """300 bars, (300, 6)."""
    from price_bars import make_bars

    return make_bars(300, seed=1)


@pytest.fixture
def run(capsys):
    """Run a verb to its exit code; what it printed is the answer."""

    from regimetry.cli import main

    def call(*arguments, code=0):
        capsys.readouterr()
        assert main([*map(str, arguments)]) == code, arguments
        return capsys.readouterr()

    return call


@pytest.fixture
def answer(run):
    """Run a verb with --json; the one object that it printed is the answer."""

    def call(*arguments, code=0):
        found = json.loads(run(*arguments, "--json", code=code).out, parse_constant=pytest.fail)
        assert isinstance(found, dict)
        return found

    return call


@pytest.fixture
def refuses(run):
    """Run a verb that refuses its input: one sentence, after notes, which contains the message."""

    def call(message, *arguments):
        *notes, error = run(*arguments, code=2).err.splitlines()
        assert message in error
        assert all(line.startswith("regimetry: ") for line in (*notes, error))
        return error + "\n"

    return call
