"""``regimetry report`` as a person uses it."""

import json
import re

import pandas as pd
import pytest

from regimetry.report import embedding_maps


@pytest.fixture
def table(values):
    """Rows that the small model reads, under names of their own, and a column of text."""
    days = pd.date_range("2020-01-01", periods=len(values), freq="D", name="date")
    return pd.DataFrame(values, columns=["x0", "x1", "x2", "x3"], index=days).assign(kind="text")


@pytest.fixture
def data(table, tmp_path):
    path = tmp_path / "data.csv"
    table.to_csv(path)
    return path


@pytest.fixture
def report(model_path, run):
    """Write a report; what was said on the way is the answer."""
    return lambda data, out, *arguments: run("report", model_path, data, "-o", out, *arguments)


def figures_of(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="figures">(.*?)</script>', text, re.DOTALL)[1])


def test_a_page_of_a_table_without_a_price(report, data, tmp_path):
    out = tmp_path / "C:\\report.html"  # as a Windows path would name it
    captured = report(data, out)
    assert "x0 coloured by 3 regimes" in captured.out
    assert "x0 is drawn in place of a price. No column is called close or price" in captured.err
    assert "x3" in captured.err, "the column that could be the price is named"
    assert list(figures_of(out)) == ["price", "timeline", "transitions", "dwell", "pca"]
    text = out.read_text(encoding="utf-8")
    assert "No performance" in text
    assert "2020-01-01 to 2021-11-30" in text


def test_a_page_of_a_price(report, tmp_path, model, table):
    data, out, price = tmp_path / "größe.csv", tmp_path / "r.html", "Schlusskurs €, 価格 <b>"
    table.rename(columns={"kind": price}).assign(**{price: table["x3"]}).to_csv(data)
    assert report(data, out, "--price", price, "--bars-per-year", "365").err == ""
    text = out.read_text(encoding="utf-8")
    assert "<h1>Regimes of größe.csv</h1>" in text
    assert "Schlusskurs €, 価格 &lt;b&gt; by regime</h2>" in text
    assert "annualised by 365 rows per year" in text
    share = (model.predict(table).dropna() == 1).mean()
    assert f"<td>{share:.1%}</td>" in text


def test_pictures_and_markdown(report, data, tmp_path):
    report(data, tmp_path / "r.svg", "--price", "x3")
    assert b"<svg" in (tmp_path / "r.svg").read_bytes()[:600]
    report(data, tmp_path / "all", "--format", "png")
    names = ["dwell.png", "pca.png", "timeline.png", "transitions.png"]
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == names
    report(data, tmp_path / "ré port.md")
    text = (tmp_path / "ré port.md").read_text(encoding="utf-8")
    links = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert links == [
        f"r%C3%A9%20port-figures/{name}.png" for name in ("timeline", "transitions", "dwell", "pca")
    ]
    folder = tmp_path / "ré port-figures"
    assert sorted(path.name for path in folder.iterdir()) == names
    assert "| regime_1 |" in text


def test_one_window_and_a_gap_and_no_times(report, table, tmp_path):
    table.iloc[:11].to_csv(tmp_path / "one.csv", index=False)
    for name in ("r.html", "r.md", "r.png"):
        report(tmp_path / "one.csv", tmp_path / name)
    assert "11 rows, row 0 to 10" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Not computed" in (tmp_path / "r.md").read_text(encoding="utf-8")
    table.drop(table.index[300:330]).to_csv(tmp_path / "gap.csv")
    found = []
    for arguments in ([], ["--max-gap", "5D"]):
        report(tmp_path / "gap.csv", tmp_path / "r.md", *arguments)
        text = (tmp_path / "r.md").read_text(encoding="utf-8")
        found.append(sum(int(row.split("|")[3]) for row in re.findall(r"\| regime_.*", text)[:3]))
    assert found[1] >= found[0]


def test_bad_options_are_one_sentence(model_path, data, tmp_path, refuses, monkeypatch):
    for arguments, message in (
        (["--price", "nothing"], "no column of numbers 'nothing'; these could be the price: x3"),
        (["--price", "kind"], "no column of numbers 'kind'; these could be the price: x3"),
        (["--max-gap", "soon"], "max_gap is 'soon'"),
        (["--bars-per-year", "0", "--price", "x3"], "bars_per_year is 0.0"),
        (["--format", "svg"], "format is 'svg'"),
        (["--umap"], "umap-learn, which draws the second map, is not installed"),
    ):
        monkeypatch.setattr(embedding_maps, "has_umap", lambda: False)
        before = sorted(tmp_path.iterdir())
        refuses(message, "report", model_path, data, "-o", tmp_path / "r.html", *arguments)
        assert sorted(tmp_path.iterdir()) == before


def test_bad_tables_and_places_are_one_sentence(model_path, table, data, tmp_path, refuses):
    short, lacking = tmp_path / "short.csv", tmp_path / "lacking.csv"
    table.iloc[:5].to_csv(short)
    table.drop(columns="x1").to_csv(lacking)
    (tmp_path / "taken-figures").write_text("")
    for source, out, message in (
        (short, "r.html", "The data have 5 rows; the model reads"),
        (lacking, "r.html", "Column 'x1' is missing"),
        (data, "none/r.html", "does not exist"),
        (data, "r.pdf", "must end in .html, .md, .png or .svg"),
        (data, "taken.md", "is a file; the figures need a folder"),
    ):
        refuses(message, "report", model_path, source, "-o", tmp_path / out)


def test_a_price_in_words_is_no_price(report, table, tmp_path):
    table.assign(close="high").to_csv(tmp_path / "words.csv")
    said = report(tmp_path / "words.csv", tmp_path / "r.png").err
    assert "x0 is drawn in place of a price" in said


@pytest.mark.skipif(not embedding_maps.has_umap(), reason="umap-learn is not installed")
def test_umap_draws_a_second_map(report, data, tmp_path):
    report(data, tmp_path / "r.html", "--umap")
    (trace, *_) = figures_of(tmp_path / "r.html")["umap"]["data"]
    assert trace["mode"] == "markers"
