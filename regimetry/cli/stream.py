"""``regimetry stream``: bars on standard input, a regime for each on standard output, at once."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from regimetry.cli.arguments import CHANGES, DEVICE, MODEL, READING, TABLE
from regimetry.cli.bar_lines import Bar, CsvReader, JsonReader, Reader, decode, is_json, lines
from regimetry.cli.labelled_table import opened
from regimetry.cli.stopping import Stop, until_stopped
from regimetry.cli.verb import Verb, argument, flag
from regimetry.contract import ModelContract
from regimetry.errors import ConfigError, DataError
from regimetry.runtime import live_outputs
from regimetry.runtime.changes import NONE, ChangeRule, ChangesOfOne
from regimetry.runtime.labelling import MISSING
from regimetry.runtime.live_density import Outlook
from regimetry.runtime.live_reading import Absence
from regimetry.runtime.stream import Stream, Tick
from regimetry.series.file_options import FileOptions

MESSAGE_LENGTH = 300
"""Characters of an error; it may quote the line, which may be long."""

VERB = Verb(
    help="label rows as they arrive on standard input",
    description="Read one row per line and write one JSON line for each, flushed: regime, "
    "probability of each regime, novelty, novel; null until the first window is full. A value that "
    "is missing (an empty field, null) is dealt with as at the fit, and named under missing with "
    "its rows and since when. A line that "
    "cannot be read gives a line with an error and is left out. Times are dates as in a "
    "table, best in ISO 8601, or numbers.",
    examples=[
        "regimetry stream spx.onnx < bars.csv",
        "regimetry stream spx.onnx --format json --late skip < bars.jsonl",
        "regimetry stream spx.onnx --events --change-bars 5 < bars.csv",
    ],
    arguments=[
        MODEL,
        argument(
            "--format",
            choices=["auto", "csv", "json"],
            default="auto",
            help="CSV with a header, or one JSON object per line (default: by the first character)",
        ),
        *TABLE,
        argument(
            "--late",
            choices=["refuse", "skip"],
            default="refuse",
            help="answer to a row whose time does not rise: an error (refuse), or a line that says "
            "skipped (default: %(default)s)",
        ),
        argument(
            "--max-jump",
            type=float,
            metavar="SECONDS",
            help="treat a row as late if its time lies further behind the last one (in the unit of "
            "the times where they are numbers)",
        ),
        flag(
            "--density",
            "say the log density of each bar, whether it is surprising, and mean and deviation of "
            "the next bar",
        ),
        flag("--events", "write changes of regime alone, one line each, and errors"),
        CHANGES,
        READING,
        DEVICE,
    ],
    json="print errors as JSON; the answers are always JSON",
)


def run(options: argparse.Namespace) -> None:
    """Label until the input ends, a signal comes or the reader of the output goes."""
    try:
        until_stopped(lambda stop: _label_lines(options, stop))
    except BrokenPipeError:
        # Nobody reads on: that is a normal end. Python flushes at exit, and must not fail there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _label_lines(options: argparse.Namespace, stop: Stop) -> None:
    if sys.stdin is None:
        raise DataError("Standard input is closed; give it the rows.")
    model = opened(options, threads=1)
    outputs = (*live_outputs.DEFAULT, *((live_outputs.DENSITY,) if options.density else ()))
    stream = model.stream(late=options.late, max_jump=options.max_jump, outputs=outputs)
    schema = model.schema
    rule = ChangeRule(probability=options.change_probability, bars=options.change_bars)
    changes = ChangesOfOne(rule) if options.events else None
    reader: Reader | None = None
    given = FileOptions.of(options)
    if "\n".encode(given.encoding or "utf-8") != b"\n":
        raise ConfigError(
            f"The encoding is {given.encoding!r}, whose lines do not end in one byte; a stream "
            "needs UTF-8 or the like. Convert it (iconv does)."
        )
    for number, line in lines(sys.stdin.buffer):
        if reader is None:
            if options.format == "csv" or (options.format == "auto" and not is_json(line)):
                reader = CsvReader(decode(line, given.encoding), schema, given)
                continue
            reader = JsonReader(schema, given)
        with stop.working():
            try:
                bar = reader.bar(decode(line, given.encoding))
                answer = _answer(stream, bar, model.contract, changes)
            except DataError as error:
                answer = {"error": str(error)[:MESSAGE_LENGTH]}
            if answer is not None:
                sys.stdout.write(json.dumps({"line": number, **answer}, allow_nan=False) + "\n")
                sys.stdout.flush()


def _answer(
    stream: Stream, bar: Bar, contract: ModelContract, changes: ChangesOfOne | None
) -> dict[str, Any] | None:
    """Return what to write of a bar; with ``changes``, what is told of it, or nothing."""
    skipped = stream.skipped
    tick = stream.push(bar.row, timestamp=bar.timestamp)
    if changes is not None:
        found = None if tick is None else _change_fields(tick, contract, changes)
        return None if found is None else {"time": bar.time, **found}
    if stream.skipped > skipped:
        return {"time": bar.time, "skipped": "late"}
    return {"time": bar.time, **_tick_fields(tick)}


def _change_fields(
    tick: Tick, contract: ModelContract, changes: ChangesOfOne
) -> dict[str, Any] | None:
    if tick.regime == MISSING:
        return None
    found = changes.follow(tick.regime, tick.probability)
    if not len(found.row):
        return None
    before = found.before.item()
    return {
        "from": None if before == NONE else contract.regimes[before].name,
        "to": contract.regimes[tick.regime].name,
        "regime": tick.regime,
        "probability": found.probability.item(),
        "bars": found.bars.item(),
    }


def _tick_fields(tick: Tick | None) -> dict[str, Any]:
    lacks = {} if tick is None or tick.missing is None else {"missing": _missing(tick.missing)}
    if tick is None or tick.regime == MISSING:
        names = ("regime", "name", "probability", "novelty", "novel")
        return {**dict.fromkeys(names), **lacks}
    return {
        "regime": tick.regime,
        "name": tick.name,
        "probability": [_finite(value) for value in tick.probability.tolist()],
        "novelty": _finite(tick.novelty),
        "novel": tick.novel,
        **_outlook(tick.outlook),
        **lacks,
    }


def _outlook(outlook: Outlook | None) -> dict[str, Any]:
    """Say what the density says of the bar and of the next one, by column."""
    if outlook is None:
        return {}
    return {
        "log_score": _finite(outlook.log_score),
        "surprising": bool(outlook.surprising),
        "next": {
            name: {"mean": _finite(mean), "deviation": _finite(deviation)}
            for name, mean, deviation in zip(
                outlook.columns, outlook.mean.tolist(), outlook.deviation.tolist(), strict=True
            )
        },
    }


def _missing(absences: Mapping[str, Absence]) -> dict[str, Any]:
    """Say of each column that is missing for how many rows, and since when."""
    return {
        name: {
            "rows": one.rows,
            "since": str(one.since) if isinstance(one.since, np.datetime64) else one.since,
        }
        for name, one in absences.items()
    }


def _finite(value: float | None) -> float | None:
    """JSON has no word for NaN and infinity."""
    return value if value is not None and math.isfinite(value) else None
