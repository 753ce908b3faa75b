"""Results as Markdown tables, and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.market.methods import METHODS
from benchmarks.market.scores import Walked, diebold_mariano, hits
from benchmarks.market.series import MARKETS, bars_of, options_of
from benchmarks.regimes.tables import markdown
from regimetry.files import replacing

Results = Mapping[str, Mapping[str, Walked]]
"""By market and method."""

BASE = "garch"
"""The method that log scores are compared with."""

DENSITIES = ("density", "log score", "less GJR-GARCH-t", "z", "p", "hits 1 %", "hits 5 %")
STRATEGY = ("regimes", "ratio", "share out", "Sharpe", "drawdown", "turnover", "seconds a fit")


def sections(results: Results) -> str:
    """Return a heading and two tables for each market."""
    return "".join(
        f"### {MARKETS[market].title}\n\n{_walk(market, found)}\n\n{densities(found)}\n\n"
        f"{strategies(found)}\n\n"
        for market, found in results.items()
    )


def _walk(market: str, found: Mapping[str, Walked]) -> str:
    bars, options = bars_of(market), options_of(market)
    assert bars is not None
    after = len(next(iter(next(iter(found.values())).densities.values())).log)
    fits = len(list(options.spans(bars.n_times)))
    return f"{fits} fits on {options.train} bars each, {after} bars behind the first one's."


def densities(found: Mapping[str, Walked]) -> str:
    """Return log scores and coverage, a row for each density."""
    base = found[BASE].densities["own"].log if BASE in found else None
    rows = []
    for method, walk in found.items():
        for kind, density in walk.densities.items():
            title = METHODS[method].title + (", by labels" if kind == "labels" else "")
            compared = ["", "", ""]
            if base is not None and method != BASE:
                apart, z, p = diebold_mariano(density.log, base)
                compared = [f"{apart:+.4f}", f"{z:.1f}", f"{p:.1g}" if p < 0.01 else f"{p:.2f}"]
            covered = [_number(hits(density, level), ".3f") for level in (0.01, 0.05)]
            rows.append([title, f"{np.nanmean(density.log):.4f}", *compared, *covered])
    return markdown(DENSITIES, rows)


def strategies(found: Mapping[str, Walked]) -> str:
    """Return what the labels were worth, a row for each method."""
    rows = []
    for method, walk in found.items():
        if walk.rule is None or walk.hold is None:
            rows.append([METHODS[method].title, *[""] * 5, f"{walk.seconds:.2f}"])
            continue
        rule = walk.rule
        figures = [f"{rule.sharpe:.2f}", f"{rule.drawdown:.3f}", f"{rule.turnover:.1f}"]
        ratio, out = _number(walk.ratio, ".2f"), _number(walk.out, ".2f")
        rows.append([METHODS[method].title, ratio, out, *figures, f"{walk.seconds:.2f}"])
    held = next((walk.hold for walk in found.values() if walk.hold is not None), None)
    if held is not None:
        rows.append(["holding", "", "", f"{held.sharpe:.2f}", f"{held.drawdown:.3f}", "0.0", ""])
    return markdown(STRATEGY, rows)


def _number(value: float, digits: str) -> str:
    return "" if np.isnan(value) else format(value, digits)


def draw(results: Results, path: Path) -> None:
    """Draw how far log scores run ahead of those of one t, added up over time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.6 * len(results)), layout="constrained")
    panels = figure.subplots(len(results), squeeze=False)[:, 0]
    for axes, (market, found) in zip(panels, results.items(), strict=True):
        bars = bars_of(market)
        assert bars is not None
        alone = found["one_t"].densities["own"].log
        days = bars.frame.index[-len(alone) :]
        for method, walk in found.items():
            if method == "one_t":
                continue
            density = next(iter(walk.densities.values()))
            gained = np.nancumsum(density.log - alone)
            look = {"color": "black", "linewidth": 2} if method == "regimetry" else {}
            axes.plot(days, gained, **{"linewidth": 1, **look}, label=METHODS[method].title)
        axes.set_title(MARKETS[market].title, loc="left", fontsize=10)
        axes.set_ylabel("nats ahead of one t")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False, fontsize=7, ncols=2)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=80, metadata={"Software": None})
