"""The report as Markdown, its figures beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from regimetry.report import words
from regimetry.report.data import ReportData
from regimetry.report.tables import (
    Table,
    card_tables,
    count_table,
    drift_tables,
    dwell_table,
    outlook_table,
    regime_table,
)

TITLES = {
    "timeline": "Timeline",
    "transitions": "Transitions",
    "dwell": "Dwell times",
    "pca": "Embeddings, PCA",
    "umap": "Embeddings, UMAP",
    "training": "Training",
}


def render_markdown(data: ReportData, links: dict[str, str]) -> str:
    """Return the report as Markdown.

    Parameters
    ----------
    data : ReportData
    links : dict of str to str
        Of each picture's name to its file, relative to the Markdown file.
    """
    facts = [
        f"- {title}: {_text(f'{value}, {detail}')}" for title, value, detail in words.headline(data)
    ]
    parts = [
        f"# Regimes of {_text(data.data_name)}",
        f"{words.span(data)}; model {_text(data.model_name)}.",
        "\n".join(facts),
    ]
    if data.drawn.note is not None:
        name = _text(data.drawn.name)
        parts.append(f"{name} is drawn in place of a price. {_text(data.drawn.note)}")
    parts += [_picture("timeline", links), words.insample(data)]
    parts += ["## What each regime is like", _table(regime_table(data))]
    if "performance" in data.notes:
        parts.append(f"No performance: {_text(data.notes['performance'])}")
    parts += ["## Transitions", _picture("transitions", links), _table(outlook_table(data))]
    parts += ["## Dwell times", _picture("dwell", links), _table(dwell_table(data))]
    for name in links:
        if name not in ("timeline", "transitions", "dwell"):
            parts += [f"## {TITLES[name]}", _picture(name, links)]
    parts += ["## Drift", words.drift_words(data), *map(_table, drift_tables(data) or ())]
    found = count_table(data)
    counted = "The model file does not record it." if found is None else _table(found)
    parts += ["## Number of regimes", counted, "## Model card"]
    for title, table in card_tables(data):
        parts += [f"### {title}", _table(table)]
    return "\n\n".join(parts) + "\n"


def _picture(name: str, links: dict[str, str]) -> str:
    return f"![{TITLES[name]}]({quote(links[name])})"


def _table(table: Table) -> str:
    lines = [_row(table.header), _row(["---"] + ["---:"] * (len(table.header) - 1), raw=True)]
    return "\n".join(lines + [_row(row) for row in table.rows])


def _row(cells: Sequence[str], *, raw: bool = False) -> str:
    return "| " + " | ".join(cells if raw else map(_text, cells)) + " |"


def _text(text: object) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([\\`*\[\]<>|#&$])", r"\\\1", " ".join(str(text).split()))
