"""Regime metadata, which a strategy reads once, before the rows of the decision table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regimetry.analysis.alarms import Alarms
from regimetry.analysis.analyse import Analysis
from regimetry.analysis.conditional import ConditionalStatistics
from regimetry.analysis.performance import Performance
from regimetry.analysis.plain import plain
from regimetry.contract import ModelContract

METADATA_VERSION = 1


def regime_metadata(
    contract: ModelContract,
    analysis: Analysis,
    *,
    data: Mapping[str, Any],
    performances: Mapping[str, Performance] | None = None,
    columns: Mapping[str, ConditionalStatistics] | None = None,
    alarms: Alarms | None = None,
) -> dict[str, Any]:
    """Put model, regimes and statistics together as plain data.

    Parameters
    ----------
    contract : ModelContract
    analysis : Analysis
        Of the model's labels. It looks at all of its bars, so that metadata are knowledge of the
        day on which the data end.
    data : mapping
        Where the bars come from: file, rows, start, end.
    performances : mapping of str to Performance, or None
        By timing, "same" and "next".
    columns : mapping of str to ConditionalStatistics, or None
    alarms : Alarms or None

    Returns
    -------
    dict
        For JSON: ``None`` where a number is NaN or infinite.
    """
    whole = analysis.to_dict()
    dwell, geometric = whole["dwell"], whole["geometric"]
    regimes = [
        {
            "number": number,
            "name": regime.name,
            "training_share": regime.share,
            "share": whole["share"][number],
            "long_run": whole["long_run"][number],
            "entropy": whole["entropy"][number],
            "dwell": {name: values[number] for name, values in dwell.items()},
            "geometric": {name: values[number] for name, values in geometric.items()},
            "performance": {
                timing: _of_regime(plain(result), number)
                for timing, result in (performances or {}).items()
            },
            "columns": {
                name: _of_regime(plain(result), number) for name, result in (columns or {}).items()
            },
        }
        for number, regime in enumerate(contract.regimes)
    ]
    return {
        "metadata_version": METADATA_VERSION,
        "model": {
            "fingerprint": contract.training.fingerprint,
            "n_regimes": contract.n_regimes,
            "window_size": contract.window_size,
            "columns": list(contract.schema.names),
            "unit": contract.unit,
            "jump_penalty": contract.jump_penalty,
            "transition_matrix": plain(contract.transition_matrix),
        },
        "data": plain(data),
        "regimes": regimes,
        "alarms": None if alarms is None else alarms.to_dict(),
        "analysis": whole,
    }


def _of_regime(result: dict[str, Any], number: int) -> dict[str, Any]:
    """Take one regime's entries; what is no array of regimes belongs to all."""
    return {
        name: value[number] if isinstance(value, list) and name != "levels" else value
        for name, value in result.items()
    }
