"""Missing rows and gaps in folders: labels and fits are those of the same rows in memory."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from encoders import FAST
from hypothesis import given, settings
from hypothesis import strategies as st
from scale.panels import COLUMNS, panel

import regimetry as rg
from regimetry import scale
from regimetry.errors import ConfigError, DataError, DataWarning
from regimetry.scale import Labeller

ABOVE = [
    {"missing": "gap", "max_gap": "3D"},
    {"missing": "ffill", "max_fill": 2},
    {"missing": "ffill", "max_fill": 3, "max_gap": "3D", "after_gap": "carry"},
]


def quiet(call, *arguments, **named):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return call(*arguments, **named)


def holed(values, seed=0, lengths=(120, 60, 5, 90)):
    """A panel with values missing, alone and in a row, and with steps of more than a day."""
    frame, random = panel(values, lengths), np.random.default_rng(seed)
    holes = random.random((len(frame), 4)) < 0.01
    holes[30:34, 1] = holes[140:150, 2] = True
    holes[:2, 0] = True
    steps = np.where(random.random(len(frame)) < 0.04, 5, 1)
    days = pd.to_timedelta(pd.Series(steps).groupby(frame["symbol"]).cumsum(), "D")
    frame["date"] = pd.Timestamp("2020-01-01") + days
    frame[COLUMNS] = frame[COLUMNS].mask(holes)
    return frame


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_chunks_with_gaps_are_labelled_as_whole_instruments(single, values, data):
    model = single.with_rules(**data.draw(st.sampled_from(ABOVE)))
    frame = holed(values, data.draw(st.integers(0, 99)))
    if data.draw(st.booleans()):
        frame = frame.sort_values("date", kind="stable", ignore_index=True)
    expected = quiet(model.label, frame, by="symbol")
    names, which = np.unique(frame["symbol"], return_inverse=True)
    cuts = data.draw(st.lists(st.integers(0, len(frame)), max_size=8))
    labeller, found = Labeller(model), []
    for a, b in pairwise([0, *sorted(cuts), len(frame)]):
        part = frame.iloc[a:b]
        found.append(
            labeller.push(
                names.tolist(), which[a:b], part[COLUMNS].to_numpy(), times=part["date"].to_numpy()
            )
        )
    regime = np.concatenate([one.regime for one in found])
    np.testing.assert_array_equal(regime, expected.regime.fillna(-1).to_numpy(np.int64))
    for name in ("probability", "novelty"):
        one = np.concatenate([getattr(part, name) for part in found])
        np.testing.assert_array_equal(one, getattr(expected, name).to_numpy())
    assert set(labeller.short) == {
        name for name in names if expected.regime[frame["symbol"] == name].isna().all()
    }


@pytest.mark.parametrize("rules", ABOVE)
def test_a_folder_with_gaps_is_labelled_as_its_rows(single, values, tmp_path, rules):
    model, frame = single.with_rules(**rules), holed(values)
    (tmp_path / "in").mkdir()
    for number in range(2):  # instruments span files
        frame.iloc[number::2].to_parquet(tmp_path / "in" / f"{number}.parquet", index=False)
    report = scale.predict(tmp_path / "in", model, output=tmp_path / "out", by="symbol", parts=2)
    expected = quiet(model.label, frame, by="symbol")
    keys = ["symbol", "date"]
    found = pq.read_table(tmp_path / "out").to_pandas()
    found["symbol"] = found["symbol"].astype(str)
    found = frame[keys].merge(found.astype({"date": frame["date"].dtype}), on=keys, how="left")
    np.testing.assert_array_equal(found["regime"].fillna(-1), expected.regime.fillna(-1))
    assert found["novel"].isna().equals(expected.regime.isna())
    assert report["unlabelled"] == expected.regime.isna().sum()
    assert report["short"] == ["I2"]


@pytest.mark.parametrize("rules", [*ABOVE, {"missing": "gap", "max_gap": "auto"}])
def test_a_folder_with_gaps_gives_the_model_of_its_rows(values, tmp_path, rules):
    frame = holed(values, lengths=(150, 120, 90))
    (tmp_path / "in").mkdir()
    for name, part in frame.groupby("symbol"):
        part.to_parquet(tmp_path / "in" / f"{name}.parquet", index=False)

    def detector():
        return rg.RegimeDetector(
            encoder=FAST, window_size=8, n_regimes=2, n_landmarks=60, random_state=0, **rules
        )

    with pytest.warns(DataWarning, match=r"left out \d+ rows with missing values"):
        folder = scale.fit(tmp_path / "in", detector(), by="symbol")
    memory = quiet(detector().fit, frame, by="symbol")
    assert folder.model_.contract.reading == memory.model_.contract.reading
    assert folder.model_.content == memory.model_.content
    labels = quiet(memory.predict, frame, by="symbol")
    assert labels.fillna(-1).tolist() == memory.labels_.fillna(-1).tolist()


def test_constant_columns_of_a_folder_are_left_out_unless_named(values, tmp_path):
    panel(values, (150, 120)).assign(k=1.0).to_parquet(tmp_path / "a.parquet", index=False)
    detector = rg.RegimeDetector(
        encoder=FAST, window_size=8, n_regimes=2, n_landmarks=60, random_state=0
    )
    with pytest.warns(DataWarning, match="left out, since they are constant: k"):
        scale.fit(tmp_path / "a.parquet", detector, by="symbol")
    assert detector.model_.schema.names == tuple(COLUMNS)
    with pytest.raises(DataError, match="Column 'k' is constant"):
        scale.fit(tmp_path / "a.parquet", detector, by="symbol", columns=[*COLUMNS, "k"])


def test_what_a_folder_refuses_is_said(single, values, tmp_path):
    frame = holed(values)
    frame.to_parquet(tmp_path / "a.parquet", index=False)
    with pytest.raises(DataError, match=r"Row 30 of instrument 'I0', .* a missing value; missing="):
        scale.predict(tmp_path / "a.parquet", single, output=tmp_path / "out", by="symbol")
    with pytest.raises(ConfigError, match="rows that come in chunks are not gathered in bins"):
        Labeller(single.with_rules(resample="2D"))
    twice = pd.concat([panel(values, (40, 30))] * 2).sort_values(["symbol", "date"], kind="stable")
    twice.to_parquet(tmp_path / "b.parquet", index=False)
    with pytest.raises(DataError, match="else keep both: --repeated keep"):
        scale.predict(tmp_path / "b.parquet", single, output=tmp_path / "b", by="symbol")
    kept = single.with_rules(repeated="keep")
    report = scale.predict(tmp_path / "b.parquet", kept, output=tmp_path / "c", by="symbol")
    assert (report["rows"], report["unlabelled"]) == (140, 20)
    with pytest.raises(DataError, match="results of another model"):  # or of other rules
        scale.predict(
            tmp_path / "b.parquet",
            kept.with_rules(missing="gap"),
            output=tmp_path / "c",
            by="symbol",
        )
