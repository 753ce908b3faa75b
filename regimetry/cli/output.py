"""What verbs print: tables for people, JSON for machines."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from regimetry.contract import Landmarks, ModelContract
from regimetry.contract.remarks import agreement_with_states, reason
from regimetry.errors import DataWarning


def note(text: str) -> None:
    """Say what was decided: one line on standard error, an entry of ``notes`` with --json."""
    warnings.warn(text, DataWarning, stacklevel=2)


def when(time: Any) -> str:
    """Return a time as text, without a midnight."""
    return str(time).removesuffix(" 00:00:00")


def print_json(data: Any, *, indent: int | None = 2) -> None:
    """Print plain data as one JSON object; characters that the output cannot carry are escaped."""
    universal = (sys.stdout.encoding or "ascii").lower().startswith("utf")
    print(json.dumps(data, indent=indent, allow_nan=False, ensure_ascii=not universal))


def show(options: argparse.Namespace, data: Any, text: str) -> None:
    """Print what a verb found: the data and the notes with --json, the text without."""
    if options.json:
        print_json({**data, "notes": options.notes})
    else:
        print(text)


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of text: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def regime_lines(contract: ModelContract) -> str:
    """Return what the regimes were like in training, one line each."""
    features = contract.schema.feature_names
    shown = range(min(len(features), 6))
    prefix = {"level": "", "difference": "d ", "log_difference": "dlog "}
    names = [prefix[contract.transforms[i]] + features[i] for i in shown]
    header = ["regime", "share", "spells", "mean dwell"]
    header += [f"{statistic} {name}" for name in names for statistic in ("mean", "std")]
    rows = [
        [
            f"{number} {regime.name}",
            f"{regime.share:.1%}",
            str(regime.spells),
            f"{regime.mean_dwell:.1f}",
            *(f"{value:.4g}" for i in shown for value in (regime.mean[i], regime.deviation[i])),
        ]
        for number, regime in enumerate(contract.regimes)
    ]
    return text_table(header, rows)


def candidate_table(contract: ModelContract, most: int | None = None) -> str:
    """Return what windows and numbers of regimes would make of the series, one line each.

    At ``most`` so many, the best and the chosen one. Empty where both were given.
    """
    compared = contract.training.compared
    if len(compared) < 2:
        return ""
    best = sorted(compared, key=lambda entry: (entry.chosen, entry.score or 0.0))[-(most or 0) :]
    candidates = [entry for entry in compared if entry in best]
    columns = {
        "window": [_number(entry.window_size) for entry in candidates],
        "encoder": [entry.encoder or "" for entry in candidates],
        "regimes": [_number(entry.n_regimes) for entry in candidates],
        "score": [_number(entry.score, ".3f") for entry in candidates],
        "recognised": [_number(entry.recognised, ".2f") for entry in candidates],
        "lasting": [_number(entry.lasting, ".2f") for entry in candidates],
        "tightness": [_number(entry.tightness, ".2f") for entry in candidates],
        "steps": [_number(entry.steps, ".2f") for entry in candidates],
        "stability": [_number(entry.stability, ".2f") for entry in candidates],
        "shortest dwell": [_number(entry.shortest_dwell) for entry in candidates],
        "smallest share": [_number(entry.smallest_share, ".1%") for entry in candidates],
    }
    known = {name: cells for name, cells in columns.items() if any(cells)}
    first, *others = known
    rows = [
        [f"{'>' if entry.chosen else ' '} {cells[0]}", *cells[1:], entry.refused or ""]
        for entry, *cells in zip(candidates, *known.values(), strict=True)
    ]
    text = _with_reasons([f"  {first}", *others], rows)
    if left := len(compared) - len(candidates):
        text += f"\n({left} more: regimetry inspect)"
    why = reason(contract)
    return text if why is None else f"{why}\n\n{text}"


def _number(value: float | None, form: str = "g") -> str:
    return "" if value is None else format(value, form)


def landmark_text(contract: ModelContract) -> str:
    """Return which landmarks the map stands on, where there was a choice; empty where not."""
    chosen = (entry.landmarks for entry in contract.training.candidates if entry.chosen)
    landmarks = next(chosen, Landmarks())
    if landmarks.explained_spread is None:
        return ""
    text = {"even": "even in time", "spread": "spread over the space"}[landmarks.drawn]
    shown = [
        f"regimes explain {landmarks.explained_even:.2f} of the slow directions with even ones, "
        f"{landmarks.explained_spread:.2f} with spread ones"
    ]
    if landmarks.stability_spread is not None:
        shown.append(
            f"resampling agrees by {landmarks.stability_even:.2f} and "
            f"{landmarks.stability_spread:.2f}"
        )
    return f"Landmarks {text}: {'; '.join(shown)}."


def choices_text(contract: ModelContract, most: int | None = None) -> str:
    """Return what the fit chose from and why, a blank line before each; empty where nothing.

    Of candidates at ``most`` so many.
    """
    about = (
        candidate_table(contract, most),
        landmark_text(contract),
        agreement_with_states(contract) or "",
        alignment_text(contract),
    )
    return "".join(f"\n{text}\n" for text in about if text)


def _with_reasons(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose rows end with a reason, which stands behind it without a header."""
    table = text_table(header, [row[:-1] for row in rows]).splitlines()
    width, reasons = max(map(len, table)), ["", "", *(row[-1] for row in rows)]
    return "\n".join(
        f"{line.ljust(width)}  {reason}".rstrip()
        for line, reason in zip(table, reasons, strict=True)
    )


def alignment_text(contract: ModelContract) -> str:
    """Return how the regimes stand to those of an earlier model; empty where there is none."""
    alignment = contract.training.alignment
    if alignment is None:
        return ""
    kept = [
        f"{name} ({alignment.overlap[old][new]:.0%})"
        for new, (name, old) in enumerate(zip(alignment.names, alignment.mapping, strict=True))
        if old >= 0
    ]
    parts = [f"kept {', '.join(kept) or 'none'}"]
    parts += [
        f"{word} {', '.join(names)}"
        for word, names in (("born", alignment.born), ("dead", alignment.dead))
        if names
    ]
    over = f"shared {contract.units}"
    if alignment.over != "shared":
        over = f"{contract.units}, all of the refit's"
    return f"{'; '.join(parts)}; by overlap over {alignment.bars} {over}"
