"""The page of a walk, and that it says what the walk says."""

import json
import re

import numpy as np
import pytest
from walks import WALK, small_detector

from regimetry.backtest import walk_forward
from regimetry.backtest.page import refit_table, regime_table, render_walk, write_page


def figures_of(page):
    return json.loads(re.search(r'id="figures">(.*?)</script>', page, re.DOTALL)[1])


def places_of(page):
    return re.findall(r'<div class="plot" id="(\w+)"', page)


def test_the_page_shows_the_walk(walked):
    page = render_walk(walked, "<b>spx.csv")
    found = walked.summary
    assert "<h1>Walk forward over &lt;b&gt;spx.csv</h1>" in page
    assert f"<strong>{found.rule.sharpe:.2f}</strong>" in page
    assert f"holding {found.hold.drawdown:.1%}" in page
    assert f"<td>{found.log_score.ewma_t:.4f}</td>" in page
    figures = figures_of(page)
    assert list(figures) == places_of(page) == ["wealth", "drawdown", "turnover", "scores", "kept"]
    assert page == render_walk(walked, "<b>spx.csv"), "the same walk gives the same page"


def test_tables_are_those_of_the_frame(walked):
    table = regime_table(walked)
    assert [row[0] for row in table.rows] == list(walked.names)
    frame = walked.frame
    after = frame["return"].shift(-1)[frame["regime"] == 0].dropna()
    sharpe = after.mean() / after.std() * np.sqrt(252)
    assert table.rows[0][-1] == f"{sharpe:.2f}"
    assert len(refit_table(walked).rows) == len(walked.regimes)


@pytest.mark.parametrize("given", [{"n_regimes": 1}, {}], ids=["one regime", "one refit"])
def test_little_is_drawn_as_well(prices, given, tmp_path):
    windows = WALK if given else {"train": 450, "refit": 80}
    walk = walk_forward(prices.iloc[:500], small_detector(**given), **windows)
    write_page(walk, tmp_path / "page.html", "prices.csv")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(figures_of(page)) == 5
    assert "nan" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_a_page_of_many_instruments(panel):
    walk = walk_forward(panel, small_detector(), by="symbol", **WALK)
    page = render_walk(walk, "panel")
    assert "of most instruments" in page
    assert regime_table(walk).rows[0][0] == "regime_0"
