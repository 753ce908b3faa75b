"""What a model says about itself, as tables in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from regimetry.contract.choices import Candidate
from regimetry.contract.description import ModelContract
from regimetry.markup import html_section, html_table

_MOST_COLUMNS = 12  # of the data, whose means stand beside each regime


class Candidates(tuple[Candidate, ...]):
    """Window sizes and numbers of regimes that a fit compared; a notebook shows a table."""

    def _repr_html_(self) -> str:
        header, rows = candidate_rows(self)
        chosen = [entry.chosen for entry in self]
        return html_table(header, rows, marked=chosen.index(True) if any(chosen) else None)


def candidate_rows(
    candidates: Sequence[Candidate],
) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Return the names of what is known of candidates, and a row of values for each."""
    names = [entry.name for entry in fields(Candidate) if entry.name != "chosen"]
    known = [n for n in names if any(getattr(entry, n) is not None for entry in candidates)]
    header = tuple("regimes" if n == "n_regimes" else n.replace("_", " ") for n in known)
    return header, [tuple(getattr(entry, name) for name in known) for entry in candidates]


def model_html(contract: ModelContract) -> str:
    """Return the facts of a model, its regimes and their transitions as HTML."""
    training, regimes = contract.training, contract.regimes
    span = f", {training.start} to {training.end}" if training.start else ""
    facts = {
        "columns": contract.schema.names,
        "window": contract.counted(contract.window_size),
        "evidence": contract.evidence,
        "trained on": f"{contract.counted(training.rows)}{span}",
    }
    features = contract.schema.feature_names
    features = features if len(features) <= _MOST_COLUMNS else ()
    header = ("regime", "share", "spells", "mean dwell", *(f"mean {name}" for name in features))
    rows = [
        (
            regime.name,
            f"{regime.share:.1%}",
            regime.spells,
            f"{regime.mean_dwell:.1f}",
            *regime.mean[: len(features)],
        )
        for regime in regimes
    ]
    names = [regime.name for regime in regimes]
    matrix = [
        (name, *map(float, row))
        for name, row in zip(names, contract.transition_matrix, strict=True)
    ]
    return "".join(
        [
            html_table(("", ""), facts.items()),
            html_table(header, rows),
            html_section("transitions", html_table(("from", *names), matrix)),
        ]
    )
