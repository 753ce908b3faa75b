"""Panels for the tests, and the slow twin of everything that labels them."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

COLUMNS = ["x0", "x1", "x2", "x3"]
LENGTHS = (120, 60, 5, 200, 33, 11, 10)
QUIET = [
    pytest.mark.filterwarnings(f"ignore::{name}")
    for name in ("DeprecationWarning", "FutureWarning", "ResourceWarning",
                 "pytest.PytestUnraisableExceptionWarning")
]  # fmt: skip
"""Ray's own imports and processes."""


def panel(values, lengths=LENGTHS, seed=0):
    """A long frame of instruments of these lengths, each a stretch of a series."""
    generator = np.random.default_rng(seed)
    parts = []
    for number, length in enumerate(lengths):
        first = int(generator.integers(0, len(values) - length + 1))
        frame = pd.DataFrame(values[first : first + length], columns=COLUMNS)
        frame.insert(0, "date", pd.date_range("2020-01-01", periods=length, freq="D"))
        frame.insert(0, "symbol", f"I{number}")
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def label_each(model, frame):
    """What `regimetry predict` writes of each instrument alone, by symbol and date."""
    parts = []
    names = [f"p_{regime.name}" for regime in model.contract.regimes]
    for name, rows in frame.groupby("symbol"):
        ordered = rows.sort_values("date")
        part = pd.DataFrame({"symbol": name, "date": ordered["date"].to_numpy()})
        n = len(part)
        regime, novel = np.full(n, -1), np.zeros(n, bool)
        probability, novelty = np.full((n, len(names)), np.nan), np.full(n, np.nan, np.float32)
        if n >= model.contract.window_rows:
            found = model.label(ordered[COLUMNS].to_numpy())
            regime, probability = found.regime, found.probability
            novelty, novel = found.novelty, found.novel
        part["regime"] = pd.Series(regime).where(regime >= 0).astype("Int64")
        part[names] = probability.round(6)
        part["novelty"] = novelty.round(6)
        part["novel"] = pd.Series(novel).where(regime >= 0).astype("boolean")
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def by_key(frame):
    """A frame in the order and with the types of `label_each`."""
    frame = frame.assign(
        symbol=frame["symbol"].astype(str),
        regime=frame["regime"].astype("Int64"),
        novel=frame["novel"].astype("boolean"),
    ).astype({"date": "datetime64[us]"})
    keys = ["symbol", "date"]
    return frame.sort_values(keys, ignore_index=True)[
        [*keys, *(name for name in frame.columns if name not in keys)]
    ]


def read_labels(folder):
    """All labels of a folder of results."""
    return by_key(pq.read_table(folder).to_pandas())


def assert_labels(folder, model, frame):
    """Hold a folder of results against the slow twin, exactly."""
    pd.testing.assert_frame_equal(
        read_labels(folder), by_key(label_each(model, frame)), check_exact=True
    )


def write_hive(frame, folder):
    """One file an instrument, in folders symbol=NAME."""
    for name, rows in frame.groupby("symbol"):
        path = folder / f"symbol={name}" / "bars.parquet"
        path.parent.mkdir(parents=True)
        rows.drop(columns="symbol").to_parquet(path, index=False)


def write_days(frame, folder):
    """One file a quarter, all instruments in each, bar by bar."""
    for quarter, rows in frame.groupby(frame["date"].dt.to_period("Q")):
        path = folder / f"quarter={quarter}" / "bars.parquet"
        path.parent.mkdir(parents=True)
        rows.sort_values("date", kind="stable").to_parquet(path, index=False)


def write_one(frame, folder):
    """All instruments in one file, interleaved, in small row groups."""
    folder.mkdir(parents=True, exist_ok=True)
    frame.sort_values("date", kind="stable").to_parquet(
        folder / "bars.parquet", index=False, row_group_size=37
    )


def write_halves(frame, folder):
    """Two files, each with whole instruments."""
    folder.mkdir(parents=True, exist_ok=True)
    first = frame["symbol"].isin(["I0", "I3", "I5"])
    frame[first].to_parquet(folder / "a.parquet", index=False)
    frame[~first].to_parquet(folder / "b.parquet", index=False)


LAYOUTS = {"hive": write_hive, "days": write_days, "one": write_one, "halves": write_halves}
