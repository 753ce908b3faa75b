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
        f"- {title}: {_md_text(f'{value}, {detail}')}"
        for title, value, detail in words.headline(data)
    ]
    parts = [
        f"# Regimes of {_md_text(data.data_name)}",
        f"{words.span(data)}; model {_md_text(data.model_name)}.",
        "\n".join(facts),
    ]
    if data.drawn.note is not None:
        name = _md_text(data.drawn.name)
        parts.append(f"{name} is drawn in place of a price. {_md_text(data.drawn.note)}")
    parts += [_picture("timeline", links), words.insample(data)]
    parts += ["## What each regime is like", _md_table(regime_table(data))]
    if "performance" in data.notes:
        parts.append(f"No performance: {_md_text(data.notes['performance'])}")
    parts += [
        "## Transitions",
        _picture("transitions", links),
        _md_table(outlook_table(data)),
    ]
    parts += ["## Dwell times", _picture("dwell", links), _md_table(dwell_table(data))]
    parts.append(_md_text(words.spell_words(data)))
    for name in links:
        if name not in ("timeline", "transitions", "dwell"):
            parts += [f"## {TITLES[name]}", _picture(name, links)]
    parts += ["## Drift", words.drift_words(data), *map(_md_table, drift_tables(data) or ())]
    found = count_table(data)
    counted = "The model file does not record it." if found is None else _md_table(found)
    parts += ["## Window and number of regimes", counted]
    if note := words.choice_words(data):
        parts.append(note)
    parts.append("## Model card")
    for title, table in card_tables(data):
        parts += [f"### {title}", _md_table(table)]
    return "\n\n".join(parts) + "\n"


def _picture(name: str, links: dict[str, str]) -> str:
    return f"![{TITLES[name]}]({quote(links[name])})"


def _md_table(table: Table) -> str:
    lines = [
        _md_row(table.header),
        _md_row(["---"] + ["---:"] * (len(table.header) - 1), raw=True),
    ]
    return "\n".join(lines + [_md_row(row) for row in table.rows])


def _md_row(cells: Sequence[str], *, raw: bool = False) -> str:
    return "| " + " | ".join(cells if raw else map(_md_text, cells)) + " |"


def _md_text(text: object) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([\\`*\[\]<>|#&$])", r"\\\1", " ".join(str(text).split()))
