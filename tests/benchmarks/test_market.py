"""The benchmark of the next bar: every method answers of the past alone, and scores add up."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from places import ROOT
from scipy.stats import norm
from walks import make_prices

from benchmarks.market import series
from benchmarks.market.__main__ import main
from benchmarks.market.answer import Density
from benchmarks.market.methods import METHODS
from benchmarks.market.rivals import ewma, garch
from benchmarks.market.scores import diebold_mariano, hits
from regimetry.backtest.bars import Bars
from regimetry.backtest.density import ewma_density

SLOW = ("switching3", "hmm3", "hmm4")
RIVALS = [name for name, one in METHODS.items() if not one.of_package and name not in SLOW]


@pytest.fixture(scope="module")
def bars():
    return Bars.of(make_prices(5, 700), "close", None)


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_says_nothing_that_knows_a_later_bar(bars, name):
    later = bars.frame.copy()
    later.iloc[650:] *= np.exp(np.linspace(0.2, 0.5, 50))[:, None]
    changed = Bars.of(later, "close", None)
    answers = [METHODS[name].answer(one, one.time < 600) for one in (bars, changed)]
    before, at = slice(1, 650), 650
    np.testing.assert_allclose(*(one.probability[before] for one in answers), atol=1e-9)
    for kind, density in answers[0].densities.items():
        other = answers[1].densities[kind]
        np.testing.assert_allclose(density.log[before], other.log[before], atol=1e-9)
        assert other.log[at] < density.log[at] - 1, "the comparison sees the bar that changed"
        known = density.below[1:]
        assert ((known >= 0) & (known <= 1))[np.isfinite(known)].all()


def test_the_density_of_a_rival_is_one(bars):
    """Hits of every level on the bars of training, which the model was fitted on."""
    density = garch(bars, bars.time < 700).densities["own"]
    inside = Density(density.log[1:], density.below[1:])
    assert hits(inside, 0.05) == pytest.approx(0.05, abs=0.03)
    assert hits(inside, 0.5) == pytest.approx(0.5, abs=0.06)


def test_ewma_is_that_of_the_package(bars):
    known = bars.time < 600
    there = ewma(bars, known).densities["own"].log
    np.testing.assert_allclose(there[100:], ewma_density(bars, known)[100:], atol=0.02)


def test_diebold_mariano_widens_where_differences_persist():
    generator = np.random.default_rng(0)
    noise = generator.standard_normal(4000)
    level, z, p = diebold_mariano(noise + 0.05, np.zeros(4000))
    assert level == pytest.approx(0.05 + noise.mean())
    assert z == pytest.approx(level / (noise.std() / np.sqrt(4000)), rel=0.1)
    assert p == pytest.approx(2 * norm.sf(z))
    slow = np.convolve(noise, np.ones(20) / 20**0.5, "same")
    plain = slow.mean() / (slow.std() / np.sqrt(4000))
    assert abs(diebold_mariano(slow, np.zeros(4000))[1]) < 0.5 * abs(plain)


def test_ours_answers_by_labels_and_by_a_density_of_its_own(bars):
    found = METHODS["regimetry"].answer(bars, bars.time < 600)
    assert list(found.densities) == ["own", "labels"]
    for density in found.densities.values():
        assert np.isfinite(density.log[600:]).all()
        assert 0 < hits(density, 0.3) < 0.6


@pytest.fixture
def market(monkeypatch):
    """A made-up market, and one whose file is not there."""
    close = make_prices(5, 560)["close"]
    made = series.Market("Made up", lambda: close, train=400)
    monkeypatch.setitem(series.MARKETS, "made", made)
    monkeypatch.setitem(series.MARKETS, "absent", series.Market("Not there", lambda: None))


@pytest.mark.usefixtures("market")
def test_tables_are_written_and_results_used_again(tmp_path, capsys):
    page = tmp_path / "market.md"
    page.write_text("# Head\n\n<!-- market -->\n<!-- end of market -->\n")
    (tmp_path / "images").mkdir()
    told = ["--methods", "one_t,garch,hmm2", "-o", str(tmp_path / "r"), "--write", str(page)]
    main(["--markets", "made,absent", *told])
    text = page.read_text()
    assert "### Made up" in text
    assert "Not there" not in text
    assert text.count("\n\n| density |") == text.count("\n\n| regimes |") == 1
    assert "2 fits on 400 bars each, 160 bars behind the first one's." in text
    rows = {row.split("|")[1].strip(): row for row in text.splitlines() if row.startswith("| ")}
    assert set(rows) >= {"one Student t", "GJR-GARCH-t (arch)", "hmmlearn, K 2", "holding"}
    assert "hmmlearn, K 2, by labels" in rows
    assert (tmp_path / "images" / "market.png").exists()
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "r").glob("*.npz")}
    assert len(kept) == 6
    main(["--markets", "made", *told])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "r").glob("*.npz")} == kept
    capsys.readouterr()


def test_a_file_that_is_not_there_is_no_market(monkeypatch, tmp_path):
    monkeypatch.setenv("REGIMETRY_DATA", str(tmp_path))
    assert series.MARKETS["ndx"].load() is None
    (tmp_path / "nasdaq100").mkdir()
    days = pd.bdate_range("2020-01-01", periods=3, name="date")
    pd.DataFrame({"close": [1.0, 2.0, np.nan]}, index=days).to_csv(
        tmp_path / "nasdaq100" / "NDX.csv"
    )
    assert series.MARKETS["ndx"].load().tolist() == [1.0, 2.0]


THREADS_AT_NUMPY = """
import os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            print(os.environ.get("OMP_NUM_THREADS"))

sys.meta_path.insert(0, Watch())
import benchmarks.market.__main__
"""


def test_threads_are_limited_before_numpy_is_loaded():
    environment = {name: value for name, value in os.environ.items() if "THREADS" not in name}
    found = subprocess.run(
        [sys.executable, "-c", THREADS_AT_NUMPY],
        capture_output=True, text=True, check=True, cwd=ROOT, env=environment,
    )  # fmt: skip
    assert found.stdout.split() == ["1"]
