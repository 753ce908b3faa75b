"""A fit on a folder equals the one in memory, whoever does the work."""

import numpy as np
import pandas as pd
import pytest
from encoders import FAST
from scale.panels import QUIET

import regimetry as rg
from regimetry import scale
from regimetry.errors import DataError, DataWarning
from regimetry.scale.fitting import FolderSource
from regimetry.scale.folder import scan
from regimetry.scale.work_units import plan

NAMES = [f"I{i}" for i in range(6)]


def quietly(test):
    """Let the warnings of Ray pass."""
    for mark in QUIET:
        test = mark(test)
    return test


def detector(**changes):
    given = {"window_size": 10, "n_regimes": 3, "encoder": FAST, "n_landmarks": 150, **changes}
    return rg.RegimeDetector(random_state=0, **given)


@pytest.fixture(scope="module")
def frame():
    parts = []
    for i, name in enumerate(NAMES):
        series = rg.simulate("s2", n_rows=400 + 20 * i, seed=i)
        part = pd.DataFrame((1 + i) * series.values, columns=["x", "y", "z"])
        part.insert(0, "date", pd.date_range("2020-01-01", periods=len(part)))
        parts.append(part.assign(symbol=name))
    return pd.concat(parts).reset_index(drop=True)


@pytest.fixture(scope="module")
def folders(frame, tmp_path_factory):
    """The same rows, a file an instrument, and cut by date into files of all instruments."""
    path = tmp_path_factory.mktemp("bars")
    for name, part in frame.groupby("symbol"):
        (path / "each" / f"symbol={name}").mkdir(parents=True)
        part.drop(columns="symbol").to_parquet(path / "each" / f"symbol={name}" / "bars.parquet")
    (path / "dates").mkdir()
    for year, part in frame.groupby(frame["date"] < "2020-06-01"):
        part.sort_values("date", kind="stable").to_parquet(path / "dates" / f"{year}.parquet")
    return path


@pytest.fixture(scope="module")
def sampled(folders):
    return scale.fit(folders / "dates", detector(max_windows=700), by="symbol")


def test_a_counter_of_rows_is_left_out_and_text_is_read(frame, tmp_path):
    one = frame[frame["symbol"] == "I0"]
    one = one.assign(row=range(len(one)), z=[f"{z:,.5f}" for z in one["z"]], note="a")
    one.to_parquet(tmp_path / "a.parquet")
    with pytest.warns(DataWarning) as caught:
        folder = scan(tmp_path, None, by="symbol")
    assert folder.columns.schema.names == ("x", "y", "z")
    notes = " ".join(str(one.message) for one in caught)
    for part in ("count the rows: row", "though they are text: z", "not numbers: note"):
        assert part in notes
    statistics = FolderSource(folder.columns, plan(folder)).measured().statistics["I0"]
    assert statistics.rows == len(one)


@pytest.mark.parametrize(("layout", "max_windows"), [("dates", 200_000), ("each", 700)])
def test_a_folder_gives_the_model_of_the_frame(folders, frame, layout, max_windows):
    in_memory = detector(max_windows=max_windows).fit(frame, by="symbol")
    out_of_core = scale.fit(folders / layout, detector(max_windows=max_windows), by="symbol")
    mine, theirs = out_of_core.model_.contract, in_memory.model_.contract
    assert mine.scaling == theirs.scaling
    assert mine.training.fingerprint == theirs.training.fingerprint
    assert (mine.training.start, mine.training.instruments) == ("2020-01-01", 6)
    for name in ("mean", "scale", "transition_matrix"):
        np.testing.assert_allclose(getattr(mine, name), getattr(theirs, name), atol=1e-6)
    values = frame[frame["symbol"] == "I3"]
    outputs = [one.model_.outputs(values, by="symbol") for one in (out_of_core, in_memory)]
    for name in ("embedding", "distance", "novelty"):
        np.testing.assert_allclose(outputs[0][name], outputs[1][name], atol=1e-6)
    assert not hasattr(out_of_core, "labels_")


@quietly
def test_ray_gives_the_same_file_as_this_process(cluster, folders, sampled):
    there = scale.fit(folders / "dates", detector(max_windows=700), by="symbol", actors=2)
    assert there.model_.content == sampled.model_.content


def test_another_sample_is_another_model(folders, sampled):
    other = scale.fit(folders / "dates", detector(max_windows=600), by="symbol")
    assert other.model_.content != sampled.model_.content


def test_units_and_samples_of_a_folder_are_those_of_its_rows(folders, frame):
    folder = scan(folders / "dates", None, by="symbol")
    source = FolderSource(folder.columns, plan(folder, parts=3))
    assert source.schema.names == ("x", "y", "z")
    found = source.measured().statistics
    assert list(found) == NAMES
    for name, one in found.items():
        rows = frame.loc[frame["symbol"] == name, ["x", "y", "z"]].to_numpy()
        assert one.rows == len(rows)
        np.testing.assert_allclose(one.mean["level"], rows.mean(axis=0), atol=1e-6)
    folder = scan(folders / "dates", None, by="symbol")
    chosen = {name: [] for name in reversed(NAMES)} | {"I0": [(1, 4), (7, 9)], "I2": [(5, 9)]}
    found = FolderSource(folder.columns, plan(folder)).sample(chosen)
    assert found.instruments == ("I0", "I0", "I2")
    assert found.lengths.tolist() == [3, 2, 4]


@quietly
def test_bad_rows_are_named(cluster, folders, frame, tmp_path):
    with pytest.raises(DataError, match="no file or folder"):
        scale.fit(tmp_path / "nowhere", detector())
    (tmp_path / "bad").mkdir()
    frame.assign(x=frame["x"].mask(frame.index == 5)).to_parquet(tmp_path / "bad" / "a.parquet")
    for options in ({}, {"actors": 1}):
        with pytest.raises(DataError, match=r"Instrument 'I0': Row 5 \(2020-01-06.*'x' holds nan"):
            scale.fit(tmp_path / "bad", detector(), **options)
    twice = pd.concat([frame, frame.iloc[[3]]])
    twice.to_parquet(tmp_path / "bad" / "a.parquet")
    with pytest.raises(DataError, match="I0"):
        scale.fit(tmp_path / "bad", detector())
    (tmp_path / "bad" / "b.parquet").write_bytes(b"PAR1 no more")
    frame.to_parquet(tmp_path / "bad" / "a.parquet")
    with pytest.raises(DataError, match=r"b\.parquet cannot be read"):
        scale.fit(tmp_path / "bad", detector())
    assert scale.fit(tmp_path / "bad", detector(), keep_going=True).n_regimes_ == 3
