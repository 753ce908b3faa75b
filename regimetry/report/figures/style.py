"""What all figures share."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

from regimetry.report.axis import TimeAxis

INK = "#333333"
MUTED = "#999999"

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"


def new_figure(height: int) -> go.Figure:
    """Return an empty figure without plotly's template; the page gives it the theme's colours."""
    figure = go.Figure()
    figure.update_layout(
        template=go.layout.Template(),
        height=height,
        margin={"l": 68, "r": 16, "t": 12, "b": 44},
        font={"family": FONT, "size": 12, "color": INK},
        showlegend=False,
        hovermode="closest",
        dragmode="zoom",
    )
    return figure


def label(text: object) -> dict[str, Any]:
    """Return an axis title that shows text as it is."""
    return {"text": short(text, 40), "font": {"size": 12}, "standoff": 6}


def safe(text: object) -> str:
    """Return text as plotly shows it: a name is no markup."""
    return escape(str(text), quote=False)


def short(text: object, most: int = 14) -> str:
    """Return text as plotly shows it, cut where it would not fit."""
    whole = str(text)
    return safe(whole if len(whole) <= most else whole[: most - 1] + "…")


def time_axis(axis: TimeAxis) -> dict[str, Any]:
    """Return the settings of an axis over time."""
    settings: dict[str, Any] = {"showgrid": False, "zeroline": False}
    if axis.dated:
        return {**settings, "type": "date"}
    return {**settings, "type": "linear", "title": label(axis.name)}
