"""What a walk gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from regimetry.backtest.options import WalkForwardOptions
from regimetry.backtest.summary import Summary, log_scores, stability, traded

if TYPE_CHECKING:
    import pandas as pd

    from regimetry.backtest.names import Named


@dataclass(frozen=True)
class Backtest:
    """A walk, bar by bar and refit by refit.

    Attributes
    ----------
    frame : pandas.DataFrame
        A row for each bar behind the first training window, in rising time: with ``by`` the
        instrument under its name; ``refit``, the number of the model in force, whose training ends
        before the bar; ``return``, simple; ``regime``, the number of a name, missing where there is
        no label, and its ``probability``, which know the bar; ``position`` held during the bar,
        decided ``1 + delay`` bars before, and how far it was ``moved`` for it; its ``gain`` after
        costs; ``log_score`` of the return given earlier bars, and those of two rivals, ``one_t``
        and ``ewma_t``, in nats. The first ``1 + delay`` bars have no position.
    regimes : pandas.DataFrame
        A row for each regime of a refit: its share of the training bars, mean and deviation of the
        simple return of the bar after, and the position that the rule takes in it.
    refits : pandas.DataFrame
        A row for each refit: first bar that it was fitted on, first that it labels, number of
        regimes, window size, share of bars that kept their name, regimes born, seconds.
    names : tuple of str
        Of the regimes of all refits, in the order in which they came.
    options : WalkForwardOptions
    by : str or None
        Column of ``frame`` that names the instrument.
    named : tuple of Named
        How each refit's names came about.
    """

    frame: pd.DataFrame
    regimes: pd.DataFrame
    refits: pd.DataFrame
    names: tuple[str, ...]
    options: WalkForwardOptions
    by: str | None
    named: tuple[Named, ...]

    def regime_names(self) -> pd.Series:
        """Return the name of every bar's regime, missing where there is no label."""
        return self.frame["regime"].map(dict(enumerate(self.names)))

    @cached_property
    def equity(self) -> pd.DataFrame:
        """What one capital would have done, a row a time that has a position.

        ``gain`` and ``hold``, mean over the instruments of what the rule and holding earned;
        ``moved``, mean change of position; ``wealth`` and ``held``, both compounded from 1;
        ``drawdown`` of the former; ``regime`` that most instruments are in.
        """
        import pandas as pd

        frame = self.frame[self.frame["gain"].notna()]
        frame = frame.assign(hold=frame["return"])
        groups = frame.groupby(level=0, sort=True)
        found = groups[["gain", "hold", "moved"]].mean()
        wealth = (1.0 + found["gain"]).cumprod()
        high = np.maximum(wealth.cummax(), 1.0)
        return found.assign(
            wealth=wealth,
            held=(1.0 + found["hold"]).cumprod(),
            drawdown=1.0 - wealth / high,
            regime=pd.crosstab(frame.index, frame["regime"]).idxmax(axis=1),
        )

    @cached_property
    def summary(self) -> Summary:
        """The walk in a few figures."""
        labelled = self.frame["regime"].dropna().astype(np.int64)
        counts = np.bincount(labelled, minlength=len(self.names))
        found, year = self.equity, self.options.bars_per_year
        still = np.zeros(len(found))
        shares = (counts / max(1, counts.sum())).tolist()
        return Summary(
            bars=int(counts.sum()),
            refits=len(self.refits),
            instruments=1 if self.by is None else self.frame[self.by].nunique(),
            rule=traded(found["gain"].to_numpy(), found["moved"].to_numpy(), year),
            hold=traded(found["hold"].to_numpy(), still, year),
            share=dict(zip(self.names, shares, strict=True)),
            stability=stability(self.named),
            log_score=log_scores(self.frame),
        )
