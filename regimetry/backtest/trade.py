"""From what the refits say to positions and gains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Floats
from regimetry.backtest.bars import Bars
from regimetry.backtest.density import LEAST
from regimetry.backtest.names import Named
from regimetry.backtest.options import WalkForwardOptions
from regimetry.backtest.refit import SCORES, Refit
from regimetry.backtest.rule import Rule, means_of, positions_of
from regimetry.runtime.labelling import MISSING

if TYPE_CHECKING:
    import pandas as pd


class Step(NamedTuple):
    """One refit of a walk: its rows, the time from which on it labels, what it says, its names."""

    bars: Bars
    begin: int
    refit: Refit
    named: Named


@dataclass(frozen=True)
class Told:
    """What the refits say of T rows, each of the rows behind its training.

    Attributes
    ----------
    refit, regime : ndarray of int64, shape (T,)
        -1 in the first training window, and where there is no label. The regime is the number of
        a name.
    probability, wanted : ndarray of float64, shape (T,)
        Of the regime, and the position in it; NaN without a label.
    scores : ndarray of float64, shape (T, 3)
    regimes, refits : pandas.DataFrame
        As of :class:`~regimetry.backtest.Backtest`.
    """

    refit: NDArray[np.int64]
    regime: NDArray[np.int64]
    probability: Floats
    wanted: Floats
    scores: Floats
    regimes: pd.DataFrame
    refits: pd.DataFrame


def told(bars: Bars, steps: Sequence[Step], names: Sequence[str], rule: Rule | None) -> Told:
    """Put together what every refit says of the bars after its training.

    Parameters
    ----------
    bars : Bars
        T rows.
    steps : sequence of Step
    names : sequence of str
        Of the regimes of all refits.
    rule : mapping of str to float, or None
    """
    import pandas as pd

    rows = len(bars.time)
    refit_of, regime = (np.full(rows, MISSING, np.int64) for _ in range(2))
    probability, wanted = (np.full(rows, np.nan) for _ in range(2))
    scores = np.full((rows, len(SCORES)), np.nan)
    regimes: list[dict[str, Any]] = []
    walked: list[dict[str, Any]] = []
    when = dict(zip(bars.time.tolist(), bars.labels(), strict=True))
    for number, step in enumerate(steps):
        part, refit, own_names = step.bars, step.refit, step.named.names
        common = {"refit": number, "begins": when[step.begin]}
        described = _described(step, rule)
        regimes += [{**common, **row} for row in described]
        walked.append({**common, **_walked(step, when[int(part.time.min())])})
        after = part.time >= step.begin
        places, labels = part.row[after], refit.labels[after]
        has = labels >= 0
        refit_of[places], scores[places] = number, refit.scores[after]
        at, own = places[has], labels[has]
        regime[at] = np.array([names.index(name) for name in own_names])[own]
        probability[at] = refit.probability[after][has, own]
        wanted[at] = np.array([row["position"] for row in described])[own]
    return Told(
        refit_of, regime, probability, wanted, scores, pd.DataFrame(regimes), pd.DataFrame(walked)
    )


def _described(step: Step, rule: Rule | None) -> list[dict[str, Any]]:
    """Describe each regime of a refit by its training bars and the returns that followed them."""
    known, names = step.bars.time < step.begin, step.named.names
    labels = step.refit.labels[known]
    # Nothing follows the last bar of training that training knows.
    following = step.bars.within(0, step.begin).next_returns()
    means = means_of(labels, following, len(names), LEAST)
    positions = positions_of(rule, names, means)
    present = max(1, int((labels >= 0).sum()))
    rows = []
    for regime, name in enumerate(names):
        own = following[(labels == regime) & np.isfinite(following)]
        rows.append(
            {
                "regime": name,
                "share": float((labels == regime).sum() / present),
                "mean": float(means[regime]),
                "deviation": float(own.std()) if len(own) > 1 else np.nan,
                "position": float(positions[regime]),
            }
        )
    return rows


def _walked(step: Step, trained_from: Any) -> dict[str, Any]:
    return {
        "trained_from": trained_from,
        "regimes": len(step.named.names),
        "window_size": step.refit.window_size,
        "kept": step.named.kept,
        "born": step.named.born,
        "seconds": step.refit.seconds,
    }


def traded_frame(bars: Bars, told: Told, options: WalkForwardOptions) -> pd.DataFrame:
    """Trade what the refits want, late and at a cost; a row a bar in rising time."""
    import pandas as pd

    wanted = pd.Series(told.wanted).groupby(bars.instrument).ffill().to_numpy()
    position = bars.earlier(wanted, 1 + options.delay)
    before = bars.earlier(position)
    moved = np.where(np.isnan(before), 0.0, np.abs(position - before))
    gain = position * bars.returns - options.cost * 1e-4 * moved
    columns: dict[str, Any] = {} if bars.by is None else {bars.by: bars.frame[bars.by].to_numpy()}
    regime = pd.Series(told.regime, dtype="Int64")
    columns |= {
        "refit": told.refit,
        "return": bars.returns,
        "regime": regime.mask(regime < 0).array,
        "probability": told.probability,
        "position": position,
        "moved": np.where(np.isnan(position), np.nan, moved),
        "gain": gain,
        **dict(zip(SCORES, told.scores.T, strict=True)),
    }
    found = pd.DataFrame(columns, index=pd.Index(bars.labels(), name=bars.frame.index.name))
    order = np.lexsort([bars.instrument, bars.time])
    return found.iloc[order[told.refit[order] >= 0]]
