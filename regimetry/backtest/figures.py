"""The figures of a walk's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from regimetry.report.axis import TimeAxis
from regimetry.report.figures import price_figure
from regimetry.report.figures.style import INK, MUTED, label, new_figure, time_axis
from regimetry.report.thinning import BUCKETS, extreme_rows

if TYPE_CHECKING:
    from regimetry.backtest.result import Backtest
    from regimetry.report.colours import Look

Line = tuple[NDArray[np.float64], str, str]
"""Values, colour by the theme ("ink" or "muted") and dash."""

_COLOURS = {"ink": INK, "muted": MUTED}


def walk_figures(walk: Backtest, looks: list[Look]) -> dict[str, go.Figure]:
    """Return the page's figures by the names of their places."""
    equity, frame = walk.equity, walk.frame
    axis = axis_of(equity.index)
    held = equity["held"].to_numpy()
    high = np.maximum(np.maximum.accumulate(held), 1.0)
    regime = equity["regime"].fillna(-1).to_numpy(dtype=np.int64)
    wealth = price_figure(axis, "wealth", equity["wealth"].to_numpy(), regime, looks)
    _add_lines(wealth, axis, {"holding": (held, "muted", "dot")})
    fallen = {
        "rule": (equity["drawdown"].to_numpy(), "ink", "solid"),
        "holding": (1.0 - held / high, "muted", "dot"),
    }
    moved = {"rule": (equity["moved"].cumsum().to_numpy(), "ink", "solid")}
    scores = frame[["log_score", "one_t", "ewma_t"]].dropna().groupby(level=0, sort=True).mean()
    ahead = {
        f"less {name}": ((scores["log_score"] - scores[column]).cumsum().to_numpy(), ink, dash)
        for column, name, ink, dash in (
            ("one_t", "one t", "muted", "dot"),
            ("ewma_t", "EWMA with t", "ink", "solid"),
        )
    }
    refits = walk.refits.iloc[1:]
    kept = {"kept": (refits["kept"].to_numpy(dtype=np.float64), "ink", "solid")}
    return {
        "wealth": wealth,
        "drawdown": _lines(axis, "drawdown", fallen, tickformat=".0%"),
        "turnover": _lines(axis, "position moved, added up", moved),
        "scores": _lines(axis_of(scores.index), "nats ahead, added up", ahead),
        "kept": _lines(axis_of(refits["begins"]), "kept", kept, tickformat=".0%", markers=True),
    }


def axis_of(index: Any) -> TimeAxis:
    """Return the axis of an index of times or numbers."""
    name = getattr(index, "name", None)
    return TimeAxis.of(index.to_numpy(), None if name is None else str(name))


def _lines(
    axis: TimeAxis,
    title: str,
    lines: Mapping[str, Line],
    *,
    tickformat: str = "",
    markers: bool = False,
) -> go.Figure:
    figure = new_figure(230)
    _add_lines(figure, axis, lines, markers=markers)
    figure.update_xaxes(**time_axis(axis))
    figure.update_yaxes(title=label(title), tickformat=tickformat, zeroline=False, fixedrange=True)
    if len(lines) > 1:
        legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom"}
        figure.update_layout(showlegend=True, legend=legend, margin={"t": 30})
    return figure


def _add_lines(
    figure: go.Figure, axis: TimeAxis, lines: Mapping[str, Line], *, markers: bool = False
) -> None:
    for name, (values, ink, dash) in lines.items():
        rows = extreme_rows(values, BUCKETS)
        figure.add_scatter(
            x=axis.values[rows],
            y=values[rows].astype(np.float32),
            name=name,
            mode="lines+markers" if markers else "lines",
            line={"color": _COLOURS[ink], "width": 1.2, "dash": dash},
            hovertemplate=f"%{{x}}<br>%{{y:.4~g}}<extra>{name}</extra>",
            meta={"ink": ink},
        )
