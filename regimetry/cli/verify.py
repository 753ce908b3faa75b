"""``regimetry verify``: the golden windows again, through every runtime."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from regimetry.check.verify import Replay, Verification, verify
from regimetry.cli.arguments import MODEL
from regimetry.cli.output import show, text_table
from regimetry.cli.verb import Verb, argument
from regimetry.contract import ALL_OUTPUTS, OUTPUT_NAMES
from regimetry.errors import ExportParityError

VERB = Verb(
    help="replay a model's golden windows through every runtime",
    description="Replay the golden windows beside a model through every runtime that is installed, "
    "OpenVINO told to use float32, and through Keras where its weights are at hand. Print the "
    "largest difference of each output from what the fit gave (embedding and novelty relative to "
    "their largest entry), and whether regimes and causal labels agree. Exit with 1 if one fails.",
    examples=[
        "regimetry verify spx.onnx",
        "regimetry verify spx.onnx --runtime onnxruntime openvino --json",
    ],
    arguments=[
        MODEL,
        argument(
            "--golden",
            type=Path,
            metavar="FILE",
            help="default: MODEL.golden.json beside the model",
        ),
        argument(
            "--keras",
            type=Path,
            metavar="FILE",
            help="the Keras encoder (default: MODEL.keras beside the model, if it is there)",
        ),
        argument(
            "--runtime",
            nargs="+",
            metavar="NAME",
            help="onnxruntime, reference, openvino, keras (default: all that can be used)",
        ),
    ],
)


def run(options: argparse.Namespace) -> None:
    """Replay and print; raise if anything fails."""
    found = verify(
        options.model, golden=options.golden, keras=options.keras, runtimes=options.runtime
    )
    reports = [replay.report.differences for replay in found.replays if replay.report is not None]
    given = set(OUTPUT_NAMES).union(*reports)
    measured = [
        output.name for output in ALL_OUTPUTS if output.name in given and output.dtype.kind == "f"
    ]
    header = ["runtime", *measured, "regimes", "causal labels", ""]
    ran = [_shown(replay, found, measured) for replay in found.replays if replay.skipped is None]
    left_out = [
        f"{replay.runtime} was not run; {replay.skipped}"
        for replay in found.replays
        if replay.skipped is not None
    ]
    seal = "sealed" if found.sealed else "without a seal, since it is of an earlier format"
    closing = f"\n{found.model}: {found.windows} windows of {found.golden}; {seal}"
    show(options, found.to_dict(), "\n".join([text_table(header, ran), *left_out, closing]))
    if found.problem is not None:
        raise ExportParityError(found.problem)


def _shown(replay: Replay, found: Verification, measured: Sequence[str]) -> list[str]:
    name = f"{replay.runtime} {replay.version}" if replay.version else replay.runtime
    verdict = "fails" if replay.failure else "agrees"
    report = replay.report
    if report is None:
        return [name, *[""] * (len(measured) + 2), verdict]
    differences = report.differences
    cells = [f"{differences[output]:.1e}" if output in differences else "" for output in measured]
    counts = ["", ""]
    if "regime" in differences and replay.labels is not None:
        same = found.windows - int(differences["regime"]) - report.ties
        labels = found.consecutive - replay.labels
        counts = [f"{same} of {found.windows}", f"{labels} of {found.consecutive}"]
    return [name, *cells, *counts, verdict]
