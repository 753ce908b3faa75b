"""The report in headless Chromium, opened from disk."""

import json
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from walks import WALK, make_prices, small_detector

from regimetry.backtest import walk_forward
from regimetry.backtest.page import write_page
from regimetry.cli import main
from regimetry.series.samples import market_sample

DRIVER = Path(__file__).with_name("report.mjs")
PLOTS = ["price", "timeline", "transitions", "dwell", "pca"]  # the shipped model is untrained


@pytest.fixture(scope="module")
def browser(node, chromium):
    """Open a report in Chromium and use it; what was seen."""

    def browser(page, folder, *steps):
        result = node(DRIVER, chromium, page, folder, *steps)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return browser


@pytest.fixture(scope="module")
def seen(browser, model, tmp_path_factory):
    """What Chromium saw of twenty years of the S&P 500, in a folder with an odd name."""
    folder = tmp_path_factory.mktemp("report & größe")
    market_sample("sp500").to_csv(folder / "spx.csv")
    page = folder / "report.html"
    assert main(["report", str(model), str(folder / "spx.csv"), "-o", str(page)]) == 0
    return {**browser(page, folder), "page": page, "folder": folder}


def test_every_plot_is_drawn_and_nothing_leaves_the_page(seen):
    assert seen["errors"] == []
    assert seen["trouble"] == ""
    assert list(map(unquote, seen["requests"])) == [f"file://{seen['page']}"]
    assert list(seen["plots"]) == PLOTS
    assert all(plot["drawn"] > 0 for plot in seen["plots"].values())
    for name in ("price", "dwell", "pca"):
        assert seen["plots"][name]["regimes"] == [0, 1, 2]
    assert seen["plots"]["timeline"]["regimes"] == [0, 1, 2, 0, 1, 2]
    assert seen["overflow"] == 0
    for name in ("light", "filtered", "dark", "narrow"):
        assert (seen["folder"] / f"{name}.png").stat().st_size > 50_000


def test_a_click_on_a_regime_filters_every_figure(seen):
    assert seen["picked"] == 2
    for name in ("price", "dwell", "pca"):
        assert seen["filtered"][name]["regimes"] == [2]
        assert seen["fromTable"][name]["regimes"] == [0]
    assert seen["filtered"]["timeline"]["regimes"] == [2, 2]
    assert seen["filtered"]["transitions"]["covers"] == 2
    assert seen["off"] == 8, "two rows of four tables"
    assert seen["restored"] == seen["plots"]


def test_figures_over_time_show_one_stretch_in_the_dark_and_on_paper(seen):
    first, last = (pd.Timestamp(t).timestamp() * 1000 for t in ("1999-01-04", "2018-12-31"))
    for stretch in seen["whole"]:
        assert stretch == pytest.approx([first, last], abs=86_400_000)
    price, timeline = seen["zoomed"]
    assert price == timeline
    assert price[1] - price[0] == pytest.approx((last - first) / 2, rel=0.01)
    light, dark = seen["light"], seen["dark"]
    assert light["page"] == "rgb(255, 255, 255)"
    assert light["page"] != dark["page"]
    assert light["text"] != dark["text"]
    assert seen["printed"] == light
    assert seen["afterPrint"] == dark
    pdf = (seen["folder"] / "print.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > 100_000


def test_hostile_names_run_no_script_and_forty_regimes_are_drawn(browser, tmp_path, made_page):
    name = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    names = [f"<img src=x onerror=alert({k})> regime {k}" for k in range(40)]
    page = made_page(tmp_path / "forty.html", name, names)
    seen = browser(page, tmp_path, "filter")
    assert seen["errors"] == []
    assert seen["requests"] == [page.as_uri()]
    assert seen["plots"]["price"]["regimes"] == list(range(40))
    assert seen["filtered"]["timeline"] == {
        "drawn": seen["filtered"]["timeline"]["drawn"],
        "regimes": [39],
        "covers": 39,
    }


def test_a_page_that_asks_for_something_is_told(browser, tmp_path, made_page):
    page = made_page(tmp_path / "asks.html", "close", ["calm", "wild"])
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("<main>", '<main><img src="http://127.0.0.1:9/x.png">', 1))
    seen = browser(page, tmp_path, "")
    assert any("Content Security Policy" in error for error in seen["errors"])


@pytest.fixture
def made_page(made):
    """Return a function that writes a page of made-up labels."""
    from regimetry.report.data import Drawn
    from regimetry.report.page import render_page

    def made_page(path, name, names):
        values = 50 + np.random.default_rng(0).standard_normal(4000).cumsum() / 9
        titles = {"drawn": Drawn(name, values, note=name), "data_name": name, "model_name": name}
        labels = np.repeat(np.arange(400) % len(names), 10)
        labels[:20] = -1  # as in the others, which have no full window
        data = made(4000, len(names), dated=False, names=names, labels=labels, **titles)
        path.write_text(render_page(data), encoding="utf-8")
        return path

    return made_page


def test_the_page_of_a_walk_is_drawn_and_filtered(browser, tmp_path):
    walk = walk_forward(make_prices(1), small_detector(), **WALK)
    write_page(walk, tmp_path / "walk.html", "prices.csv")
    seen = browser(tmp_path / "walk.html", tmp_path, "filter")
    assert seen["errors"] == []
    assert seen["trouble"] == ""
    assert list(seen["plots"]) == ["wealth", "drawdown", "turnover", "scores", "kept"]
    assert all(plot["drawn"] > 0 for plot in seen["plots"].values())
    assert seen["plots"]["wealth"]["regimes"] == sorted(walk.equity["regime"].unique())
    assert seen["filtered"]["wealth"]["regimes"] == [seen["picked"]]
    assert seen["fromTable"]["wealth"]["regimes"] == [0]
