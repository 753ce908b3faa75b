"""``regimetry doctor``: what this machine has for running models, and what is wrong."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from regimetry.check.doctor import diagnose
from regimetry.cli.output import show
from regimetry.cli.verb import Verb, argument
from regimetry.contract import ALL_OUTPUTS
from regimetry.errors import RegimetryError

VERB = Verb(
    help="look for what is wrong with the installation",
    description="Show versions, devices, CPU features and thread limits; start every execution "
    "provider; load a model and replay its golden file. "
    "The exit code is 1 if something is broken.",
    examples=["regimetry doctor", "regimetry doctor spx.onnx --json"],
    arguments=[argument("model", type=Path, nargs="?", help="model file to test (.onnx)")],
)


def run(options: argparse.Namespace) -> None:
    """Diagnose and print."""
    report = diagnose(options.model)
    lines = [*_machine(report), *_model(report.get("model"))]
    show(options, report, "\n".join(f"{name:<27}{text}" for name, text in lines))
    if report["problems"]:
        raise RegimetryError(" ".join(report["problems"]))


def _machine(report: dict[str, Any]) -> list[tuple[str, str]]:
    cpu, threads = report["cpu"], report["threads"]
    limits = ", ".join(f"{count} by {source}" for source, count in threads["limits"].items())
    distributions = report["onnxruntime"] or {"onnxruntime": "not installed"}
    return [
        *report["versions"].items(),
        *distributions.items(),
        ("extension", "works" if report["extension"] else "broken"),
        ("cpu", " ".join([cpu["machine"], *cpu["extensions"]])),
        ("threads", f"{threads['used']} ({limits})"),
        *(
            (name, "starts" if found["starts"] else f"does not start: {found['reason']}")
            for name, found in report["providers"].items()
        ),
    ]


def _model(model: dict[str, Any] | None) -> list[tuple[str, str]]:
    if model is None:
        return []
    seal = "whole" if model["sealed"] else "none, as in files of earlier formats"
    lines = [
        ("model", f"{model['file']}, on {model['provider']}"),
        ("SHA-256", model["sha256"]),
        ("seal", seal),
    ]
    measured = model.get("golden", {}).get("report") or {}
    for output in ALL_OUTPUTS:
        if output.name not in measured:
            continue
        difference = measured[output.name]
        off = "no number" if difference is None else f"off by {difference:g}"
        lines.append((f"golden {output.name}", f"{off}, {output.tolerance:g} allowed"))
    return lines
