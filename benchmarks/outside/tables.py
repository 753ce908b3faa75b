"""Results as one Markdown table, and a picture of a few recordings."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.outside.sets import MADE
from benchmarks.regimes.tables import markdown

Results = Sequence[Mapping[str, Any]]

HEADER = (
    "set",
    "series",
    "AMI",
    "covering",
    "ARI",
    "K right",
    "windows",
    "causal",
    "seconds",
    "true K",
    "true K, best window",
    "equal pieces",
    "CLaP",
)


def row(
    name: str, chosen: Results, true_count: Results = (), best_window: Sequence[float] = ()
) -> list[str]:
    """Return the line of a set.

    Parameters
    ----------
    name : str
    chosen : sequence of mapping
        Of its series, everything chosen.
    true_count : sequence of mapping
        The same with K given.
    best_window : sequence of float
        AMI of each series with K given and the best of all windows.
    """
    made = name in MADE
    sizes = [result["window"] for result in chosen]
    pieces = [result["pieces"] for result in chosen]
    return [
        name,
        str(len(chosen)),
        *("" if made and name != "simulators" else _mean(chosen, s) for s in ("ami", "covering")),
        _mean(chosen, "ari"),
        f"{sum(map(_right, chosen))} of {len(chosen)}",
        " ".join(f"{size}:{sizes.count(size)}" for size in sorted(set(sizes))),
        _mean(chosen, "causal"),
        f"{np.median([result['seconds'] for result in chosen]):.1f}",
        f"{_mean(true_count, 'ami')} / {_mean(true_count, 'covering')}" if true_count else "",
        f"{np.mean(best_window):.3f}" if best_window else "",
        "" if made else f"{_mean(pieces, 'ami')} / {_mean(pieces, 'covering')}",
        _published(name),
    ]


def _right(result: Mapping[str, Any]) -> bool:
    """Whether K is right; where there are regimes, of a toy, they must be the right ones too."""
    toy = result["set"] == "toys" and result["ari"] <= 0.9
    return result["count"] == result["true_count"] and not toy


def _mean(results: Results, score: str) -> str:
    return f"{np.mean([result[score] for result in results]):.3f}"


def _published(name: str) -> str:
    """Return AMI and covering of CLaP on the same series, where the file is there."""
    path = Path(os.environ.get("REGIMETRY_DATA", "data"), "recordings", "published.csv")
    if not path.exists():
        return ""
    with path.open() as file:
        for line in csv.DictReader(file):
            if line["set"].lower() == name and line["method"] == "CLaP":
                return f"{float(line['ami']):.3f} / {float(line['covering']):.3f}"
    return ""


def table(lines: Sequence[Sequence[str]]) -> str:
    """Return the table of all sets."""
    return markdown(HEADER, lines)


def misses(chosen: Results) -> str:
    """Return a line for each series that was made here and came out wrong."""
    found = [
        f"{r['set']}: {r['name']} (seed {r['seed']}): K {r['count']} of {r['true_count']}, "
        f"windows of {r['window']}, ARI {r['ari']:.2f}"
        for r in chosen
        if r["set"] in MADE and not _right(r)
    ]
    return "\n".join(found)


def draw(chosen: Results, path: Path, most: int = 6) -> None:
    """Draw a row of recordings: true states above, found ones below."""
    from matplotlib.figure import Figure

    some = [r for r in chosen if r["set"] not in MADE and r["true_count"] > 1]
    some = some[:: max(1, len(some) // most)][:most]
    if not some:
        return
    figure = Figure(figsize=(3 * len(some), 1.6), layout="constrained")
    for axes, result in zip(figure.subplots(1, len(some), squeeze=False)[0], some, strict=True):
        for place, (begins, labels, (end,)) in enumerate(reversed(result["spells"])):
            widths = np.diff([*begins, end])
            colours = [f"C{label % 10}" for label in labels]
            axes.broken_barh(
                list(zip(begins, widths, strict=True)), (place, 0.9), facecolors=colours
            )
        axes.set(title=f"{result['name']}\nAMI {result['ami']:.2f}", xticks=[], yticks=[])
        axes.title.set_fontsize(8)
        axes.margins(x=0)
    figure.savefig(path, dpi=110)
