"""Panels for the tests, and the slow twin of everything that labels them."""

import numpy as np
import pandas as pd


def panel(values, lengths, seed=0):
    """Rows (N, F) of instruments of the given lengths, cut from a series at random places."""
    generator = np.random.default_rng(seed)
    parts = []
    for number, length in enumerate(lengths):
        first = int(generator.integers(0, len(values) - length + 1))
        frame = pd.DataFrame(values[first : first + length], columns=["x0", "x1", "x2", "x3"])
        frame.insert(0, "date", pd.date_range("2020-01-01", periods=length, freq="D"))
        frame.insert(0, "symbol", f"I{number}")
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def label_each(model, frame, by="symbol", time="date"):
    """Label every instrument alone with ``model.label``; what regimetry predict writes, by key."""
    parts = []
    reach = model.contract.window_rows - 1
    names = [f"p_{regime.name}" for regime in model.contract.regimes]
    for name, rows in frame.groupby(by, sort=False):
        ordered = rows.sort_values(time)
        n, k = len(ordered), len(names)
        values = ordered[list(model.contract.schema.names)].to_numpy()
        if n > reach:
            found = model.label(values)
            regime, probability = found.regime, found.probability
            novelty, novel = found.novelty, found.novel
        else:
            regime, probability = np.full(n, -1), np.full((n, k), np.nan)
            novelty, novel = np.full(n, np.nan, np.float32), np.zeros(n, bool)
        part = pd.DataFrame({by: name, time: ordered[time].to_numpy()})
        part["regime"] = pd.Series(regime).where(regime >= 0).astype("Int64")
        part[names] = probability
        part["novelty"], part["novel"] = novelty, novel
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
