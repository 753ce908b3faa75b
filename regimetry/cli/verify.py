"""``regimetry verify``: the golden windows again, through every runtime."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regimetry.cli.arguments import add_json

if TYPE_CHECKING:
    from regimetry.check.verify import Replay, Verification


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "verify",
        help="replay a model's golden windows through every runtime",
        description="Replay the golden windows beside a model through every runtime that is "
        "installed, and through Keras where its weights are at hand. Print the largest difference "
        "of each output from what the fit gave (embedding and novelty relative to their largest "
        "entry), and whether regimes and causal labels agree. Exit with 1 if one fails.",
        examples=[
            "regimetry verify spx.onnx",
            "regimetry verify spx.onnx --runtime onnxruntime openvino --json",
        ],
    )
    parser.add_argument("model", type=Path, help="model file (.onnx)")
    parser.add_argument(
        "--golden", type=Path, metavar="FILE", help="default: MODEL.golden.json beside the model"
    )
    parser.add_argument(
        "--keras",
        type=Path,
        metavar="FILE",
        help="the Keras encoder (default: MODEL.keras beside the model, if it is there)",
    )
    parser.add_argument(
        "--runtime",
        nargs="+",
        metavar="NAME",
        help="onnxruntime, reference, openvino, keras (default: all that can be used)",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Replay and print; raise if anything fails."""
    from regimetry.check.verify import KERAS, verify
    from regimetry.cli.output import print_json, text_table
    from regimetry.encoder.quiet import import_tensorflow_quietly
    from regimetry.errors import ExportParityError

    keras_is_asked = options.keras or (options.runtime and KERAS in options.runtime)
    if keras_is_asked or options.model.with_suffix(".keras").is_file():
        import_tensorflow_quietly()
    found = verify(
        options.model, golden=options.golden, keras=options.keras, runtimes=options.runtime
    )
    if options.json:
        print_json(_plain(found))
    else:
        header = ["runtime", "embedding", "distance", "novelty", "regimes", "causal labels", ""]
        ran = [replay for replay in found.replays if replay.skipped is None]
        print(text_table(header, [_row(replay, found) for replay in ran]))
        for replay in found.replays:
            if replay.skipped is not None:
                print(f"{replay.runtime} was not run; {replay.skipped}")
        print(f"\n{found.model}: {found.windows} windows of {found.golden}, {found.precision}")
    if found.failures:
        reasons = "; ".join(f"{replay.runtime}: {replay.failure}" for replay in found.failures)
        raise ExportParityError(
            f"{found.model} fails: {reasons}. Copy the model and its golden file again, or fit "
            "and save again."
        )


def _row(replay: Replay, found: Verification) -> list[str]:
    name = f"{replay.runtime} {replay.version}" if replay.version else replay.runtime
    verdict = "fails" if replay.failure else "agrees"
    report = replay.report
    if report is None:
        return [name, *[""] * 5, verdict]
    numbers = [report.embedding, report.distance, report.novelty]
    cells = ["" if value is None else f"{value:.1e}" for value in numbers]
    if report.regimes is None or report.ties is None or replay.labels is None:
        return [name, *cells, "", "", verdict]
    same = found.windows - report.regimes - report.ties
    labels = found.consecutive - replay.labels
    return [
        name,
        *cells,
        f"{same} of {found.windows}",
        f"{labels} of {found.consecutive}",
        verdict,
    ]


def _plain(found: Verification) -> dict[str, Any]:
    replays = [
        {**vars(replay), "report": None if replay.report is None else replay.report.to_dict()}
        for replay in found.replays
    ]
    return {
        **vars(found),
        "model": str(found.model),
        "golden": str(found.golden),
        "replays": replays,
        "passed": not found.failures,
    }
