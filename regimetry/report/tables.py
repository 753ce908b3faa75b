"""A report's tables, as text: the page and the Markdown file show the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.apart import apart
from regimetry.analysis.plain import as_text
from regimetry.contract import Candidate, ModelContract
from regimetry.contract.card import candidate_rows
from regimetry.contract.wording import duration
from regimetry.markup import MISSING, cell
from regimetry.report.data import ReportData
from regimetry.runtime.regime_card import cards
from regimetry.runtime.row_model import RowModel

number = partial(as_text, missing=MISSING)


@dataclass(frozen=True)
class Table:
    """Text in rows and columns.

    Attributes
    ----------
    header : tuple of str
    rows : sequence of tuple of str
    regimes : tuple of int
        The regime of each row; empty where rows are no regimes.
    marked : int or None
        Row that stands out.
    """

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    regimes: tuple[int, ...] = field(default=())
    marked: int | None = None


def regime_table(data: ReportData) -> Table:
    """Describe each regime: share, spells, dwell, and performance where there are prices."""
    dwell = data.analysis.dwell
    columns = {
        "share": _numbers(data.analysis.share, ".1%"),
        "spells": _numbers(dwell.spells, "d"),
        "mean dwell": _numbers(dwell.mean),
        "expected dwell": _numbers(dwell.expected),
    }
    if data.performances:
        same, after = data.performances["same"], data.performances["next"]
        columns |= {
            "return": _numbers(same.annual_return, ".1%"),
            "volatility": _numbers(same.volatility, ".1%"),
            "Sharpe": _numbers(same.sharpe, ".2f"),
            "hit rate": _numbers(same.hit_rate, ".1%"),
            "drawdown": _numbers(same.drawdown, ".1%"),
            f"next {data.contract.unit}: return": _numbers(after.annual_return, ".1%"),
            f"next {data.contract.unit}: Sharpe": _numbers(after.sharpe, ".2f"),
        }
    found, names = apart(data.contract.regimes), data.contract.schema.feature_names
    columns["set apart by, in training"] = [
        found.words(regime, names) for regime in range(data.contract.n_regimes)
    ]
    return _by_regime(data, columns)


def dwell_table(data: ReportData) -> Table:
    """Describe how long the spells of each regime were, in rows."""
    dwell = data.analysis.dwell
    limits = zip(_numbers(dwell.lower), _numbers(dwell.upper), strict=True)
    columns = {
        "spells": _numbers(dwell.spells, "d"),
        "seen whole": _numbers(dwell.complete, "d"),
        "mean": _numbers(dwell.mean),
        "median": _numbers(dwell.median, ".0f"),
        "longest": _numbers(dwell.longest, ".0f"),
        "expected": _numbers(dwell.expected),
        f"{data.analysis.transitions.level:.0%} interval": map(" to ".join, limits),
        "p, geometric": _numbers(data.analysis.geometric.p_value, ".3f"),
    }
    return _by_regime(data, columns)


def outlook_table(data: ReportData) -> Table:
    """Say how likely each regime is some bars after the last, by the shrunk matrix."""
    found = data.analysis
    columns = {
        f"in {data.contract.counted(h)}": _numbers(found.forecast[h - 1], ".1%") for h in (1, 5, 20)
    }
    return _by_regime(data, columns | {"long run": _numbers(found.long_run, ".1%")})


def _numbers(values: NDArray[Any], digits: str = ".1f") -> list[str]:
    return [number(value, digits) for value in values]


def _by_regime(data: ReportData, columns: Mapping[str, Iterable[str]]) -> Table:
    """Put columns together, one entry a regime; its name comes first."""
    rows = list(zip(data.regimes, *columns.values(), strict=True))
    return Table(("regime", *columns), rows, tuple(range(len(rows))))


def drift_tables(data: ReportData) -> tuple[Table, Table] | None:
    """Return the verdicts and the regimes' shares and dwell then and now; None if not computed."""
    if data.drift is None:
        return None
    drift = data.drift.drift
    header = ("line", "statistic", "95 % without drift", "p", "p, adjusted", "verdict")
    lines = [
        (
            line.name,
            *(
                number(v, ".3g")
                for v in (line.statistic, line.typical, line.p_value, line.adjusted)
            ),
            line.verdict,
        )
        for line in drift.lines
    ]
    columns = {
        "share before": _numbers(drift.training_share, ".1%"),
        "share now": _numbers(drift.recent_share, ".1%"),
        f"{data.contract.units} per exit before": _numbers(drift.training_dwell),
        f"{data.contract.units} per exit now": _numbers(drift.recent_dwell),
    }
    return Table(header, lines), _by_regime(data, columns)


