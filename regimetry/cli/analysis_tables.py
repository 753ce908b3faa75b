"""What ``regimetry analyse`` prints for people."""

from __future__ import annotations

from typing import Any

import numpy as np

from regimetry.analysis import Analysis, ConditionalStatistics, Performance
from regimetry.analysis.plain import as_text
from regimetry.cli.output import text_table, when
from regimetry.contract import ModelContract


def analysis_text(
    contract: ModelContract,
    analysis: Analysis,
    performances: dict[str, Performance],
    columns: dict[str, ConditionalStatistics],
    index: Any,
) -> str:
    """Return the tables of ``regimetry analyse``, an empty line between them."""
    regimes = [f"{i} {regime.name}" for i, regime in enumerate(contract.regimes)]
    blocks = [_dwell_table(regimes, analysis), _matrix_table(regimes, analysis)]
    if performances:
        blocks.append(_performance_table(regimes, performances, contract))
    for name, statistics in columns.items():
        blocks.append(_column_table(regimes, name, statistics, contract))
    return "\n\n".join([*blocks, _outlook(regimes, analysis, index, contract)])


def _dwell_table(regimes: list[str], analysis: Analysis) -> str:
    dwell, interval = analysis.dwell, analysis.transitions.level
    header = ["regime", "share", "long run", "spells", "mean", "median", "longest", "expected"]
    header += [f"{interval:.0%} interval", "p, geometric", "entropy"]
    rows = [
        [
            regime,
            f"{analysis.share[i]:.1%}",
            f"{analysis.long_run[i]:.1%}",
            str(dwell.spells[i]),
            *(as_text(v[i]) for v in (dwell.mean, dwell.median, dwell.longest, dwell.expected)),
            f"{as_text(dwell.lower[i])} to {as_text(dwell.upper[i])}",
            as_text(analysis.geometric.p_value[i], ".3f"),
            as_text(analysis.entropy[i], ".3f"),
        ]
        for i, regime in enumerate(regimes)
    ]
    return text_table(header, rows)


def _matrix_table(regimes: list[str], analysis: Analysis) -> str:
    found = analysis.transitions
    rows = [
        [
            regime,
            *(
                f"{found.empirical[i, j]:.4f} ({found.lower[i, j]:.4f} to {found.upper[i, j]:.4f})"
                for j in range(len(regimes))
            ),
        ]
        for i, regime in enumerate(regimes)
    ]
    return text_table(["from \\ to", *regimes], rows)


def _performance_table(
    regimes: list[str], performances: dict[str, Performance], contract: ModelContract
) -> str:
    same, after = performances["same"], performances["next"]
    header = [
        "regime",
        contract.units,
        "spells",
        "return",
        "volatility",
        "Sharpe",
        "hits",
        "drawdown",
    ]
    header += ["in a spell", f"next {contract.unit}: return", "Sharpe"]
    rows = [
        [
            regime,
            str(same.bars[i]),
            str(same.spells[i]),
            as_text(same.annual_return[i], ".1%"),
            as_text(same.volatility[i], ".1%"),
            as_text(same.sharpe[i], ".2f"),
            as_text(same.hit_rate[i], ".1%"),
            as_text(same.drawdown[i], ".1%"),
            as_text(same.spell_drawdown[i], ".1%"),
            as_text(after.annual_return[i], ".1%"),
            as_text(after.sharpe[i], ".2f"),
        ]
        for i, regime in enumerate(regimes)
    ]
    return text_table(header, rows)


def _column_table(
    regimes: list[str], name: str, found: ConditionalStatistics, contract: ModelContract
) -> str:
    header = [
        name,
        contract.units,
        "mean",
        "deviation",
        *(f"{level:.0%}" for level in found.levels),
    ]
    rows = [
        [
            regime,
            str(found.count[i]),
            *(as_text(v, ".4g") for v in (found.mean[i], found.deviation[i], *found.quantiles[i])),
        ]
        for i, regime in enumerate(regimes)
    ]
    return text_table(header, rows)


def _outlook(regimes: list[str], analysis: Analysis, index: Any, contract: ModelContract) -> str:
    lines = [f"last regime   {regimes[analysis.last]}, {when(index[-1])}"]
    for horizon in (1, 5, 20):
        shares = zip(regimes, analysis.forecast[horizon - 1], strict=True)
        text = ", ".join(f"{regime} {share:.1%}" for regime, share in shares)
        lines.append(f"{f'in {contract.counted(horizon)}':<13} {text}")
    lines.append(f"spells        {analysis.geometric.words(regimes)}")
    lines.append(f"entropy rate  {analysis.entropy_rate:.3f} bits a {contract.unit}")
    strongest = analysis.changes
    lines.append(f"changes       {len(strongest.bar)}" + _strongest(regimes, analysis, index))
    if not analysis.is_irreducible:
        lines.append(
            "reducible     not every regime leads to every other here; the long run is from the "
            "last regime"
        )
    return "\n".join(lines)


def _strongest(regimes: list[str], analysis: Analysis, index: Any) -> str:

    changes = analysis.changes
    order = np.argsort(-changes.strength, kind="stable")[:3]
    if not len(order):
        return ""
    texts = (
        f"{when(index[changes.bar[i]])} to {regimes[changes.after[i]]} ({changes.strength[i]:.2f})"
        for i in order
    )
    return "; strongest: " + ", ".join(texts)
