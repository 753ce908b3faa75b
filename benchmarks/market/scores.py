"""What a method's answers over a whole walk are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from benchmarks.market.answer import Answer, Density, Floats
from benchmarks.market.series import bars_of, options_of
from benchmarks.market.unit import Unit
from regimetry.backtest.names import named
from regimetry.backtest.refit import SCORES, Refit
from regimetry.backtest.result import Backtest
from regimetry.backtest.summary import Traded
from regimetry.backtest.trade import Step, told, traded_frame


@dataclass(frozen=True)
class Walked:
    """A method over one market.

    Attributes
    ----------
    densities : dict of str to Density
        Of the bars behind the first training window, by kind.
    rule, hold : Traded or None
        The package's default rule on the labels; ``None`` without regimes.
    ratio : float
        Mean absolute return of the bar after a label that the rule leaves, over that of others.
    out : float
        Share of bars with such a label.
    seconds : float
        Mean of the fits.
    """

    densities: dict[str, Density]
    rule: Traded | None
    hold: Traded | None
    ratio: float
    out: float
    seconds: float


def walked(units: Sequence[Unit], answers: Sequence[Answer], seconds: Sequence[float]) -> Walked:
    """Put the answers of a method's fits together."""
    bars = bars_of(units[0].market)
    assert bars is not None
    parts = [bars.within(unit.first, unit.end) for unit in units]
    after = [part.time >= unit.begin for part, unit in zip(parts, units, strict=True)]
    densities = {}
    for kind in answers[0].densities:
        found = [answer.densities[kind] for answer in answers]
        densities[kind] = Density(
            np.concatenate([one.log[rows] for one, rows in zip(found, after, strict=True)]),
            np.concatenate([one.below[rows] for one, rows in zip(found, after, strict=True)]),
        )
    mean = float(np.mean(seconds))
    if max(answer.probability.shape[1] for answer in answers) == 1:
        return Walked(densities, None, None, np.nan, np.nan, mean)
    refits = [_refit(answer) for answer in answers]
    names = named(refits, [part.row for part in parts])
    known = tuple(dict.fromkeys(name for one in names for name in one.names))
    steps = list(map(Step, parts, [unit.begin for unit in units], refits, names))
    options = options_of(units[0].market)
    tables = told(bars, steps, known, None)
    frame = traded_frame(bars, tables, options)
    walk = Backtest(frame, tables.regimes, tables.refits, known, options, None, tuple(names))
    following = np.abs(bars.next_returns())
    left, held = tables.wanted == 0.0, tables.wanted == 1.0
    ratio = np.nanmean(following[left]) / np.nanmean(following[held]) if left.any() else np.nan
    share = float(left.sum() / max(1, left.sum() + held.sum()))
    return Walked(densities, walk.summary.rule, walk.summary.hold, float(ratio), share, mean)


def _refit(answer: Answer) -> Refit:
    rows, count = answer.probability.shape
    names = np.array([f"regime_{k}" for k in range(count)])
    nothing = np.full((rows, len(SCORES)), np.nan)
    return Refit(answer.labels, answer.probability, nothing, names, 0, 0.0)


def hits(density: Density, level: float) -> float:
    """Return the share of bars whose return lies below a predictive quantile; NaN without one."""
    known = density.below[np.isfinite(density.below)]
    return float(np.mean(known < level)) if len(known) else np.nan


def diebold_mariano(ours: Floats, theirs: Floats) -> tuple[float, float, float]:
    """Compare two series of log scores (Diebold, Mariano 1995).

    Returns
    -------
    difference, z, p : float
        Mean of ``ours - theirs``; over its deviation by Bartlett's kernel with the bandwidth of
        Newey and West (1994), as arch computes it; two-sided.
    """
    from arch.covariance.kernel import Bartlett

    apart = ours - theirs
    apart = apart[np.isfinite(apart)]
    variance = float(np.squeeze(Bartlett(apart).cov.long_run)) / len(apart)
    z = float(apart.mean() / np.sqrt(variance)) if variance > 0 else 0.0
    return float(apart.mean()), z, float(2 * norm.sf(abs(z)))
