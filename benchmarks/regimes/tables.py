"""Results as Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.protocol import paired, share_of_one
from benchmarks.regimes.problems import NUISANCE, PUBLISHED, SIX
from benchmarks.regimes.recordings import family
from benchmarks.rivals.registry import METHODS
from regimetry.series.simulators import NULLS

TASK_TITLES = {"offline": "offline", "causal": "causal", "out_of_sample": "out of sample"}

PUBLISHED_SCORES = {
    "true model": (0.8432, 0.8807),
    "HMM": (0.5534, 0.5756),
    "jump model": (0.7368, 0.7584),
    "continuous jump model": (0.7521, 0.7810),
}
"""Mean balanced accuracy at 1000 and at 2000 bars, of Aydinhan et al. 2024."""


def write_tables(table: pd.DataFrame, tasks: Sequence[str]) -> str:
    """Return every table that there are results for."""
    given = table[~table.chosen.astype(bool)]
    sections = [
        ("Adjusted Rand index, K given", scores(given, tasks, "ari")),
        ("Balanced accuracy, K given", scores(given, tasks, "bac")),
        ("Paired differences of the adjusted Rand index, K given", pairs(given, tasks)),
        ("Detection delay in bars, K given", delays(given, tasks)),
        ("K chosen by the method", choices(table, tasks)),
        ("One regime", nulls(table)),
        ("A nuisance channel", nuisance(given, tasks)),
        ("The published three-state market", published(given)),
        ("Recordings", recordings(given)),
    ]
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in sections if text) + "\n"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def medians(table: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return the median over seeds of a score: methods by problems, in their own order."""
    wide = table.pivot_table(
        index="method", columns="problem", values=score, aggfunc="median", sort=False
    )
    return wide.reindex(columns=[p for p in SIX if p in wide.columns])


def scores(table: pd.DataFrame, tasks: Sequence[str], score: str) -> str:
    """Return the medians of a score by task and method, and their mean over the simulators."""
    table = table[table.problem.isin(SIX)]
    shown, rows = _shown(table), []
    for task in tasks:
        wide = medians(table[table.task == task], score)
        best = wide.drop(index="oracle", errors="ignore").max()
        for method, values in wide.iterrows():
            beaten = values.round(2) >= best.round(2)
            cells = [_number(values.get(p), bold=bool(beaten.get(p, False))) for p in shown]
            complete = not values.reindex(shown).isna().any()
            mean = _number(float(values.mean()) if complete else None)
            rows.append([TASK_TITLES[task], METHODS[method].title, *cells, mean])
    return markdown(["task", "method", *_titles(shown), "mean"], rows) if rows else ""


def pairs(table: pd.DataFrame, tasks: Sequence[str]) -> str:
    """Return the first method against each other, seed by seed: median, wins to losses."""
    table = table[table.problem.isin(SIX)]
    if table.empty:
        return ""
    ours, shown, rows = table.method.iloc[0], _shown(table), []
    for task in tasks:
        part = table[table.task == task]
        wide = part.pivot_table(index=["problem", "seed"], columns="method", values="ari")
        for rival in part.method.unique():
            if rival == ours or ours not in wide:
                continue
            both = wide[[ours, rival]].dropna()
            cells = [_pair(both[both.index.get_level_values(0) == p], ours, rival) for p in shown]
            rows.append([TASK_TITLES[task], METHODS[rival].title, *cells, _pair(both, ours, rival)])
    header = ["task", f"{METHODS[ours].title} less", *_titles(shown), "all"]
    return markdown(header, rows) if rows else ""


def _pair(both: pd.DataFrame, ours: str, rival: str) -> str:
    if both.empty:
        return ""
    found = paired(both[ours].to_numpy(), both[rival].to_numpy())
    return f"{found.median:+.2f} ({found.wins}:{found.losses})"


def delays(table: pd.DataFrame, tasks: Sequence[str]) -> str:
    """Return the median delay over seeds, and the share of changes that were missed."""
    table = table[table.problem.isin(SIX)]
    shown, rows = _shown(table), []
    for task in [task for task in tasks if task != "offline"]:
        part = table[table.task == task]
        delay, missed = medians(part, "delay"), medians(part, "missed")
        for method in delay.index:
            cells = [
                f"{delay.at[method, p]:.1f} ({100 * missed.at[method, p]:.0f} %)"
                if p in delay.columns and not np.isnan(delay.at[method, p])
                else ""
                for p in shown
            ]
            rows.append([TASK_TITLES[task], METHODS[method].title, *cells])
    return markdown(["task", "method (missed)", *_titles(shown)], rows) if rows else ""


