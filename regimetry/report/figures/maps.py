"""Windows on a plane."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from regimetry.report.axis import TimeAxis
from regimetry.report.colours import Look
from regimetry.report.embedding_maps import EmbeddingMap
from regimetry.report.figures.style import label, new_figure, safe


def map_figure(
    found: EmbeddingMap, axis: TimeAxis, labels: NDArray[np.int64], regimes: list[Look]
) -> go.Figure:
    """Draw a map of the embeddings, a colour and a symbol for each regime.

    Parameters
    ----------
    found : EmbeddingMap
    axis : TimeAxis, T bars
    labels : ndarray of int64, shape (T,)
    regimes : list of Look, length K
    """
    figure = new_figure(440)
    held = labels[found.bars]
    for regime, look in enumerate(regimes):
        mine = held == regime
        figure.add_scatter(
            x=found.points[mine, 0].astype(np.float32),
            y=found.points[mine, 1].astype(np.float32),
            name=safe(look.name),
            mode="markers",
            text=[axis.text(bar) for bar in found.bars[mine]],
            marker={
                "color": look.colour,
                "symbol": look.symbol,
                "size": 6,
                "opacity": 0.6,
            },
            hovertemplate=f"%{{text}}<extra>{safe(look.name)}</extra>",
            meta={"regime": regime},
        )
    figure.update_xaxes(title=label(found.titles[0]), zeroline=False)
    figure.update_yaxes(title=label(found.titles[1]), zeroline=False)
    return figure
