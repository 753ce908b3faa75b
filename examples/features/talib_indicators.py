"""Regimes of indicators that TA-Lib computes: columns of a frame like any others.

    python examples/features/talib_indicators.py spx.csv spx-talib.onnx

`regimetry sample sp500 -o spx.csv` writes the data. Needs the extra `fit`, `frames`, and TA-Lib.
An indicator of bar t may use bars up to t only; that TA-Lib's do is checked at the end, since a
label is causal only if its columns are.
"""

from __future__ import annotations

import argparse

import numpy as np
import polars as pl
import talib

import regimetry as rg


def indicators(close: np.ndarray) -> dict[str, np.ndarray]:
    """Return columns (T,) of closes (T,), NaN for the bars in which they warm up."""
    upper, middle, lower = talib.BBANDS(close, timeperiod=20)
    _, _, histogram = talib.MACD(close)
    return {
        "rsi": talib.RSI(close, timeperiod=14),
        "momentum": talib.ROC(close, timeperiod=10),
        "macd": histogram / close,  # of a price, so that the level does not matter
        "width": (upper - lower) / middle,
    }


def main() -> None:
    """Fit on the indicators, save, label with the file, and cut the future off."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("output")
    options = parser.parse_args()

    bars = pl.read_csv(options.data, try_parse_dates=True)
    close = bars["close"].to_numpy().astype(np.float64)
    frame = bars.select("date").with_columns(
        **{name: pl.Series(values) for name, values in indicators(close).items()}
    )
    rg.RegimeDetector(window_size=20, n_regimes=3, random_state=0).fit(frame).save(options.output)

    labels = rg.load(options.output).predict(frame)  # a polars Series
    table = frame.with_columns(regime=labels).drop_nulls("regime")
    print(
        table.group_by("regime")
        .agg(pl.len(), pl.col("rsi", "momentum", "width").mean())
        .sort("regime")
    )

    half = len(close) // 2
    cut = frame[:half].with_columns(
        **{name: pl.Series(values) for name, values in indicators(close[:half]).items()}
    )
    same = rg.load(options.output).predict(cut).equals(labels[:half])
    print(f"labels of the first {half} bars, later ones cut off: {'same' if same else 'others'}")


if __name__ == "__main__":
    main()
