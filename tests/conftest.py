import os
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

import regimetry as rg


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
    from encoders import FAST  # loads Keras, which most tests do without

    return rg.RegimeDetector(
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


@pytest.fixture
def model(model_path):
    return rg.load(model_path)
