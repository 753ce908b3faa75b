"""``regimetry forecast``: the density of the next bars after a table's last one."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from regimetry.cli.arguments import MODEL_AND_DATA, READING
from regimetry.cli.labelled_table import opened
from regimetry.cli.output import show, text_table
from regimetry.cli.verb import Verb, argument
from regimetry.series.file_options import FileOptions
from regimetry.series.table_files import read_table


def _levels(text: str) -> list[float]:
    return [float(part) for part in text.split(",") if part.strip()]


VERB = Verb(
    help="say what the next bars may be",
    description="Give the density of the bars after the last one of a table: mean, deviation, "
    "probability of each regime, quantiles. Of a price that the model differences in logarithms, "
    "these are of its log return from bar to bar. Quantiles of the next bar are exact where the "
    "density has one column; others come from 20 000 seeded draws.",
    examples=[
        "regimetry forecast spx.onnx spx.csv",
        "regimetry forecast spx.onnx spx.csv --horizon 5 --quantiles 0.01,0.05 --json",
    ],
    arguments=[
        *MODEL_AND_DATA,
        argument(
            "--horizon", type=int, default=1, metavar="H", help="bars ahead (default: %(default)s)"
        ),
        argument(
            "--quantiles",
            type=_levels,
            default=[0.01, 0.05, 0.5, 0.95],
            metavar="P,...",
            help="probabilities, between 0 and 1 (default: 0.01,0.05,0.5,0.95)",
        ),
        argument("--seed", type=int, default=0, help="of the draws (default: %(default)s)"),
        READING,
    ],
)


def run(options: argparse.Namespace) -> None:
    """Print a table of the next bars."""
    model = opened(options)
    read = read_table(
        options.data, FileOptions.of(options, model.rules.repeated), by=model.contract.by
    )
    rows = read.frame.reset_index(drop=read.came is None)
    ahead = model.forecast(rows, options.horizon, random_state=options.seed)
    names = [regime.name for regime in model.contract.regimes]
    steps: list[dict[str, Any]] = []
    for step in range(1, ahead.horizon + 1):
        found = np.atleast_2d(ahead.quantile(options.quantiles, step=step))
        steps.append(
            {
                "step": step,
                "probability": dict(
                    zip(names, ahead.probability[step - 1].round(6).tolist(), strict=True)
                ),
                "columns": {
                    column: {
                        "read_as": ahead.transforms[place],
                        "mean": float(ahead.mean[step - 1, place]),
                        "deviation": float(ahead.deviation[step - 1, place]),
                        "quantiles": {
                            f"{level:g}": float(value)
                            for level, value in zip(options.quantiles, found[:, place], strict=True)
                        },
                    }
                    for place, column in enumerate(ahead.columns)
                },
            }
        )
    show(options, {"steps": steps}, f"{_moments(steps)}\n\n{_regimes(steps, names)}")


def _moments(steps: list[dict[str, Any]]) -> str:
    header = ["bars ahead", "column", "read as", "mean", "deviation"]
    header += list(next(iter(steps[0]["columns"].values()))["quantiles"])
    rows = [
        [
            str(step["step"]),
            column,
            entry["read_as"].replace("_", " "),
            *(
                f"{value:.4g}"
                for value in (entry["mean"], entry["deviation"], *entry["quantiles"].values())
            ),
        ]
        for step in steps
        for column, entry in step["columns"].items()
    ]
    return text_table(header, rows)


def _regimes(steps: list[dict[str, Any]], names: list[str]) -> str:
    rows = [
        [str(step["step"]), *(f"{step['probability'][name]:.3f}" for name in names)]
        for step in steps
    ]
    return text_table(["bars ahead", *names], rows)
