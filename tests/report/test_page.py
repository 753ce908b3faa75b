"""The page and the Markdown file as text."""

import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from regimetry.contract import Candidate
from regimetry.report.data import Drawn
from regimetry.report.markdown import render_markdown
from regimetry.report.page import render_page
from regimetry.report.pictures import pictures, save_picture
from regimetry.report.tables import regime_table

EVIL = "</script><script>alert(1)</script>"
MEGABYTES = 2**20


class Elements(HTMLParser):
    """Which elements a page has, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_the_page_is_one_file_that_asks_for_nothing(made):
    page = render_page(made(800))
    assert len(page.encode()) < 3 * MEGABYTES
    elements = Elements(page).found
    for tag, attributes in elements:
        assert tag not in ("iframe", "object", "embed", "img")
        assert "src" not in attributes
        if "href" in attributes:
            assert attributes["href"].startswith(("#", "data:"))
    policy = next(a["content"] for _, a in elements if "http-equiv" in a)
    assert policy.startswith("default-src 'none'")
    assert "connect-src" not in policy
    assert "@import" not in page
    assert not re.search(r"url\((?!data:)", page)


def test_the_same_data_give_the_same_page(made):
    data = made(300)
    assert render_page(data) == render_page(data)


def test_hostile_names_stay_text(made):
    plain = Elements(render_page(made(300)))
    drawn = Drawn(EVIL, made(300).drawn.values, note=f"<img src=x onerror=alert(2)> {EVIL}")
    names = [EVIL, "<img src=x onerror=alert(3)>", "größe"]
    candidate = Candidate(window_size=10, n_regimes=2, smallest_share=0.1, refused=EVIL)
    page = render_page(
        made(
            300,
            drawn=drawn,
            names=names,
            data_name=f"{EVIL}.csv",
            model_name="C:\\models\\<b>x.onnx",
            training={"history": {EVIL: [1.0, 0.5]}, "candidates": (candidate,)},
        )
    )
    evil = Elements(page)
    assert "größe" in page
    scripts = [tag for tag, _ in evil.found if tag == "script"]
    assert scripts == [tag for tag, _ in plain.found if tag == "script"]
    assert {tag for tag, _ in evil.found} <= {tag for tag, _ in plain.found} | {"figure"}
    assert not any("onerror" in attributes for _, attributes in evil.found)


def test_the_page_says_what_is_missing_and_what_was_thinned(made):
    drawn = Drawn("x", made(300).drawn.values, note="No column is called close or price; none.")
    page = render_page(
        made(300, drawn=drawn, training={"history": {}, "eigenvalues": (), "end": "2018-01-01"})
    )
    assert "x is drawn in place of a price. No column is called close or price" in page
    assert "No performance:" in page
    assert "holds no training curves" in page
    assert "does not record how the number was chosen" in page
    assert 'id="training"' not in page
    assert 'id="thinned"' not in render_page(made(600))
    page = render_page(made(20_000))
    assert "of every 3.3 rows" in page
    assert len(page.encode()) < 6 * MEGABYTES


@pytest.mark.parametrize(("n", "k"), [(2, 2), (400, 1), (400, 15)])  # 15: no legend names them
def test_edges_have_a_page_pictures_and_markdown(made, n, k, tmp_path):
    data = made(n, k, dated=False)
    assert f"{n} rows, row 0 to {n - 1}" in render_page(data)
    links = {}
    for name, draw in pictures(data).items():
        links[name] = f"f/{name}.png"
        save_picture(draw(), tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    assert "## Drift" in render_markdown(data, links)


def test_markdown_shows_the_tables_and_escapes_names(made):
    names = ["a|b", "[x](javascript:alert(1))", "<b>c</b> 100 % $x$"]
    data = made(600, names=names)
    links = {name: f"my figures/{name}.png" for name in pictures(data)}
    text = render_markdown(data, links)
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "<b>" not in html
    assert "href" not in html
    assert 'src="my%20figures/timeline.png"' in html
    cells = [re.sub("<.*?>", "", cell) for cell in re.findall("<td.*?</td>", html)]
    assert "a|b" in cells
    for row in regime_table(data).rows:
        assert row[1] in cells


def test_pictures_are_the_same_twice_and_take_any_name(made, tmp_path):
    data = made(
        300, drawn=Drawn("$\\frac{ 价格", made(300).drawn.values), names=["$a", "価", "c_$"]
    )
    for name, draw in pictures(data).items():
        first, again, svg = (tmp_path / f"{name}{end}" for end in ("0.png", "1.png", ".svg"))
        for path in (first, again, svg):
            save_picture(draw(), path)
        assert first.read_bytes() == again.read_bytes()
        assert min(first.stat().st_size, svg.stat().st_size) > 3000


def test_why_and_what_is_odd_is_said(made):
    chosen = Candidate(window_size=20, n_regimes=3, score=0.5, chosen=True)
    other = Candidate(window_size=40, n_regimes=2, score=0.6, refused="it does not last")
    data = made(300, training={"candidates": (chosen, other)})
    links = {name: f"{name}.png" for name in ("timeline", "transitions", "dwell")}
    for text in (render_page(data), render_markdown(data, links)):
        assert "2 regimes with windows of 40 would score 0.60, but it does not last." in text
    assert "would score" not in render_page(made(300))
