"""What a report says in sentences."""

from __future__ import annotations

import numpy as np

from regimetry.contract.remarks import agreement_with_states, reason, remarks
from regimetry.contract.wording import UNIT
from regimetry.report.data import ReportData
from regimetry.report.embedding_maps import MAP_ROWS
from regimetry.report.tables import number
from regimetry.report.thinning import BUCKETS


def headline(data: ReportData) -> list[tuple[str, str, str]]:
    """Return the day's facts: title, value, and what goes with it."""
    labelled = np.flatnonzero(data.labels >= 0)
    last, regime = int(labelled[-1]), data.analysis.last
    spell = int(np.flatnonzero(data.spells.start <= last)[-1])
    since, bars = int(data.spells.start[spell]), int(data.spells.length[spell])
    lasting = data.analysis.dwell.expected[regime]
    novelty = "1 is typical of training"
    if data.alarms is not None:
        novelty += f"; {data.alarms.words(data.contract.unit)}"
    drift, where = "not computed", "see below"
    if data.drift is not None:
        seen = [line.name for line in data.drift.drift.lines if line.verdict == "drift"]
        drift = f"in {', '.join(seen)}" if seen else "none seen"
        where = f"in the {data.contract.units} since {data.axis.text(data.drift.recent[0])}"
    return [
        (
            "Last regime",
            data.regimes[regime],
            f"for {data.contract.counted(bars)}, since {data.axis.text(since)}",
        ),
        ("Its probability", f"{data.probability[last, regime]:.0%}", f"at {data.axis.text(last)}"),
        (
            "Expected to last on",
            data.contract.counted(lasting, ".0f") if np.isfinite(lasting) else "never left",
            "by the transition matrix",
        ),
        ("Novelty", number(float(data.novelty[last]), ".2f"), novelty),
        ("Drift", drift, where),
    ]


def span(data: ReportData) -> str:
    """Return the number of bars, their first and last place, and the bars without a label."""
    axis, missing = data.axis, data.analysis.missing
    count = data.contract.counted(len(data.labels), ",d")
    unit = f"{data.contract.unit} " if axis.name == UNIT and not axis.dated else ""
    text = f"{count}, {unit}{axis.text(0)} to {axis.text(len(data.labels) - 1)}"
    return text + (f"; {missing:,} without a label" if missing else "")


def thinned(data: ReportData) -> str | None:
    """Say what was left out of the figures; None if nothing was."""
    n, units = len(data.labels), data.contract.units
    parts = []
    if n > BUCKETS:
        parts.append(
            f"the figures over time keep the extremes of {data.drawn.name} and novelty, and the "
            f"probabilities' means, of every {n / BUCKETS:.1f} {units}, and every spell"
        )
    if n - data.analysis.missing > MAP_ROWS:
        parts.append(f"the map shows {len(data.maps[0].bars):,} windows, spread over each regime")
    text = "; ".join(parts)
    return (
        f"Thinned to stay quick: {text}. Tables and tests use every {data.contract.unit}."
        if parts
        else None
    )


def insample(data: ReportData) -> str:
    """Say which bars the model was fitted on."""
    training, unit, units = data.contract.training, data.contract.unit, data.contract.units
    start, end = training.start, training.end
    known = (
        f"from {start} to {end}" if start and end else f"on {data.contract.counted(training.rows)}"
    )
    return (
        f"The label, probability and novelty of a {unit} use that {unit} and earlier ones. The "
        f"model was fitted {known}: labels of those {units} are in sample. Figures and tables use "
        f"all {units} shown."
    )


def choice_words(data: ReportData) -> str | None:
    """Say why the model has this window and this many regimes, and what is odd about them."""
    why = reason(data.contract)
    odd = [f"{text[0].upper()}{text[1:]}." for text in remarks(data.contract)]
    told = [text for text in (why, agreement_with_states(data.contract)) if text is not None]
    return " ".join([*told, *odd]) or None


def spell_words(data: ReportData) -> str:
    """Say whether the spells are as those of a Markov chain."""
    return f"Spells are {data.analysis.geometric.words(data.regimes)}."


def drift_words(data: ReportData) -> str:
    """Say what was compared with what, and how sure the verdicts are."""
    if data.drift is None:
        return f"Not computed: {data.notes.get('drift', '')}"
    found, axis, units = data.drift, data.axis, data.contract.units
    before = f"{axis.text(found.training[0])} to {axis.text(found.training[1] - 1)}"
    now = f"{axis.text(found.recent[0])} to {axis.text(found.recent[1] - 1)}"
    which = (
        f"the {units} after the model's training"
        if found.after_training
        else f"the last fifth of the {units}, since none comes after the model's training"
    )
    return (
        f"Recent: {now}, {which}. Before: {before}. Block bootstrap with blocks of "
        f"{data.contract.counted(found.drift.block, '.0f')} and {found.drift.draws} draws; without "
        f"drift, the chance of any false alarm is {found.drift.level:.0%}."
    )
