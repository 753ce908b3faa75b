"""``regimetry predict``: a table in, a regime for every bar out, causally."""

from __future__ import annotations

import argparse
import math
import sys
from typing import Any

from regimetry.cli import folder
from regimetry.cli.arguments import add_json, add_model_and_data, add_output
from regimetry.cli.output import when


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "predict",
        help="label every bar of a table",
        description="Label every bar causally: regime, probability of each regime, novelty, and "
        "whether the state is novel. The first bars, before the first full window, stay empty. For "
        "a model fitted with --features, give the bars: the features are computed from them. The "
        "labels of a folder of Parquet files (many instruments) go to another folder, and the same "
        "command continues a run that was stopped.",
        examples=[
            "regimetry predict spx.onnx new.csv -o regimes.csv",
            "regimetry predict spx.onnx new.csv > regimes.csv",
            "regimetry predict spx.onnx new.csv --json",
            "regimetry predict spx.onnx bars/ -o labels/ --by symbol",
        ],
    )
    add_model_and_data(parser)
    add_output(
        parser,
        "table to write (.csv or .parquet; default: CSV on standard output), or folder",
        required=False,
    )
    add_json(parser)
    folder.add_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Label and write."""
    if folder.is_folder(options):
        folder.run(options)
    else:
        _run_table(options)


def _run_table(options: argparse.Namespace) -> None:
    from regimetry.cli.output import print_json, text_table
    from regimetry.cli.progress import progress
    from regimetry.files import require_writable
    from regimetry.runtime.model import load
    from regimetry.series.table_files import read_table, require_table_suffix, write_table

    if options.output is not None:
        require_table_suffix(options.output)
        require_writable(options.output)
    model = load(options.model, device=options.device)
    by = model.contract.by if options.by is None else options.by
    table = read_table(options.data, time_column=options.time_column, by=by)
    with progress(len(table), "labelling", "bar") as advance:
        labels = model.label(table, by=options.by, advance=advance)
    result = labels.probability.add_prefix("p_")
    result.insert(0, "regime", labels.regime)
    result["novelty"] = labels.novelty
    result["novel"] = labels.novel
    result = result.round(6)
    if by in table.columns:
        result.insert(0, by, table[by])
    if options.output is not None:
        write_table(result, options.output)
    elif not options.json:
        result.to_csv(sys.stdout, index=result.index.name is not None)
        return
    names = [regime.name for regime in model.contract.regimes]
    instruments = result[by] if by in table.columns else None
    summary = _summary(result["regime"], names, instruments)
    if options.json:
        found = {"rows": len(result), "regimes": summary}
        if options.output is None:
            print_json({**found, "bars": _bars(result)}, indent=None)
        else:
            print_json({**found, "path": str(options.output)})
    else:
        rows = [
            [
                f"{entry['regime']} {entry['name']}",
                str(entry["bars"]),
                str(entry["spells"]),
                entry["last"],
            ]
            for entry in summary
        ]
        print(text_table(["regime", "bars", "spells", "last seen"], rows))
        print(f"\n{options.output}: {len(result)} rows")


def _summary(regime: Any, names: list[str], instruments: Any) -> list[dict[str, Any]]:
    """Count bars and spells of each regime of a labelled table, perhaps of many instruments."""
    from regimetry.analysis import spells_of
    from regimetry.runtime.model import MISSING

    breaks = None
    if instruments is not None:
        order = instruments.astype(str).argsort(kind="stable").to_numpy()
        regime, sorted_names = regime.iloc[order], instruments.iloc[order]
        breaks = (sorted_names != sorted_names.shift()).to_numpy()
    labels = regime.fillna(MISSING).to_numpy(dtype="int64")
    spells = spells_of(labels, breaks)
    return [
        {
            "regime": number,
            "name": name,
            "bars": int((labels == number).sum()),
            "spells": int((spells.regime == number).sum()),
            "last": _last(regime.index[labels == number]),
        }
        for number, name in enumerate(names)
    ]


def _bars(result: Any) -> dict[str, list[Any]]:
    """Return a labelled table as one list per column; null where a bar has no label."""
    columns: dict[str, list[Any]] = {"time": [when(time) for time in result.index]}
    for name in result.columns:
        if result[name].dtype.kind not in "fiub":
            columns[name] = result[name].astype(str).tolist()
            continue
        values = result[name].astype(float).tolist()
        columns[name] = [
            None if math.isnan(value) else int(value) if name == "regime" else round(value, 6)
            for value in values
        ]
    return columns


def _last(index: Any) -> str:
    return when(index.max()) if len(index) else "never"
