"""What a person should know of a model's answer: why this one, and what is odd about it."""

from __future__ import annotations

from collections.abc import Sequence

from regimetry.contract.choices import Candidate
from regimetry.contract.description import ModelContract

_REPRODUCED = 0.8  # adjusted Rand index
_RESTLESS = 5.0  # rows: labels that last less in the mean
_FEW_WINDOWS = 60  # side by side: with fewer, slow directions are found in anything
_LEAST_EACH = 3  # windows that the regimes share: what lasts less is hardly seen
_NAMED = 3  # regimes that a sentence names; of more it says how many


def reason(contract: ModelContract) -> str | None:
    """Return in a sentence why this window size and number of regimes; ``None`` if not recorded."""
    table = contract.training.candidates
    chosen = next((entry for entry in table if entry.chosen), None)
    if chosen is None or chosen.score is None:
        return None
    first = f"{_named(chosen)[0].upper()}{_named(chosen)[1:]}"
    better = f"{first} score {chosen.score:.2f}" if chosen.n_regimes > 1 else f"{first}"
    second = _next_best(table)
    if second is None:
        return f"{better}; nothing else was compared."
    beaten = second.refused or ""
    if "scores" in beaten:
        return f"{better}; the next best, {_named(second)}, {second.score:.2f}."
    return f"{better}; {_named(second)} would score {second.score:.2f}, but {beaten}."


def remarks(contract: ModelContract) -> tuple[str, ...]:
    """Return a sentence on everything odd about the regimes of a model, by its causal labels."""
    found, regimes = [], [regime for regime in contract.regimes if regime.share > 0]
    windows = contract.training.rows / contract.window_size
    if contract.n_regimes == 1:
        if contract.training.configuration.get("n_regimes", "auto") == "auto":
            found.append("the series shows one regime alone")
            found += _few_windows(contract, windows)
        return tuple(found)
    if missing := contract.regimes_without_bars:
        found.append(
            f"no {contract.unit} of training is in {_listed(missing)}: "
            f"{contract.n_regimes} regimes are more than its labels tell apart"
        )
    chosen = next((entry for entry in contract.training.candidates if entry.chosen), None)
    if chosen is not None and chosen.reproduced is not None and chosen.reproduced < _REPRODUCED:
        found.append(
            f"its labels agree with the segments that it was fitted on by {chosen.reproduced:.2f}: "
            "windows hardly tell them apart, so the segments are an answer for the past only"
        )
    if 0 < windows < _LEAST_EACH * contract.n_regimes:
        found.append(
            f"{contract.n_regimes} regimes share {windows:.0f} windows of {contract.window_size} "
            f"side by side, less than {_LEAST_EACH} each: give a smaller n_regimes"
        )
    found += _few_windows(contract, windows)
    if once := [regime.name for regime in regimes if regime.spells == 1]:
        found.append(f"{_listed(once)}: one spell alone, so nothing says that it comes back")
    spells = sum(regime.spells for regime in regimes)
    dwell = sum(regime.spells * regime.mean_dwell for regime in regimes) / max(spells, 1)
    if dwell < _RESTLESS:
        found.append(
            f"the label changes every {dwell:.1f} {contract.units}: this is noise rather than "
            "regimes"
        )
    elif dwell < contract.window_size:
        found.append(
            f"a spell lasts {dwell:.0f} {contract.units} in the mean, less than a window of "
            f"{contract.window_size}: most windows see two regimes. Give a smaller window_size"
        )
    return tuple(found)


def agreement_with_states(contract: ModelContract) -> str | None:
    """Return in a sentence how the regimes agree with known states; ``None`` if none were known."""
    known = contract.training.known
    if known is None:
        return None
    regime_of = {state: regime for regime, state in enumerate(known.mapping) if state >= 0}
    parts = []
    for state, name in enumerate(known.states):
        rows = sum(counts[state] for counts in known.counts)
        own = known.counts[regime_of[state]][state] if state in regime_of else 0
        parts.append(f"{name} {own / rows:.0%} of {rows}" if rows else f"{name} none")
    return (
        f"Of {contract.counted(known.rows)} whose state was known, {known.share:.0%} are in the "
        f"regime of their state (adjusted Rand index {known.adjusted_rand:.2f}): "
        f"{', '.join(parts)}."
    )


def _few_windows(contract: ModelContract, windows: float) -> list[str]:
    if not 0 < windows < _FEW_WINDOWS:
        return []
    wanted = contract.counted(_FEW_WINDOWS * contract.window_size)
    return [
        f"the series holds {windows:.0f} windows of {contract.window_size} side by side; "
        f"{_FEW_WINDOWS} would say more: give {wanted} or a smaller "
        "window_size"
    ]


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _next_best(table: tuple[Candidate, ...]) -> Candidate | None:
    """Return the best of those that were not chosen: of the possible ones, or else of all."""
    rest = [entry for entry in table if not entry.chosen and entry.n_regimes > 1]
    better = [entry for entry in rest if (entry.score or 0.0) > 0.0]  # than one regime
    possible = [entry for entry in better if "scores" in (entry.refused or "")]
    return max(possible or rest, key=lambda entry: entry.score or 0.0, default=None)


def _named(entry: Candidate) -> str:
    many = f"{entry.n_regimes} regimes" if entry.n_regimes > 1 else "one regime"
    return f"{many} with {entry.source}"
