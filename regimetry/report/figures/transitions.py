"""What follows each regime."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from regimetry.analysis import Transitions
from regimetry.contract.wording import UNIT, plural
from regimetry.report.figures.style import label, new_figure, safe, short

SCALE = [[0.0, "#f4f7fa"], [0.02, "#d3e3f0"], [0.2, "#7fb2d6"], [1.0, "#0b4f86"]]
"""Most of the steps below 0.2: what leaves a regime is rare."""

_MOST_TEXT = 10  # regimes whose numbers fit into their cells


def transition_figure(transitions: Transitions, regimes: list[str], unit: str = UNIT) -> go.Figure:
    """Draw the empirical transition matrix; row i is what follows a bar in regime i.

    Parameters
    ----------
    transitions : Transitions
    regimes : list of str, length K
    unit : str
        What a row is called.
    """
    k, matrix = len(regimes), transitions.empirical
    places, names = list(range(k)), [safe(name) for name in regimes]
    hover = [
        [
            f"from {names[i]} to {names[j]}<br>{matrix[i, j]:.4f} "
            f"({transitions.level:.0%}: {transitions.lower[i, j]:.4f} to "
            f"{transitions.upper[i, j]:.4f})<br>{transitions.counts[i, j]} of "
            f"{transitions.counts[i].sum()} {safe(plural(unit))}"
            for j in places
        ]
        for i in places
    ]
    size = 12 if k <= _MOST_TEXT else 8
    figure = new_figure(max(320, min(18 * k + 120, 760)))
    figure.add_heatmap(
        x=places,
        y=places,
        z=np.round(matrix, 5),
        zmin=0,
        zmax=1,
        customdata=hover,
        texttemplate="%{z:.3f}" if k <= _MOST_TEXT else None,
        hovertemplate="%{customdata}<extra></extra>",
        colorscale=SCALE,
        xgap=2 if k <= _MOST_TEXT else 0,
        ygap=2 if k <= _MOST_TEXT else 0,
        colorbar={"thickness": 12, "outlinewidth": 0, "tickvals": [0, 0.2, 0.5, 1]},
        meta={"rows": True},
    )
    ticks = {
        "tickvals": places,
        "ticktext": [short(name) for name in regimes],
        "showgrid": False,
        "zeroline": False,
        "tickfont": {"size": size},
    }
    figure.update_xaxes(title=label(f"next {unit}"), automargin=True, fixedrange=True, **ticks)
    figure.update_yaxes(
        title=label(f"this {unit}"),
        autorange="reversed",
        automargin=True,
        fixedrange=True,
        **ticks,
    )
    return figure
