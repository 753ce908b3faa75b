"""Under which conditions the pretrained encoder becomes the default, and whether they are met."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from benchmarks.encoders.differences import GROUPS, between, groups_of
from benchmarks.encoders.sets import RECORDINGS, SIMULATORS
from benchmarks.encoders.ticks import Ticks

OURS, DEFAULT = "pretrained", "convolutions"
RIVALS = ("untrained", "statistics", DEFAULT)

LEAST_GAIN = 0.03
LEAST_S6 = 0.2
MOST_LOSS = 0.03
MOST_LOSS_ON_RECORDINGS = 0.02
MOST_TICKS = 2.0

FAMILIES = {
    "s5": (frozenset({"waveform", "kind"}), 0.9),
    "s6": (frozenset({"garch", "tails", "jumps"}), 0.1),
}
"""By what the regimes of a simulator differ, and which score is asked of weights that never saw
it."""


@dataclass(frozen=True)
class Condition:
    """A condition, what was measured, and whether that meets it; ``None``: not measured."""

    text: str
    measured: str
    met: bool | None

    @classmethod
    def unmeasured(cls, text: str) -> Condition:
        """Return a condition of which nothing is known."""
        return cls(text, "", None)


def of_task(part: pd.DataFrame) -> list[Condition]:
    """Return the conditions on the scores of one task, evidence and choice."""
    return [
        *(gain(part, rival) for rival in RIVALS),
        tails(part),
        no_loss(part),
        *(on_recordings(part, name) for name in RECORDINGS),
    ]


def transfer(part: pd.DataFrame, without: Collection[str]) -> list[Condition]:
    """Ask weights for simulators whose regimes they never saw the like of.

    Parameters
    ----------
    part : pandas.DataFrame
        Results of one task, evidence and choice.
    without : collection of str
        Aspects that the weights were trained without.
    """
    found = []
    for column, (family, least) in FAMILIES.items():
        own = part[(part.features == OURS) & (part.column == column)].score
        if family <= set(without) and not own.empty:
            text = f"{column.upper()}, never seen: at least {least}"
            found.append(Condition(text, f"{own.median():.3f}", bool(own.median() >= least)))
    return found


def gain(part: pd.DataFrame, rival: str) -> Condition:
    """Ask for a gain over S1 to S5 that is no chance."""
    text = f"S1 to S5: {LEAST_GAIN} above {rival}, interval above 0"
    five = groups_of(set(part.column)).get("S1 to S5", ())
    found = between(part, OURS, rival, five)
    if found is None:
        return Condition.unmeasured(text)
    return Condition(text, str(found), found.mean >= LEAST_GAIN and found.low > 0)


def tails(part: pd.DataFrame) -> Condition:
    """Ask for regimes that differ in their tails alone."""
    text = f"S6: at least {LEAST_S6}"
    own = part[(part.features == OURS) & (part.column == "s6")].score
    if own.empty:
        return Condition.unmeasured(text)
    return Condition(text, f"{own.median():.3f}", bool(own.median() >= LEAST_S6))


def no_loss(part: pd.DataFrame) -> Condition:
    """Ask that no simulator is told worse than by any of the rivals."""
    text = f"no simulator's median {MOST_LOSS} below {', '.join(RIVALS)}"
    some = part[part.column.isin(SIMULATORS)]
    wide = some.pivot_table(index="column", columns="features", values="score", aggfunc="median")
    rivals = [rival for rival in RIVALS if rival in wide.columns]
    if OURS not in wide.columns or not rivals:
        return Condition.unmeasured(text)
    losses = wide[rivals].sub(wide[OURS], axis=0).stack()
    column, rival = losses.idxmax()
    worst = float(losses.max())
    return Condition(text, f"{-worst:+.3f} ({column.upper()}, {rival})", worst < MOST_LOSS)


def on_recordings(part: pd.DataFrame, name: str) -> Condition:
    """Ask that a set of recordings does not speak against it: the interval's upper end counts."""
    text = f"{name}: interval of the difference to {DEFAULT} reaches {-MOST_LOSS_ON_RECORDINGS}"
    found = between(part, OURS, DEFAULT, GROUPS[name])
    if found is None:
        return Condition.unmeasured(text)
    return Condition(text, str(found), found.high >= -MOST_LOSS_ON_RECORDINGS)


def one_regime(chosen: pd.DataFrame) -> Condition:
    """Ask for one regime wherever there is one; ``chosen`` are results with K chosen."""
    text = "one regime on all series of one"
    alone = chosen[chosen.column.isin(("nulls", "prior", "toys without")) & (chosen.states == 1)]
    some = alone[(alone.task == "offline") & (alone.evidence == "window")]
    own, theirs = (some[some.features == name].n_regimes == 1 for name in (OURS, DEFAULT))
    if own.empty:
        return Condition.unmeasured(text)
    measured = f"{own.sum()} of {len(own)} ({DEFAULT}: {theirs.sum()} of {len(theirs)})"
    return Condition(text, measured, bool(own.all()))


def delay(causal: pd.DataFrame) -> Condition:
    """Ask that changes are seen as early: mean over S1 to S5 of the median over seeds.

    Of series in which both find more than one regime; a single label is never late.
    """
    text = f"causal delay on S1 to S5 not longer than of {DEFAULT}, in rows"
    some = causal[causal.column.isin(GROUPS["S1 to S5"]) & (causal.n_regimes > 1)]
    wide = some.pivot_table(index=["column", "series"], columns="features", values="delay")
    if not {OURS, DEFAULT} <= set(wide.columns):
        return Condition.unmeasured(text)
    both = wide[[OURS, DEFAULT]].dropna().groupby(level="column").median()
    own, theirs = float(both[OURS].mean()), float(both[DEFAULT].mean())
    return Condition(text, f"{own:.1f} against {theirs:.1f}", own <= theirs)


def tick(ticks: Ticks) -> Condition:
    """Ask for a cheap window at every size."""
    text = f"tick of the embedding at most {MOST_TICKS:g} times that of {DEFAULT}"
    ratios = {
        size: one[OURS] / one[DEFAULT] for size, one in ticks.items() if {OURS, DEFAULT} <= set(one)
    }
    if not ratios:
        return Condition.unmeasured(text)
    measured = ", ".join(f"{size} rows: {ratio:.2f}" for size, ratio in ratios.items())
    return Condition(text, measured, max(ratios.values()) <= MOST_TICKS)