def count_table(data: ReportData) -> Table | None:
    """Return how the number of regimes was chosen, one row per candidate; None if not recorded."""
    training, k = data.contract.training, data.contract.n_regimes
    if training.candidates:
        return _candidates(training.compared)
    values = np.asarray(training.eigenvalues, dtype=np.float64)
    if not len(values):
        return None
    gaps = -np.diff(values, append=np.nan)
    rows = [
        (str(i + 1), f"{value:.4f}", number(gap, ".4f"))
        for i, (value, gap) in enumerate(zip(values, gaps, strict=True))
    ]
    marked = k - 1 if k <= len(rows) else None
    return Table(("regimes", "eigenvalue", "gap to the next"), rows, marked=marked)


def _candidates(candidates: Sequence[Candidate]) -> Table:
    """Show every entry; the chosen one is marked."""
    header, values = candidate_rows(candidates)
    rows = [tuple(map(cell, row)) for row in values]
    chosen = [entry.chosen for entry in candidates]
    return Table(header, rows, marked=chosen.index(True) if any(chosen) else None)


def card_tables(data: ReportData) -> list[tuple[str, Table]]:
    """Return what the model file says about itself, titled."""
    contract, training = data.contract, data.contract.training
    facts = {
        "file": data.model_name,
        "regimes": contract.n_regimes,
        "window": contract.counted(contract.window_size),
        "embedding": f"{contract.embedding_size} numbers",
        "price of a change": f"{contract.jump_penalty:g}",
        "training rows": training.rows,
        "training windows": training.windows,
        "training begins": training.start,
        "training ends": training.end,
        "step": None if training.step is None else f"{duration(training.step)}, the median",
        "seed": training.seed,
        "training data, SHA-256": training.fingerprint,
        "contract, SHA-256": contract.fingerprint,
    }
    columns = Table(
        ("column", "read as", "mean", "deviation", "explained by the regimes"),
        [
            (
                name,
                transform.replace("_", " "),
                f"{mean:.4g}",
                f"{1 / scale:.4g}" if scale else "0",
                number(explained, ".1%"),
            )
            for name, transform, mean, scale, explained in zip(
                contract.schema.feature_names,
                contract.transforms,
                contract.mean,
                contract.scale,
                apart(contract.regimes).explained.tolist(),
                strict=True,
            )
        ],
    )
    tables = [("Model", _pairs(facts)), ("Columns", columns)]
    if contract.density is not None:
        tables.append(("What each regime says of what comes next", _emission(contract)))
    for title, mapping in (
        ("Configuration", training.configuration),
        ("Versions", training.versions),
    ):
        if mapping:
            tables.append((title, _pairs(_flat(mapping))))
    return tables


def _emission(contract: ModelContract) -> Table:
    """Return mean, its error and deviation of each column in each regime, and the tails."""
    rows = [
        (
            card.name if not place else "",
            column,
            f"{card.mean[place]:.4g}",
            f"{card.mean_error[place]:.2g}",
            f"{card.covariance[place, place] ** 0.5:.4g}",
            f"{card.degrees_of_freedom:.3g}" if not place else "",
        )
        for card in cards(RowModel.of_regimes(contract))
        for place, column in enumerate(card.columns)
    ]
    header = ("regime", "column", "mean", "standard error", "deviation", "degrees of freedom")
    return Table(header, rows)


def _pairs(facts: Mapping[str, Any]) -> Table:
    rows = [(name, cell(value)) for name, value in facts.items() if value not in (None, "")]
    return Table(("", ""), rows)


def _flat(facts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{name}."))
        elif value not in (None, [], ""):
            flat[prefix + name] = value
    return flat
