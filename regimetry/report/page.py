"""The one-file page."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from plotly.io import to_json
from plotly.offline import get_plotlyjs

from regimetry.report import tables, words
from regimetry.report.data import ReportData
from regimetry.report.figures import (
    dwell_figure,
    map_figure,
    price_figure,
    timeline_figure,
    training_figure,
    transition_figure,
)

SCRIPTS = ("theme.js", "selection.js", "zoom.js", "start.js")


def render_page(data: ReportData) -> str:
    """Return the report as one HTML page that needs no network.

    Parameters
    ----------
    data : ReportData

    Returns
    -------
    str
        The same for the same data and versions.
    """
    count = len(data.regimes)
    model = f"model {data.model_name} · {count} regime{'s' if count != 1 else ''}"
    return render(
        asset("page.html.j2"),
        page_figures(data),
        title=f"Regimes of {data.data_name}",
        subtitle=f"{words.span(data)} · {model}",
        looks=data.looks,
        shares=data.analysis.share,
        unit=data.contract.unit,
        units=data.contract.units,
        headline=words.headline(data),
        data=data,
        words=words,
        thinned=words.thinned(data),
        history=data.contract.training.history,
        regime_table=tables.regime_table(data),
        dwell_table=tables.dwell_table(data),
        outlook_table=tables.outlook_table(data),
        drift_tables=tables.drift_tables(data),
        count_table=tables.count_table(data),
        card=tables.card_tables(data),
    )


def render(template: str, figures: Mapping[str, go.Figure], **values: Any) -> str:
    """Return a page that extends ``shell.html.j2``, with its figures and scripts inside.

    plotly.js travels inside, compressed; the browser unpacks it.

    Parameters
    ----------
    template : str
    figures : mapping of str to Figure
        By the names of their places.
    **values
        What the template and the shell show: ``title``, ``subtitle``, ``looks`` of the regimes,
        their ``shares``, ``headline``.
    """
    environment = Environment(
        loader=FunctionLoader(asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    library = gzip.compress(get_plotlyjs().encode(), 9, mtime=0)
    return environment.from_string(template).render(
        **values,
        figures=Markup(_for_script(figures)),
        library=base64.b64encode(library).decode(),
        style=Markup(asset("page.css")),
        scripts=Markup("\n".join(map(asset, SCRIPTS))),
        version=version("regimetry"),
    )


def page_figures(data: ReportData) -> dict[str, go.Figure]:
    """Return the page's figures by the names of their places."""
    looks, history = data.looks, data.contract.training.history
    figures = {
        "price": price_figure(data.axis, data.drawn.name, data.drawn.values, data.labels, looks),
        "timeline": timeline_figure(data.axis, data.spells, data.probability, data.novelty, looks),
        "transitions": transition_figure(
            data.analysis.transitions, data.regimes, data.contract.unit
        ),
        "dwell": dwell_figure(data.spells, data.analysis.dwell.expected, looks, data.contract.unit),
    }
    for found in data.maps:
        figures[found.name.lower()] = map_figure(found, data.axis, data.labels, looks)
    if history:
        figures["training"] = training_figure(history)
    return figures


def _for_script(figures: Mapping[str, go.Figure]) -> str:
    """Return JSON that no HTML parser takes for markup."""
    plain = {name: json.loads(to_json(figures[name], validate=False)) for name in figures}
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def asset(name: str) -> str:
    """Return the text of a file that pages are made of."""
    return files("regimetry.report").joinpath("assets", name).read_text(encoding="utf-8")
