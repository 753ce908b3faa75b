"""Figures: plain functions from arrays to plotly figures, one family per file.

A trace's ``meta`` tells the page what it belongs to: ``regime``, the number of the regime that a
click selects; ``fade``, true where a regime that is not selected fades instead of disappearing;
``rows``, true for a heatmap with one row per regime; ``base``, true for the line that the height
follows when one zooms; ``ink``, the grey that it takes by the theme.
"""

from regimetry.report.figures.dwell import dwell_figure
from regimetry.report.figures.maps import map_figure
from regimetry.report.figures.price import price_figure
from regimetry.report.figures.timeline import timeline_figure
from regimetry.report.figures.training import training_figure
from regimetry.report.figures.transitions import transition_figure

__all__ = [
    "dwell_figure",
    "map_figure",
    "price_figure",
    "timeline_figure",
    "training_figure",
    "transition_figure",
]
