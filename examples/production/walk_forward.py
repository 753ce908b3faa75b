"""A regime filter on an index, tested as it would have been traded: refit, label, act a bar later.

    python examples/production/walk_forward.py spx.csv

Every refit sees closed bars only, every label comes from the file that was in force on that day,
and a position decided at one close earns the return of the next bar. `regimetry sample sp500 -o
spx.csv` writes the data. Needs the `train` extra. It shows how to test without look-ahead; it is
not advice, and the figures are those of one index.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd

import regimetry as rg

COST = 0.0005  # of the traded value, a change of position


def walk_forward(
    frame: pd.DataFrame, first: int, step: int, *, n_regimes: int, seed: int
) -> pd.DataFrame:
    """Return label, model and position of every bar from ``first`` on.

    Bar t's label comes from a model fitted on bars before the last refit, and uses bars up to t;
    ``position`` of bar t was decided at the close of bar t - 1.
    """
    blocks = []
    with tempfile.TemporaryDirectory() as folder:
        for start in range(first, len(frame), step):
            path = Path(folder) / f"{start}.onnx"
            detector = rg.RegimeDetector(n_regimes=n_regimes, objective=None, random_state=seed)
            detector.fit(frame.iloc[:start]).save(path)
            model = rg.load(path, device="cpu")
            # The bars before the block fill the first window and carry the recursion's state.
            stretch = frame.iloc[max(0, start - 250) : start + step]
            labels = model.predict(stretch).iloc[-len(frame.iloc[start : start + step]) :]
            blocks.append(pd.DataFrame({"regime": labels, "fitted_on": start}))
    result = pd.concat(blocks)
    # Regimes are numbered by volatility, so the last number is the most turbulent in every file.
    invested = (result["regime"] < n_regimes - 1).astype(float)
    result["position"] = invested.shift(1)
    return result


def main() -> None:
    """Compare the filter with holding the index, after costs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--first", type=int, default=1500, help="bars of the first fit")
    parser.add_argument("--step", type=int, default=500, help="bars between refits")
    options = parser.parse_args()

    frame = pd.read_csv(options.data, index_col="date", parse_dates=True)
    result = walk_forward(frame, options.first, options.step, n_regimes=3, seed=0)
    returns = frame["close"].pct_change().loc[result.index]
    traded = result["position"].diff().abs().fillna(0.0)
    filtered = (result["position"] * returns - COST * traded).dropna()
    for name, series in (("index", returns.loc[filtered.index]), ("filter", filtered)):
        wealth = np.cumprod(1.0 + series.to_numpy())
        drawdown = 1.0 - wealth / np.maximum.accumulate(np.maximum(wealth, 1.0))
        yearly = series.mean() * 252
        volatility = series.std() * np.sqrt(252)
        print(
            f"{name:7s} return {yearly:6.1%} a year  volatility {volatility:5.1%}  "
            f"Sharpe {yearly / volatility:5.2f}  drawdown {drawdown.max():5.1%}"
        )
    print(f"{len(filtered)} bars, {result['fitted_on'].nunique()} fits, {int(traded.sum())} trades")


if __name__ == "__main__":
    main()
