"""Results as a picture: a heat table for each task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.regimes.problems import SIX
from benchmarks.regimes.tables import TASK_TITLES, medians
from benchmarks.rivals.registry import METHODS
from regimetry.files import replacing


def draw(table: pd.DataFrame, tasks: Sequence[str], path: Path) -> None:
    """Draw the median adjusted Rand index, K given, methods by simulators; nothing if none."""
    table = table[~table.chosen.astype(bool) & table.problem.isin(SIX)]
    panels = {task: medians(table[table.task == task], "ari") for task in tasks}
    panels = {task: wide for task, wide in panels.items() if not wide.empty}
    if not panels:
        return
    heights = [len(wide) + 1.2 for wide in panels.values()]
    figure = Figure(figsize=(8.2, 0.42 * sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(panels), squeeze=False, height_ratios=heights)[:, 0]
    for axis, (task, wide) in zip(axes, panels.items(), strict=True):
        _heat_table(axis, wide, TASK_TITLES[task])
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)


def _heat_table(axis, wide: pd.DataFrame, title: str) -> None:
    wide = wide.assign(mean=wide.mean(axis=1, skipna=False))
    values = wide.to_numpy(dtype=float)
    axis.imshow(values, cmap="YlGnBu", vmin=0.0, vmax=1.0, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            axis.text(
                column,
                row,
                f"{value:.2f}".replace("-0.00", "0.00"),
                ha="center",
                va="center",
                fontsize=9,
                color="white" if value > 0.55 else "black",
            )
    axis.axvline(len(wide.columns) - 1.5, color="white", linewidth=3)
    axis.set_xticks(
        range(len(wide.columns)), [str(c).upper() for c in wide.columns[:-1]] + ["mean"]
    )
    axis.set_yticks(range(len(wide)), [METHODS[m].title for m in wide.index])
    axis.tick_params(length=0, labelsize=9)
    axis.spines[:].set_visible(False)
    axis.set_title(f"{title}: median adjusted Rand index", loc="left", fontsize=10)
