"""How long the spells of each regime were."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from regimetry.analysis import Spells
from regimetry.contract.wording import UNIT, plural
from regimetry.report.colours import Look
from regimetry.report.figures.style import label, new_figure, safe, short

_TICKS = [step * 10**power for power in range(7) for step in (1, 3)]  # every other one if narrow


def length_edges(longest: int, bins: int = 14) -> NDArray[np.int64]:
    """Return edges of bins of spell lengths, 1 to ``longest``, whose widths grow with the length.

    Bin i holds lengths from edge i up to, but without, edge i + 1.
    """
    edges = np.geomspace(1, longest + 1, bins + 1).round().astype(np.int64)
    return np.unique(np.append(edges, longest + 1))


def panel_grid(k: int) -> tuple[int, int]:
    """Return the lines and columns of K panels."""
    columns = min(k, 3 if k <= 9 else 5)
    return -(-k // columns), columns


def dwell_figure(
    spells: Spells, expected: NDArray[np.float64], regimes: list[Look], unit: str = UNIT
) -> go.Figure:
    """Draw a histogram of spell lengths for each regime, and the dwell that the matrix expects.

    Parameters
    ----------
    spells : Spells
        Those that are cut off count as long as they were seen.
    expected : ndarray of float64, shape (K,)
        Bars; not drawn where infinite or NaN.
    regimes : list of Look, length K
    unit : str
        What a row is called.
    """
    k, units = len(regimes), plural(unit)
    lines, columns = panel_grid(k)
    figure = new_figure(80 + (190 if lines == 1 else 150 if k <= 9 else 96) * lines)
    figure.set_subplots(
        lines,
        columns,
        shared_xaxes="all",
        subplot_titles=[short(look.name) for look in regimes],
        vertical_spacing=min(0.4 / lines, 0.16),
        horizontal_spacing=0.06,
    )
    longest = int(spells.length.max(initial=1))
    edges = length_edges(longest)
    for regime, look in enumerate(regimes):
        count = np.histogram(spells.length[spells.regime == regime], edges)[0]
        row, column = regime // columns + 1, regime % columns + 1
        figure.add_bar(
            x=(edges[1:] + edges[:-1]) / 2,
            width=np.diff(edges),
            y=count,
            name=safe(look.name),
            customdata=np.column_stack([edges[:-1], edges[1:] - 1]),
            marker={
                "color": look.colour,
                "pattern": {"shape": look.pattern, "size": 6},
                "line": {"width": 0.5, "color": "rgba(128,128,128,0.5)"},
            },
            hovertemplate=f"%{{customdata[0]}} to %{{customdata[1]}} {safe(units)}: %{{y}} spells"
            f"<extra>{safe(look.name)}</extra>",
            meta={"regime": regime, "fade": True},
            row=row,
            col=column,
        )
        if np.isfinite(expected[regime]) and expected[regime] <= 4 * longest:
            figure.add_vline(
                x=float(expected[regime]), line={"dash": "dot", "width": 1.5}, row=row, col=column
            )
    figure.update_xaxes(
        type="log",
        tickvals=[tick for tick in _TICKS[:: 1 if columns <= 3 else 2] if tick <= longest + 1],
        tickangle=0,
        fixedrange=True,
        showgrid=False,
    )
    figure.update_xaxes(title=label(units), row=lines)
    figure.update_yaxes(fixedrange=True, nticks=4, tickformat="d", rangemode="tozero")
    figure.update_yaxes(title=label("spells"), col=1)
    figure.update_layout(margin={"t": 28, "b": 48})
    figure.update_annotations(font={"size": 12 if k <= 9 else 10})
    return figure
