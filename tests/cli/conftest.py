import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import regimetry as rg
from regimetry.cli import main

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


@pytest.fixture
def data(values, tmp_path):
    """A file of rows that the small model reads."""
    frame = pd.DataFrame(values, columns=["x0", "x1", "x2", "x3"])
    frame.insert(0, "date", pd.bdate_range("2020-01-01", periods=len(frame)))
    frame.to_csv(tmp_path / "données.csv", index=False)
    return tmp_path / "données.csv"


@pytest.fixture
def run(capsys):
    """Run a verb to its exit code; what it printed is the answer."""

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
    """Run a verb that refuses its input: one sentence, which contains the message."""

    def call(message, *arguments):
        error = run(*arguments, code=2).err
        assert message in error
        assert error.splitlines()[-1].startswith("regimetry: ")
        assert error.count("\n") == 1
        return error

    return call


@pytest.fixture
def feed(run, monkeypatch):
    """Run a verb on text or bytes as its standard input."""

    def call(content, *arguments, code=0):
        data = content if isinstance(content, bytes) else content.encode()
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(data)))
        return run(*arguments, code=code)

    return call


@pytest.fixture
def stream(feed):
    """Run `stream` to the end of the input; its answers, one for each line."""

    def call(content, *arguments, model=MODELS / "sp500.onnx"):
        shown = feed(content, "stream", model, *arguments)
        assert shown.err == ""
        return [json.loads(line, parse_constant=pytest.fail) for line in shown.out.splitlines()]

    return call
