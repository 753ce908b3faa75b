import json
from pathlib import Path

import numpy as np
import pytest

import regimetry as rg

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="session")
def shipped():
    """The shipped model, which needs no fit."""
    return rg.load(MODELS / "sp500.onnx", device="cpu", threads=1)


@pytest.fixture(scope="session")
def bars():
    """60 bars (T, 2) that follow each other, of the golden file."""
    windows = np.array(json.loads((MODELS / "sp500.golden.json").read_text())["window"])[:40]
    return np.concatenate([windows[0], windows[1:, -1]])
