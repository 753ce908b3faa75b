"""``regimetry doctor``: what this machine has for running models, and what is wrong."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from regimetry.cli.arguments import add_json


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "doctor",
        help="look for what is wrong with the installation",
        description="Show versions, devices, CPU features and thread limits; start every execution "
        "provider; replay a model's golden file and time a tick and a batch, in at most ten "
        "seconds. The exit code is 1 if something is broken.",
        examples=["regimetry doctor", "regimetry doctor spx.onnx --json"],
    )
    parser.add_argument("model", type=Path, nargs="?", help="model file to test (.onnx)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Diagnose and print."""
    from regimetry.check.doctor import diagnose
    from regimetry.cli.output import print_json
    from regimetry.errors import RegimetryError

    report = diagnose(options.model)
    if options.json:
        print_json(report)
    else:
        _print(report)
    problems = report["problems"]
    if problems:
        raise RegimetryError(" ".join(problems))


def _print(report: dict[str, Any]) -> None:
    from regimetry.contract import OUTPUTS

    distributions = report["onnxruntime"] or {"onnxruntime": "not installed"}
    for name, version in {**report["versions"], **distributions}.items():
        _line(name, version)
    _line("extension", "works" if report["extension"] else "broken")
    cpu = report["cpu"]
    _line("cpu", " ".join([cpu["machine"], *cpu["extensions"]]))
    limits = ", ".join(
        f"{count} by {source}" for source, count in report["threads"]["limits"].items()
    )
    _line("threads", f"{report['threads']['used']} ({limits})")
    for name, found in report["providers"].items():
        _line(name, "starts" if found["starts"] else f"does not start: {found['reason']}")
    model = report.get("model")
    if model is None:
        return
    _line("model", f"{model['file']}, loaded in {model['load_ms']:.0f} ms on {model['provider']}")
    measured = model.get("golden", {}).get("report") or {}
    for output in OUTPUTS if measured else ():
        difference = measured[output.name]
        off = "no number" if difference is None else f"off by {difference:g}"
        _line(f"golden {output.name}", f"{off}, {output.tolerance:g} allowed")
    ticks = model["tick_ms"]
    quantiles = ", ".join(f"{name} {ticks[name]:.3f} ms" for name in ("p50", "p99", "p99.9"))
    _line("tick", f"{quantiles}, of {ticks['ticks']}")
    batch = model["batch"]
    _line(
        "batch",
        f"{batch['us_per_window']:.1f} microseconds per window, on {batch['threads']} threads",
    )


def _line(name: str, text: str) -> None:
    print(f"{name:<27}{text}")
