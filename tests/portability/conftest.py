"""The model in other runtimes: what they need, and golden files to pass and to refuse."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from changed import change_golden
from encoders import fit_fast
from places import MODEL, ROOT
from reports import contract, made  # noqa: F401  fixtures

from regimetry.series.samples import market_sample

EXAMPLES = ROOT / "examples"
REQUIRED = "REGIMETRY_REQUIRE_PORTABILITY"
OUTPUTS = ("embedding", "distance", "novelty", "regime", "labels_from_start")


def finished(*command):
    command = [*map(str, command)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="session")
def require():
    """Skip what cannot run here; where the variable is set, nothing may be missing."""

    def require(present, missing):
        if present:
            return
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{missing}, and {REQUIRED}=1.")
        pytest.skip(f"{missing}; examples/README.md says how to install it.")

    return require


@pytest.fixture(scope="session")
def model():
    return MODEL


@pytest.fixture(scope="session")
def golden():
    return MODEL.with_suffix(".golden.json")


@pytest.fixture(params=OUTPUTS)
def perturbed(request, golden, tmp_path):
    """A golden file with one entry changed: the output's name and the file."""
    path = Path(shutil.copy(golden, tmp_path))
    change_golden(path, request.param)
    return request.param, path


@pytest.fixture(scope="session")
def bars():
    """Daily bars of the S&P 500 from calm years into 2008, indexed by date."""
    return market_sample("sp500").iloc[1900:3000]


@pytest.fixture(scope="session")
def few_levels(tmp_path_factory):
    """A model of an on/off channel and a rounded one, told by convolutions, and its golden file.

    Were its thresholds at values that occur, each runtime's order of summation would decide.
    """
    generator = np.random.default_rng(0)
    state = (np.arange(900) // 150) % 2
    on = (generator.random(900) < 0.1 + 0.7 * state).astype(float)
    rounded = np.round(2 * generator.standard_normal(900) * (1 + state)) / 2
    detector = fit_fast(np.stack([on, rounded], axis=1), window_size=40, n_regimes=2, encoder=None)
    path = tmp_path_factory.mktemp("few_levels") / "few.onnx"
    detector.save(path)
    return path, path.with_suffix(".golden.json")


@pytest.fixture(scope="session")
def csv(bars, tmp_path_factory):
    path = tmp_path_factory.mktemp("csv") / "spx.csv"
    bars.to_csv(path)
    return path


@pytest.fixture(scope="session")
def node(require):
    """Run a script in Node."""
    program = shutil.which("node")
    require(program, "Node is not installed")
    require((EXAMPLES / "node_modules" / "onnxruntime-node").is_dir(), "onnxruntime-node is absent")

    return lambda script, *arguments: finished(program, script, *arguments)


@pytest.fixture(scope="session")
def chromium(require):
    program = shutil.which("chromium")
    require(program, "Chromium is not installed")
    require((EXAMPLES / "node_modules" / "playwright-core").is_dir(), "playwright-core is absent")
    return program


@pytest.fixture(scope="session")
def regimes(node):
    return lambda *files: node(EXAMPLES / "node" / "regimes.mjs", *files)


@pytest.fixture(scope="session")
def python_example():
    """Run a Python script where ``import regimetry`` fails."""
    program = (
        "import runpy, sys; sys.modules['regimetry'] = None; del sys.argv[0]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )

    def run(script, *arguments):
        return finished(sys.executable, "-I", "-c", program, EXAMPLES / script, *arguments)

    return run
