import json
import sys
from io import BytesIO, TextIOWrapper

import numpy as np
import pandas as pd
import pytest
from places import MODEL


@pytest.fixture(scope="session")
def bars():
    """60 bars (T, 2) that follow each other, of the golden file."""
    windows = np.array(json.loads(MODEL.with_suffix(".golden.json").read_text())["window"])[:40]
    return np.concatenate([windows[0], windows[1:, -1]])


@pytest.fixture
def data(values, tmp_path):
    """A file of rows that the small model reads."""
    frame = pd.DataFrame(values, columns=["x0", "x1", "x2", "x3"])
    frame.insert(0, "date", pd.bdate_range("2020-01-01", periods=len(frame)))
    frame.to_csv(tmp_path / "données.csv", index=False)
    return tmp_path / "données.csv"


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

    def call(content, *arguments, model=MODEL):
        shown = feed(content, "stream", model, *arguments)
        assert shown.err == ""
        return [json.loads(line, parse_constant=pytest.fail) for line in shown.out.splitlines()]

    return call
