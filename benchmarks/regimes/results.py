"""Results of units as one table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.regimes.unit import Unit

SCORES = ("ari", "bac", "delay", "missed")


def read_results(units: Sequence[Unit], folder: Path) -> pd.DataFrame:
    """Read the results of units that have one.

    Returns
    -------
    pandas.DataFrame
        A row for each task of a unit: method, problem, seed, chosen, task, n_regimes,
        true_n_regimes, seconds, ari, bac, delay, missed, nmi; missing values are NaN. Units
        without a task have the task ``count``, ``published`` or ``recording``.
    """
    rows = []
    for unit in units:
        path = folder / unit.path
        if not path.exists():
            continue
        result = json.loads(path.read_text())
        common = {
            "method": unit.method,
            "problem": unit.problem,
            "seed": unit.seed,
            "chosen": unit.chosen,
            **{name: result[name] for name in ("n_regimes", "true_n_regimes", "seconds")},
        }
        if "scores" in result:
            rows.extend({**common, "task": task, **s} for task, s in result["scores"].items())
        elif "published" in result:
            rows.append({**common, "task": "published", "bac": result["published"]})
        elif "ari" in result:
            scores = {"ari": result["ari"], "nmi": result["nmi"]}
            rows.append({**common, "task": "recording", **scores})
        else:
            rows.append({**common, "task": "count"})
    columns = ["method", "problem", "seed", "chosen", "task", "n_regimes", "true_n_regimes"]
    return pd.DataFrame(rows).reindex(columns=[*columns, "seconds", *SCORES, "nmi"])
