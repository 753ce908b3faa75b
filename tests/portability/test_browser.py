"""onnxruntime-web in headless Chromium, on the example's page behind a static server."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import regimetry as rg

DRIVER = Path(__file__).with_name("browser.mjs")


@pytest.fixture(scope="session")
def drive(require, node, chromium, request):
    """Open the page of a site in Chromium; what the browser saw."""
    examples = request.config.rootpath / "examples"
    require((examples / "browser" / "vendor").is_dir(), "examples/browser/vendor is absent")

    def drive(site, *arguments):
        server = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
        with subprocess.Popen(
            [*server, "--directory", str(site)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                port = re.search(r"port (\d+)", process.stdout.readline())[1]
                origin = f"http://127.0.0.1:{port}/"
                result = node(DRIVER, chromium, f"{origin}examples/browser/", *arguments)
            finally:
                process.terminate()
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout) | {"origin": origin}

    return drive


@pytest.fixture
def site(request, tmp_path, model):
    """Return a folder with the examples, the model and a golden file, to be served."""

    def site(golden, model=model):
        folder = tmp_path / "site"
        (folder / "models").mkdir(parents=True)
        (folder / "examples").symlink_to(request.config.rootpath / "examples")
        (folder / "models" / "sp500.onnx").symlink_to(model)
        (folder / "models" / "sp500.golden.json").symlink_to(golden)
        return folder

    return site


def test_the_page_compares_labels_and_draws(drive, site, model, golden, csv, bars, tmp_path):
    seen = drive(site(golden), tmp_path, csv)

    assert seen["errors"] == []
    assert all(url.startswith(seen["origin"]) for url in seen["requests"])
    assert any(url.endswith(".wasm") for url in seen["requests"])
    assert not seen["isolated"], "the page must work without cross-origin isolation"

    assert seen["verdict"] == "✓ passed"
    assert [row.split()[-1] for row in seen["checks"]] == ["✓"] * 5

    # The golden file's bars, then a table that was picked, then one that was dropped in the dark.
    # Two of the regimes occur in the golden bars.
    assert sorted(seen["golden"]["pixels"])[1] > 1000
    assert seen["picked"]["title"] == "spx.csv"
    assert min(seen["picked"]["pixels"]) > 500
    assert seen["dropped"]["title"] == "short.csv"
    assert "close" in seen["dropped"]["readout"]
    assert max(seen["dropped"]["pixels"]) > 1000
    assert seen["refusal"] == "The table lacks close, range; the model reads close, range."
    for name in ("golden.png", "picked.png", "dropped.png"):
        assert (tmp_path / name).stat().st_size > 10_000

    labels = pd.read_csv(tmp_path / "regimes.csv", index_col="date", parse_dates=True)
    expected = rg.load(model).predict(bars)
    assert labels.index.equals(bars.index)
    assert (labels["regime"].fillna(-1) == expected.fillna(-1)).mean() >= 0.999


def test_convolutions_of_channels_of_few_levels_agree(drive, site, few_levels, tmp_path):
    model, golden = few_levels
    seen = drive(site(golden, model), tmp_path)
    assert seen["verdict"] == "✓ passed"


def test_a_perturbed_golden_file_is_told(drive, site, perturbed, tmp_path):
    output, path = perturbed
    seen = drive(site(path), tmp_path)
    failed = [row.split()[0] for row in seen["checks"] if row.endswith("✗")]
    assert (seen["verdict"], failed) == ("✗ failed", [output])


def test_a_missing_model_is_said(drive, tmp_path, request):
    (tmp_path / "examples").symlink_to(request.config.rootpath / "examples")
    seen = drive(tmp_path, tmp_path)
    assert seen["error"] == "../../models/sp500.onnx cannot be read (404)."
    assert seen["verdict"] == ""
