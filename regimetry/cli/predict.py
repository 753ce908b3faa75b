"""``regimetry predict``: a table in, a regime for every bar out, causally."""

from __future__ import annotations

import argparse
import math
from typing import Any

from regimetry.analysis import spells_of
from regimetry.cli import folder
from regimetry.cli.arguments import MODEL_AND_DATA, READING, output
from regimetry.cli.labelled_table import label_bars, numbers_of, opened
from regimetry.cli.output import print_json, text_table, when
from regimetry.cli.verb import Verb
from regimetry.files import require_writable
from regimetry.series.file_options import STANDARD, FileOptions
from regimetry.series.table_files import print_table, read_table, require_table_suffix, write_table

VERB = Verb(
    help="label every row of a table",
    description="Label every row causally: regime, probability of each regime, novelty, and "
    "whether the state is novel. The first rows, before the first full window, stay empty. For a "
    "model fitted with --features, give the bars: the features are computed from them. The labels "
    "of a folder of Parquet files (many instruments) go to another folder, and the same command "
    "continues a run that was stopped.",
    examples=[
        "regimetry predict spx.onnx new.csv -o regimes.csv",
        "regimetry predict spx.onnx - < new.csv > regimes.csv",
        "regimetry predict spx.onnx new.csv --json",
        "regimetry predict spx.onnx bars/ -o labels/ --by symbol",
    ],
    arguments=[
        *MODEL_AND_DATA,
        output(
            "table to write (.csv, .parquet, or - for CSV on standard output, which is the "
            "default), or folder",
            required=False,
        ),
        READING,
        folder.OPTIONS,
    ],
)


def run(options: argparse.Namespace) -> None:
    """Label and write."""
    if folder.is_folder(options):
        folder.run(options)
    else:
        _run_table(options)


def _run_table(options: argparse.Namespace) -> None:

    path = None if options.output == STANDARD else options.output
    if path is not None:
        require_table_suffix(path)
        require_writable(path)
    model = opened(options)
    by = model.contract.by if options.by is None else options.by
    read = read_table(options.data, FileOptions.of(options, model.rules.repeated), by=by)
    table = read.frame
    labels = label_bars(model, table, options.by)
    result = labels.probability.add_prefix("p_")
    result.insert(0, "regime", labels.regime)
    names = [regime.name for regime in model.contract.regimes]
    if model.contract.is_named:
        result.insert(1, "regime_name", labels.regime.map(dict(enumerate(names))))
    result = result.assign(novelty=labels.novelty, novel=labels.novel).round(6)
    instruments = table[by] if by in table.columns else None
    if instruments is not None:
        result.insert(0, by, instruments)
    if path is not None:
        write_table(read.written(result), path)
    elif not options.json:
        print_table(read.written(result))
        return
    summary = _summary(result["regime"], names, instruments)
    if options.json:
        written = (
            {"bars": _labelled_columns(read.written(result))}
            if path is None
            else {"path": str(path)}
        )
        found = {"rows": len(result), "regimes": summary, **written, "notes": options.notes}
        print_json(found, indent=None if path is None else 2)
        return
    rows = [
        [
            f"{entry['regime']} {entry['name']}",
            str(entry["bars"]),
            str(entry["spells"]),
            entry["last"],
        ]
        for entry in summary
    ]
    print(text_table(["regime", model.contract.units, "spells", "last seen"], rows))
    print(f"\n{path}: {len(result)} rows")


def _summary(regime: Any, names: list[str], instruments: Any) -> list[dict[str, Any]]:
    """Count bars and spells of each regime of a labelled table, perhaps of many instruments."""
    breaks = None
    if instruments is not None:
        order = instruments.astype(str).argsort(kind="stable").to_numpy()
        regime, sorted_names = regime.iloc[order], instruments.iloc[order]
        breaks = (sorted_names != sorted_names.shift()).to_numpy()
    labels = numbers_of(regime)
    spells = spells_of(labels, breaks)
    return [
        {
            "regime": number,
            "name": name,
            "bars": int((labels == number).sum()),
            "spells": int((spells.regime == number).sum()),
            "last": when(regime.index[labels == number].max()) if number in labels else "never",
        }
        for number, name in enumerate(names)
    ]


def _labelled_columns(result: Any) -> dict[str, list[Any]]:
    """Return a labelled table as one list per column; null where a bar has no label."""
    times = [time if isinstance(time, tuple) else (time,) for time in result.index]
    columns: dict[str, list[Any]] = {"time": [" ".join(map(when, time)) for time in times]}
    for name in result.columns:
        if result[name].dtype.kind not in "fiub":
            texts, known = result[name].astype(str).tolist(), result[name].notna().tolist()
            columns[name] = [
                text if is_there else None for text, is_there in zip(texts, known, strict=True)
            ]
            continue
        values = result[name].astype(float).tolist()
        read = {"regime": int, "novel": bool}.get(name, _rounded)
        columns[name] = [None if math.isnan(value) else read(value) for value in values]
    return columns


def _rounded(value: float) -> float:
    return round(value, 6)
