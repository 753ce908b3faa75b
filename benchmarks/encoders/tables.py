"""Results as Markdown: scores, paired differences, conditions and ticks."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from benchmarks.encoders.conditions import (
    OURS,
    Condition,
    delay,
    of_task,
    one_regime,
    tick,
    transfer,
)
from benchmarks.encoders.differences import GROUPS, between, groups_of
from benchmarks.encoders.features import features_of
from benchmarks.encoders.sets import RECORDINGS, SIMULATORS, TASKS
from benchmarks.encoders.ticks import Ticks
from benchmarks.regimes.tables import markdown

EVIDENCE = {"window": "windows alone", "bars": "with bars"}
NULLS = ("nulls", "prior", "toys without")

_COLUMNS = (*SIMULATORS, "prior", *RECORDINGS, "toys")


def write_tables(table: pd.DataFrame, ticks: Ticks, without: Collection[str] = ()) -> str:
    """Return every table that there are results for.

    Parameters
    ----------
    table : pandas.DataFrame
    ticks : Ticks
    without : collection of str
        Aspects that the weights were trained without: then conditions are those of transfer.
    """
    sections = []
    for evidence, title in EVIDENCE.items():
        for chosen in (False, True):
            part = table[(table.evidence == evidence) & (table.chosen == chosen)]
            if part.empty:
                continue
            heading = f"K {'chosen' if chosen else 'given'}, {title}"
            sections += [
                (heading, scores(part)),
                (f"{heading}: {OURS} less the others", differences(part)),
                (
                    f"{heading}: conditions of the default",
                    conditions(part, table[table.chosen], ticks, without),
                ),
            ]
    sections.append(("One window, in µs", cost(ticks)))
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in sections if text) + "\n"


def scores(part: pd.DataFrame) -> str:
    """Return scores by task, features and column: medians of simulators, means of other sets.

    The mean of S1 to S5 is that of their medians, as is the delay. Series of one regime are
    counted.
    """
    shown = [c for c in _COLUMNS if ((part.column == c) & (part.states > 1)).any()]
    alone = [c for c in NULLS if ((part.column == c) & (part.states == 1)).any()]
    five = "S1 to S5" in groups_of(shown)
    rows = []
    for task in TASKS:
        for name, own in part[part.task == task].groupby("features", sort=False):
            told = {c: own[(own.column == c) & (own.states > 1)] for c in shown}
            middle = {c: _middle(one.score, c) for c, one in told.items()}
            late = [_late(told[c]) for c in GROUPS["S1 to S5"]] if five else []
            mean = np.mean([middle[c] for c in GROUPS["S1 to S5"]]) if five else np.nan
            rows.append(
                [
                    task,
                    features_of(str(name)).title,
                    *([_number(mean)] if five else []),
                    *(_number(middle[c]) for c in shown),
                    *(_ones(own[(own.column == c) & (own.states == 1)]) for c in alone),
                    *([_number(np.mean(late), 1) if task != "offline" else ""] if five else []),
                ]
            )
    titles = [c.upper() if c in SIMULATORS else c for c in shown]
    one = [f"one regime: {c}" for c in alone]
    before, after = (["S1 to S5"], ["delay"]) if five else ([], [])
    return markdown(["task", "features", *before, *titles, *one, *after], rows)


def differences(part: pd.DataFrame) -> str:
    """Return mean, interval, better : worse of the first features against each other kind."""
    groups = groups_of(set(part.column))
    rows = []
    for task in TASKS:
        own = part[part.task == task]
        for rival in [name for name in own.features.unique() if name != OURS]:
            found = [between(own, OURS, rival, columns) for columns in groups.values()]
            if any(found):
                cells = ["" if one is None else str(one) for one in found]
                rows.append([task, features_of(rival).title, *cells])
    if not rows:
        return ""
    filled = [i for i in range(len(rows[0])) if any(row[i] for row in rows)]
    header = ["task", f"{OURS} less", *groups]
    return markdown([header[i] for i in filled], [[row[i] for i in filled] for row in rows])


def conditions(
    part: pd.DataFrame, chosen: pd.DataFrame, ticks: Ticks, without: Collection[str]
) -> str:
    """Return a line for each condition of which something is known, and how many are not met."""
    tasks = [task for task in TASKS if (part.task == task).any()]
    parts = [part[part.task == task] for task in tasks]
    by_task = [transfer(own, without) if without else of_task(own) for own in parts]
    causal = part[part.task == "causal"]
    whole = [] if without else [one_regime(chosen), delay(causal), tick(ticks)]
    lines = [*zip(*by_task, strict=True), *((one,) for one in whole)]
    rows = [
        [found[0].text, *map(_said, found), *[""] * (len(tasks) - len(found))]
        for found in lines
        if any(one.met is not None for one in found)
    ]
    every = [one for found in lines for one in found]
    if not every:
        return ""
    missed = sum(one.met is False for one in every)
    unknown = sum(one.met is None for one in every)
    summary = f"{len(every) - missed - unknown} met, {missed} not met, {unknown} not measured."
    return f"{markdown(['condition', *tasks], rows)}\n\n{summary}"


def cost(ticks: Ticks) -> str:
    """Return the time of one window by its size."""
    if not any(ticks.values()):
        return ""
    names = list(next(iter(ticks.values())))
    rows = [
        [features_of(name).title, *(f"{1e6 * one[name]:.0f}" for one in ticks.values())]
        for name in names
    ]
    return markdown(["features", *(f"{size} rows" for size in ticks)], rows)


def _said(condition: Condition) -> str:
    if condition.met is None:
        return "not measured"
    return f"{'met' if condition.met else '**not met**'}: {condition.measured}"


def _middle(values: pd.Series, column: str) -> float:
    return float(values.median() if column in SIMULATORS else values.mean())


def _late(own: pd.DataFrame) -> float:
    """Return the median delay where there is more than one label to wait for."""
    return float(own[own.n_regimes > 1].delay.median())


def _ones(own: pd.DataFrame) -> str:
    return f"{int((own.n_regimes == 1).sum())} of {len(own)}" if len(own) else ""


def _number(value: float, digits: int = 3) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"
