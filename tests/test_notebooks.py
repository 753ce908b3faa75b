"""The notebooks of the site run as they are, in under three minutes, and show what they showed."""

import os
import re
import sys
import time

import nbformat
import pytest
from nbclient import NotebookClient
from places import DOCS

NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
LIMIT = 180.0
"""Seconds that all of them may take together."""

OF_MARKETS = re.compile(r"market|stock|price|return|trad|volatil|sharpe|bull|asset|S&P", re.I)
_took = {}


def kinds(notebook):
    """What each code cell shows, by the types of its outputs."""
    return [
        sorted({kind for output in cell.outputs for kind in output.get("data", {"text": 0})})
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


# Jupyter's own, in this process.
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_it_showed(path, tmp_path, monkeypatch):
    commands = os.path.dirname(sys.executable)  # regimetry's own among them
    monkeypatch.setenv("PATH", os.pathsep.join([commands, os.environ["PATH"]]))
    shown = nbformat.read(path, as_version=4)
    again = nbformat.read(path, as_version=4)
    start = time.monotonic()
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(again, timeout=LIMIT, kernel_name="python3", resources=resources).execute()
    _took[path.stem] = time.monotonic() - start
    assert kinds(again) == kinds(shown)
    assert sum(map(len, kinds(shown))) > 5
    assert sum(_took.values()) < LIMIT


def test_they_were_executed_in_order_and_name_no_machine():
    assert {path.stem for path in NOTEBOOKS} == {"machine", "market"}
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        counts = [cell.execution_count for cell in cells if cell.cell_type == "code"]
        assert counts == list(range(1, len(counts) + 1))
        assert not re.search(r"(/tmp/|/home/|/root/|site-packages)", path.read_text("utf-8"))


def test_the_machine_has_no_word_of_markets():
    def words(stem):
        cells = nbformat.read(DOCS / "notebooks" / f"{stem}.ipynb", as_version=4).cells
        text = [cell.source for cell in cells if cell.cell_type == "markdown"]
        comments = [re.findall(r"#.*|\"\"\".*", c.source) for c in cells if c.cell_type == "code"]
        return OF_MARKETS.findall(" ".join([*text, *(" ".join(one) for one in comments)]))

    assert words("machine") == []
    assert words("market")
