"""``regimetry inspect``: what a model file says about itself."""

from __future__ import annotations

import argparse
import textwrap
from importlib import util
from typing import TYPE_CHECKING

from regimetry.analysis.alarms import training_alarms
from regimetry.analysis.apart import apart
from regimetry.analysis.plain import as_text
from regimetry.check.reader import SourceFile, read_source
from regimetry.cli.arguments import MODEL
from regimetry.cli.emission_tables import emission_cards, emission_text
from regimetry.cli.output import choices_text, regime_lines, show, text_table
from regimetry.cli.verb import Verb, flag
from regimetry.contract import ModelContract
from regimetry.contract.wording import duration
from regimetry.series.rules import PLAIN

if TYPE_CHECKING:
    from regimetry.export.statistics import GraphStatistics

VERB = Verb(
    help="show a model file's contract and graph",
    description="Show what a model file says about itself. The figures of its graph need onnx; all "
    "else needs only onnxruntime.",
    examples=[
        "regimetry inspect spx.onnx",
        "regimetry inspect spx.onnx --emission",
        "regimetry inspect spx.onnx --json",
    ],
    arguments=[
        MODEL,
        flag("--emission", "show the density of bars in each regime, in the columns' own units"),
    ],
)


def run(options: argparse.Namespace) -> None:
    """Print the card."""
    file = read_source(options.model)
    contract, statistics = file.contract, _graph_statistics(file)
    data = {
        **contract.to_dict(),
        "format_version": int(file.format_version),
        "sha256": file.sha256,
        "sealed": file.sealed,
        "precision": file.precision,
        "form": file.input_name,
        "apart": apart(contract.regimes).to_dict(),
        "statistics": None if statistics is None else dict(vars(statistics)),
        "emission": [card.to_dict() for card in emission_cards(contract)],
    }
    if options.emission:
        show(options, data, emission_text(contract))
        return
    names = [regime.name for regime in contract.regimes]
    header = ["from \\ to", *names]
    matrix = [
        [name, *(f"{value:.4f}" for value in row)]
        for name, row in zip(names, contract.transition_matrix, strict=True)
    ]
    blocks = [
        _card(file),
        _features(contract),
        _configuration(contract),
        regime_lines(contract),
        _apart(contract),
        f"{text_table(header, matrix)}\n{choices_text(contract)}\n{_graph(file, statistics)}",
    ]
    show(options, data, "\n\n".join(blocks))


def _graph_statistics(file: SourceFile) -> GraphStatistics | None:
    if util.find_spec("onnx") is None or util.find_spec("onnx_ir") is None:
        return None
    from regimetry.export.statistics import graph_statistics

    return graph_statistics(file.graph())


def _card(file: SourceFile) -> str:
    contract, training = file.contract, file.contract.training
    span = f"{training.start} to {training.end}" if training.start else "no timestamps"
    made_of, features = [], training.features
    if features is not None:
        columns = ", ".join(features.columns.names)
        made_of = [f"features      ohlcv over {features.window} bars, made of {columns}"]
    rules, plain = vars(contract.reading), vars(PLAIN)
    changed = [f"{name} {rules[name]}" for name in rules if rules[name] != plain[name]]
    reading = [f"rows          {', '.join(changed)}"] if changed else []
    return "\n".join(
        [
            f"format        version {file.format_version}, {file.precision}, "
            f"reads {file.input_name!r}",
            f"SHA-256       {file.sha256}",
            f"seal          {'whole' if file.sealed else 'none, as in files of earlier formats'}",
            f"window        {contract.counted(contract.window_size)}, "
            f"{contract.counted(contract.window_rows)} read",
            f"embedding     {contract.embedding_size} numbers",
            *made_of,
            *reading,
            f"trained on    {contract.counted(training.rows)}, {span}, seed {training.seed}",
            *_pace(contract),
            f"fingerprint   {training.fingerprint[:16]}",
            f"penalty       {contract.jump_penalty:g} causal, {contract.smooth_penalty:g} smooth",
            f"versions      {', '.join(f'{k} {v}' for k, v in training.versions.items())}",
        ]
    )


def _features(contract: ModelContract) -> str:
    rows = [
        [name, transform, f"{mean:.6g}", f"{1 / scale:.6g}", as_text(explained, ".1%")]
        for name, transform, mean, scale, explained in zip(
            contract.schema.feature_names,
            contract.transforms,
            contract.mean,
            contract.scale,
            apart(contract.regimes).explained.tolist(),
            strict=True,
        )
    ]
    return text_table(["feature", "transform", "mean", "deviation", "explained"], rows)


def _apart(contract: ModelContract) -> str:
    """Return what sets each regime apart from the others."""
    found, names = apart(contract.regimes), contract.schema.feature_names
    rows = [
        [f"{number} {regime.name}", found.words(number, names)]
        for number, regime in enumerate(contract.regimes)
    ]
    return text_table(["regime", "set apart by"], rows)


def _pace(contract: ModelContract) -> list[str]:
    """Return how far rows lie apart in time, and how often training flagged novelty."""
    training, lines = contract.training, []
    if training.step is not None:
        lines.append(f"step          {duration(training.step)}, the median")
    if (alarms := training_alarms(contract)) is not None:
        lines.append(f"novelty       {alarms.words(contract.unit)}, in sample")
    return lines


def _configuration(contract: ModelContract) -> str:
    """Return what the fit was asked for; regimetry config --from gives it as a file."""
    lines = []
    for name, value in contract.training.configuration.items():
        if isinstance(value, dict):
            value = ", ".join(f"{inner} {text}" for inner, text in value.items())  # noqa: PLW2901
        elif isinstance(value, list):
            value = ", ".join(map(str, value)) or "none"  # noqa: PLW2901
        lines.append(f"{name:<15} {value}")
    return "\n".join(textwrap.fill(line, 100, subsequent_indent=" " * 16) for line in lines)


def _graph(file: SourceFile, statistics: GraphStatistics | None) -> str:
    if statistics is None:
        return (
            f"graph         {len(file.content):,} bytes; onnx is not installed, which reads the "
            "rest: pip install 'regimetry[fit]'"
        )
    work = statistics.multiply_accumulates
    operators = ", ".join(f"{count} {name}" for name, count in statistics.operators.items())
    domains = ", ".join(name or "ai.onnx" for name in statistics.domains)
    return "\n".join(
        [
            f"graph         {statistics.nodes} nodes, {statistics.parameters:,} parameters, "
            f"{statistics.bytes:,} bytes",
            f"work          {'unknown' if work is None else f'{work:,}'} multiply-accumulates "
            "per window",
            f"opset         {statistics.opset}, IR version {statistics.ir_version}, domains "
            f"{domains}",
            f"operators     {operators}",
        ]
    )
