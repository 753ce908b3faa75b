"""``regimetry compare``: two models on the same bars."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import Agreement, agreement, spells_of
from regimetry.cli.arguments import DEVICE, TABLE
from regimetry.cli.labelled_table import regimes_of, rows_and_span
from regimetry.cli.output import show, text_table, when
from regimetry.cli.verb import Verb, argument
from regimetry.contract import ModelContract
from regimetry.runtime.model import load
from regimetry.series.file_options import FileOptions
from regimetry.series.table_files import read_table

_SHOWN = 5  # stretches of disagreement in the table

VERB = Verb(
    help="agreement of two models on a table, and what changed",
    description="Label a table with two models, causally; print how far they agree over the bars "
    "that both label, which new regime corresponds to which old one, how share and dwell changed, "
    "where the labels differ, and what differs between the models.",
    examples=["regimetry compare old.onnx new.onnx spx.csv"],
    arguments=[
        argument("old", type=Path, help="model file (.onnx)"),
        argument("new", type=Path, help="model file (.onnx)"),
        argument("data", type=Path, help="table with the columns of both"),
        *TABLE,
        DEVICE,
    ],
)


def run(options: argparse.Namespace) -> None:
    """Label twice, compare, print."""
    models = [load(path, device=options.device) for path in (options.old, options.new)]
    table = read_table(options.data, FileOptions.of(options, models[0].rules.repeated)).frame
    old, new = (regimes_of(model, table) for model in models)
    contracts = [model.contract for model in models]
    found = agreement(old, new, *(contract.n_regimes for contract in contracts))
    regimes = _regimes(found, old, new, contracts)
    stretches = _disagreements(found, old, new, table.index)
    changes = _changes(*contracts)
    data = {
        "bars": found.bars,
        "agreement": found.share,
        "adjusted_rand": found.adjusted_rand,
        "mapping": [None if i < 0 else int(i) for i in found.mapping],
        "counts": found.counts.tolist(),
        "regimes": regimes,
        "differing_stretches": stretches,
        "models": changes,
        "data": rows_and_span(table.index),
    }
    lines = [
        _regime_table(regimes),
        f"\nagreement      {found.share:.1%} of {contracts[1].counted(found.bars)}; adjusted Rand "
        f"index "
        f"{found.adjusted_rand:.3f}",
        f"differ in      {len(stretches)} stretches{_longest(stretches, contracts[1])}",
        *(
            f"{name.replace('_', ' '):<14} {_comparison_text(before)} -> {_comparison_text(after)}"
            for name, (before, after) in changes.items()
        ),
        *([] if changes else ["models         the same contract"]),
    ]
    show(options, data, "\n".join(lines))


def _regimes(
    found: Agreement,
    old: NDArray[np.int64],
    new: NDArray[np.int64],
    contracts: list[ModelContract],
) -> list[dict[str, Any]]:
    """Pair the regimes: old ones in order, then new ones without a counterpart."""
    both = (old >= 0) & (new >= 0)
    new_of = {int(o): n for n, o in enumerate(found.mapping) if o >= 0}
    pairs: list[tuple[int | None, int | None]] = [
        (regime, new_of.get(regime)) for regime in range(contracts[0].n_regimes)
    ]
    pairs += [(None, n) for n, o in enumerate(found.mapping) if o < 0]

    def side(labels: NDArray[np.int64], regime: int | None, contract: ModelContract) -> Any:
        if regime is None:
            return None
        spells = spells_of(np.where(both, labels, -1))
        lengths = spells.length[spells.regime == regime]
        return {
            "number": regime,
            "name": contract.regimes[regime].name,
            "share": float(np.mean(labels[both] == regime)),
            "spells": len(lengths),
            "mean_dwell": float(lengths.mean()) if len(lengths) else None,
        }

    return [
        {
            "old": side(old, before, contracts[0]),
            "new": side(new, after, contracts[1]),
            "kept": None
            if before is None or np.isnan(found.recall[before])
            else float(found.recall[before]),
        }
        for before, after in pairs
    ]


def _disagreements(
    found: Agreement, old: NDArray[np.int64], new: NDArray[np.int64], index: Any
) -> list[dict[str, Any]]:
    """Return where the labels differ after the mapping, one entry per pair of spells."""
    both = (old >= 0) & (new >= 0)
    differs = both & (np.where(new >= 0, found.mapping[np.maximum(new, 0)], -1) != old)
    codes = np.where(differs, old * len(found.mapping) + new, -1)
    spells = spells_of(codes)
    return [
        {
            "start": when(index[start]),
            "end": when(index[start + length - 1]),
            "bars": int(length),
            "old": int(code // len(found.mapping)),
            "new": int(code % len(found.mapping)),
        }
        for start, length, code in zip(spells.start, spells.length, spells.regime, strict=True)
    ]


def _changes(old: ModelContract, new: ModelContract) -> dict[str, list[Any]]:
    """Return what differs between two contracts: name -> [old, new]."""
    facts = [
        {
            "n_regimes": contract.n_regimes,
            "window_size": contract.window_size,
            "columns": list(contract.schema.names),
            "transforms": list(contract.transforms),
            "jump_penalty": contract.jump_penalty,
            "embedding": contract.embedding_size,
            "trained_rows": contract.training.rows,
            "trained_from": contract.training.start,
            "trained_to": contract.training.end,
            "seed": contract.training.seed,
            "training_data": contract.training.fingerprint[:16],
        }
        for contract in (old, new)
    ]
    return {name: [value, facts[1][name]] for name, value in facts[0].items()
            if value != facts[1][name]}  # fmt: skip


def _regime_table(regimes: list[dict[str, Any]]) -> str:
    def cell(side: dict[str, Any] | None, name: str, digits: str) -> str:
        return "" if side is None or side[name] is None else format(side[name], digits)

    def title(side: dict[str, Any] | None) -> str:
        return "none" if side is None else f"{side['number']} {side['name']}"

    header = ["old", "new", "kept", "share, old", "new", "spells, old", "new"]
    header += ["mean dwell, old", "new"]
    rows = [
        [
            title(pair["old"]),
            title(pair["new"]),
            "" if pair["kept"] is None else f"{pair['kept']:.1%}",
            *(
                cell(pair[which], name, digits)
                for name, digits in (("share", ".1%"), ("spells", "d"), ("mean_dwell", ".1f"))
                for which in ("old", "new")
            ),
        ]
        for pair in regimes
    ]
    return text_table(header, rows)


def _longest(stretches: list[dict[str, Any]], contract: ModelContract) -> str:
    if not stretches:
        return ""
    shown = sorted(stretches, key=lambda entry: -entry["bars"])[:_SHOWN]
    texts = (
        f"{s['start']} to {s['end']} ({contract.counted(s['bars'])}, {s['old']} -> {s['new']})"
        for s in shown
    )
    return "; longest: " + ", ".join(texts)


def _comparison_text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
