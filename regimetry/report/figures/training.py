"""How the fit went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from regimetry.report.figures.style import INK, MUTED, label, new_figure, safe

VALIDATION = "val_"
"""Prefix of the curves that belong beside those without it."""


def training_figure(history: Mapping[str, Sequence[float]]) -> go.Figure:
    """Draw the curves of training, a quantity on training and validation data in one panel.

    Parameters
    ----------
    history : mapping of str to sequence of float
        One value per epoch.
    """
    panels = list(dict.fromkeys(name.removeprefix(VALIDATION) for name in history))
    figure = new_figure(80 + 200 * len(panels))
    figure.set_subplots(len(panels), 1, shared_xaxes=True, vertical_spacing=0.12 / len(panels))
    for name, values in history.items():
        validation = name.startswith(VALIDATION)
        figure.add_scatter(
            x=list(range(1, len(values) + 1)),
            y=list(values),
            name=safe(name),
            mode="lines+markers",
            line={"color": MUTED if validation else INK, "dash": "dash" if validation else "solid"},
            marker={"symbol": "square" if validation else "circle", "size": 5},
            hovertemplate=f"epoch %{{x}}: %{{y:.4g}}<extra>{safe(name)}</extra>",
            meta={"ink": "muted" if validation else "ink"},
            row=panels.index(name.removeprefix(VALIDATION)) + 1,
            col=1,
        )
    figure.update_xaxes(title=label("epoch"), row=len(panels))
    for row, panel in enumerate(panels, start=1):
        figure.update_yaxes(title=label(panel), rangemode="tozero", row=row)
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"}
    )
    return figure
