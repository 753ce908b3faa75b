"""Thousands of series, one batched run for every bar, and how many are in each regime.

    python examples/production/many_instruments.py models/sp500.onnx --instruments 2000 --bars 90

Instruments start on different days and some miss bars, as in life. Needs numpy and onnxruntime.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import regimetry as rg


def market(
    model: rg.RegimeModel, n_instruments: int, n_bars: int, seed: int
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """Draw bars (n_bars, n_instruments, F) whose levels and deviations are the model's own."""
    generator = np.random.default_rng(seed)
    contract = model.contract
    deviation = 1.0 / np.array(contract.scale)
    rows = generator.standard_normal((n_bars, n_instruments, contract.n_features))
    values = np.array(contract.mean) + deviation * rows
    # A column that the model differences is a level: let it walk, and keep it positive.
    for column, transform in enumerate(contract.transforms):
        if transform == "difference":
            values[:, :, column] = values[:, :, column].cumsum(axis=0)
        elif transform == "log_difference":
            values[:, :, column] = 100.0 * np.exp(values[:, :, column].cumsum(axis=0))
    return values


def main() -> None:
    """Push bar after bar into a bank and print the breadth of each regime."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--instruments", type=int, default=2000)
    parser.add_argument("--bars", type=int, default=90)
    options = parser.parse_args()

    model = rg.load(options.model, device="cpu")
    names = [regime.name for regime in model.contract.regimes]
    bars = market(model, options.instruments, options.bars, seed=0)
    generator = np.random.default_rng(1)
    listed = generator.integers(0, options.bars // 3 + 1, options.instruments)

    bank = model.bank(options.instruments)
    seconds, scored = 0.0, 0
    for day, rows in enumerate(bars):
        trades = (listed <= day) & (generator.random(options.instruments) > 0.01)
        ids = np.flatnonzero(trades)
        started = time.perf_counter()
        ticks = bank.push(ids, rows[ids])  # only those with a full window come back
        seconds += time.perf_counter() - started
        scored += len(ticks.ids)
        if len(ticks.ids) and day % 10 == 9:
            share = np.bincount(ticks.regime, minlength=len(names)) / len(ticks.ids)
            breadth = "  ".join(
                f"{name} {part:.0%}" for name, part in zip(names, share, strict=True)
            )
            print(f"bar {day + 1:3d}: {len(ticks.ids)} instruments scored  {breadth}")
    print(f"{scored} ticks, {scored / max(seconds, 1e-9):.0f} a second")


if __name__ == "__main__":
    main()
