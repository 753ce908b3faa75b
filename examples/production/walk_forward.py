"""A regime filter on an index, tested as it would have been traded: refit, label, act a bar later.

    python examples/production/walk_forward.py spx.csv

Every refit sees closed bars only, every label comes from the model that was in force on that day,
and a position decided at one close is traded at the next. `regimetry sample sp500 -o spx.csv`
writes the data. Needs the extras `fit` and `frames`. It shows how to test without look-ahead; it
is not advice, and the figures are those of one index.
"""

from __future__ import annotations

import argparse

import pandas as pd

import regimetry as rg
from regimetry.backtest import walk_forward


def main() -> None:
    """Compare the filter with holding the index, after costs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--train", type=int, default=1500, help="bars that each fit sees")
    parser.add_argument("--refit", type=int, default=500, help="bars between refits")
    options = parser.parse_args()

    frame = pd.read_csv(options.data, index_col="date", parse_dates=True)
    detector = rg.RegimeDetector(n_regimes=3, random_state=0)
    walk = walk_forward(frame, detector, train=options.train, refit=options.refit, cost=5.0)
    summary = walk.summary
    for name, one in (("index", summary.hold), ("filter", summary.rule)):
        print(
            f"{name:7s} return {one.annual_return:6.1%} a year  volatility {one.volatility:5.1%}  "
            f"Sharpe {one.sharpe:5.2f}  drawdown {one.drawdown:5.1%}  turnover {one.turnover:4.1f}"
        )
    print(f"{summary.bars} bars, {summary.refits} fits, regimes {', '.join(walk.names)}")


if __name__ == "__main__":
    main()
