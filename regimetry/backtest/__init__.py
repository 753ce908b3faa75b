"""What regimes would have been worth: fitted on the past, told bar by bar, traded later, refitted.

Needs the extras ``fit`` and ``frames``.
"""

from regimetry.backtest.options import WalkForwardOptions
from regimetry.backtest.result import Backtest
from regimetry.backtest.summary import LogScores, Stability, Summary, Traded
from regimetry.backtest.walk import walk_forward

__all__ = [
    "Backtest",
    "LogScores",
    "Stability",
    "Summary",
    "Traded",
    "WalkForwardOptions",
    "walk_forward",
]