def choices(table: pd.DataFrame, tasks: Sequence[str]) -> str:
    """Return how often the K chosen is right, and the index with it."""
    table = table[table.chosen.astype(bool) & table.problem.isin(SIX)]
    if table.empty:
        return ""
    shown, rows = _shown(table), []
    whole = table[table.task == "offline"].assign(right=lambda t: t.n_regimes == t.true_n_regimes)
    for method, part in whole.groupby("method", sort=False):
        cells = [_count(part[part.problem == p].right) for p in shown]
        rows.append(["right K", METHODS[method].title, *cells, ""])
    head = markdown(["", "method", *_titles(shown), "mean"], rows)
    body = scores(table, tasks, "ari").split("\n")[2:]
    return "\n".join([head, *body])


def nulls(table: pd.DataFrame) -> str:
    """Return on how many series of one regime a method says so."""
    table = table[table.problem.isin(NULLS)]
    if table.empty:
        return ""
    shown = [p for p in NULLS if p in set(table.problem)]
    rows = []
    for method, part in table.groupby("method", sort=False):
        cells = [_count(part[part.problem == p].n_regimes == 1) for p in shown]
        share = share_of_one(part.n_regimes.to_numpy())
        rows.append([METHODS[method].title, *cells, f"{100 * share:.0f} %"])
    return markdown(["one regime found", *shown, "all"], rows)


def _count(hits: pd.Series) -> str:
    return f"{int(hits.sum())} of {len(hits)}" if len(hits) else ""


def nuisance(table: pd.DataFrame, tasks: Sequence[str]) -> str:
    """Return the index with a nuisance channel, and the share of the index without that is kept."""
    if not table.problem.isin(NUISANCE).any():
        return ""
    rows = []
    for task in tasks:
        part = table[table.task == task]
        wide = part.pivot_table(
            index="method", columns="problem", values="ari", aggfunc="median", sort=False
        )
        for method, values in wide.iterrows():
            cells = [
                f"{_number(values.get(p))} ({100 * values[p] / values[clean]:.0f} %)"
                if {p, clean} <= set(wide.columns) and values[clean] > 0.05
                else _number(values.get(p))
                for p, clean in NUISANCE.items()
            ]
            rows.append([TASK_TITLES[task], METHODS[method].title, *cells])
    titles = [f"{p.upper()} (of {clean.upper()})" for p, clean in NUISANCE.items()]
    return markdown(["task", "method", *titles], rows)


def published(table: pd.DataFrame) -> str:
    """Return mean balanced accuracy on the published market, with the published figures."""
    table = table[table.task == "published"]
    if table.empty:
        return ""
    wide = table.pivot_table(index="method", columns="problem", values="bac", sort=False)
    rows = [
        [METHODS[method].title, *(_number(values.get(p), digits=4) for p in PUBLISHED)]
        for method, values in wide.iterrows()
    ]
    rows += [
        [f"published: {name}", *(f"{value:.4f}" for value in values)]
        for name, values in PUBLISHED_SCORES.items()
    ]
    return markdown(["method", *(f"{rows_} bars" for rows_ in PUBLISHED.values())], rows)


def recordings(table: pd.DataFrame) -> str:
    """Return the mean over the recordings of a family."""
    table = table[table.task == "recording"]
    if table.empty:
        return ""
    table = table.assign(family=table.problem.map(family))
    families = list(table.family.unique())
    rows = []
    for method, part in table.groupby("method", sort=False):
        cells = [
            _number(part[part.family == f][score].mean(), digits=3)
            for f in families
            for score in ("ari", "nmi")
        ]
        rows.append([METHODS[method].title, *cells])
    sizes = {f: table[table.family == f].problem.nunique() for f in families}
    titles = [f"{f} ({sizes[f]}) {s}" for f in families for s in ("ARI", "NMI")]
    return markdown(["method", *titles], rows)


def _number(value: float | None, *, bold: bool = False, digits: int = 2) -> str:
    if value is None or np.isnan(value):
        return ""
    text = f"{value:.{digits}f}"
    text = "0.00" if text == "-0.00" else text
    return f"**{text}**" if bold else text


def _shown(table: pd.DataFrame) -> list[str]:
    return [p for p in SIX if p in set(table.problem)]


def _titles(problems: Sequence[str]) -> list[str]:
    return [problem.upper() for problem in problems]
