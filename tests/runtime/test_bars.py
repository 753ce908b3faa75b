"""A model of features of bars takes bars wherever a model takes rows."""

from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from price_bars import COLUMNS, make_bars

from regimetry.errors import DataError
from regimetry.scale import Labeller, predict

SHARED = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ROWS = 10 + 5  # of a window, and before them those of its features


@pytest.fixture
def frame(bars):
    return pd.DataFrame(bars, columns=list(COLUMNS.names))


def same(found, expected):
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, two)


def test_every_bar_gets_a_row_and_the_warm_up_is_missing(bars_model, bars, frame):
    contract = bars_model.contract
    assert bars_model.rows == ROWS == contract.window_rows + 5
    assert bars_model.schema.names == COLUMNS.names
    assert (contract.n_features, contract.schema.names[0]) == (7, "log_return")
    found = bars_model.label(bars)
    assert (found.regime == -1).tolist() == [True] * (ROWS - 1) + [False] * (len(bars) - ROWS + 1)
    np.testing.assert_array_equal(bars_model.predict(bars), found.regime)
    np.testing.assert_array_equal(bars_model.predict_proba(bars), found.probability)
    np.testing.assert_array_equal(bars_model.novelty(bars), found.novelty)
    np.testing.assert_array_equal(bars_model.novel(bars), found.novel)
    assert len(bars_model.embed(bars)) == len(bars) - ROWS + 1
    assert len(bars_model.smooth(bars)) == len(bars)
    # The features, as a table that lacks the bars, say the same 5 bars later.
    made = contract.training.features.frame(frame)
    np.testing.assert_array_equal(bars_model.label(made).probability, found.probability[5:])
    both = made.assign(**frame.iloc[5:])  # a table that has both is read as bars
    assert bars_model.predict(both).isna().sum() == ROWS - 1


def test_results_come_in_the_kind_that_was_given(bars_model, bars, frame):
    expected = bars_model.predict(bars)
    dated = frame.set_index(pd.date_range("2020-01-01", periods=len(frame)))[frame.columns[::-1]]
    labels = bars_model.predict(dated.assign(rsi=1.0))
    assert labels.index.equals(dated.index)
    np.testing.assert_array_equal(labels.fillna(-1).to_numpy(dtype=int), expected)
    assert bars_model.embed(dated).index.equals(dated.index[ROWS - 1 :])
    assert bars_model.predict(pl.from_pandas(frame)).fill_null(-1).to_list() == expected.tolist()
    several = bars_model.label({"a": bars[:100], "b": bars[100:110], "c": frame[110:]})
    np.testing.assert_array_equal(several.regime["a"], expected[:100])
    assert (several.regime["b"] == -1).all()
    np.testing.assert_array_equal(several.novelty["c"], bars_model.novelty(frame[110:]))
    long = frame.assign(symbol=np.arange(len(frame)) % 2)
    found = bars_model.predict(long, by="symbol")
    np.testing.assert_array_equal(found[1::2], bars_model.predict(long[1::2]))


@SHARED
@given(n=st.integers(1, 60), seed=st.integers(0, 99), cut=st.integers(0, 60))
def test_streaming_equals_batch_at_every_prefix(bars_model, n, seed, cut):
    bars = make_bars(n, seed)
    stream = bars_model.stream()
    ticks = []
    for number, bar in enumerate(bars):
        if number == cut:
            state, stream = stream.snapshot(), bars_model.stream()
            stream.restore(state)
        row = dict(zip(COLUMNS.names, bar, strict=True)) if number % 2 else bar
        ticks.append(stream.push(row))
        if number + 1 < ROWS:
            assert ticks[-1] is None
            continue
        batch = bars_model.label(bars[: number + 1])
        assert ticks[-1].regime == batch.regime[-1]
        assert ticks[-1].novel == batch.novel[-1]
        np.testing.assert_allclose(ticks[-1].probability, batch.probability[-1], atol=1e-5)
        np.testing.assert_allclose(ticks[-1].novelty, batch.novelty[-1], atol=1e-4)


@SHARED
@given(lengths=st.lists(st.integers(0, 50), min_size=1, max_size=4), data=st.data())
def test_any_chunks_are_labelled_as_whole_instruments(bars_model, bars, lengths, data):
    which = np.random.default_rng(0).permutation(np.repeat(np.arange(len(lengths)), lengths))
    rows, names = bars[: len(which)], [str(number) for number in range(len(lengths))]
    cuts = data.draw(st.lists(st.integers(0, len(which)), max_size=5))
    labeller = Labeller(bars_model)
    parts = [
        labeller.push(names, which[a:b], rows[a:b])
        for a, b in pairwise([0, *sorted(cuts), len(which)])
    ]
    found = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    whole = bars_model.label({name: rows[which == i] for i, name in enumerate(names)})
    for mine, theirs in zip(found, whole, strict=True):
        for number, name in enumerate(names):
            np.testing.assert_array_equal(mine[which == number], theirs[name])


def test_a_folder_of_bars_is_labelled(bars_model, frame, tmp_path):
    (tmp_path / "in").mkdir()
    frame.iloc[:12].to_parquet(tmp_path / "in" / "short.parquet")
    frame.to_parquet(tmp_path / "in" / "long.parquet")
    report = predict(tmp_path / "in", bars_model, output=tmp_path / "out")
    assert report["short"] == ["short.parquet"]
    labels = pd.read_parquet(tmp_path / "out" / "long.parquet")["regime"]
    np.testing.assert_array_equal(labels.fillna(-1), bars_model.predict(frame.to_numpy()))


def test_windows_of_bars_are_run(bars_model, bars):
    windows = np.lib.stride_tricks.sliding_window_view(bars[:60], ROWS, axis=0).swapaxes(1, 2)
    found, expected = bars_model.run(windows), bars_model.outputs(bars[:60])
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6)
    spoilt = windows.copy()
    spoilt[3, 7, 1] = 1e-3
    with pytest.raises(DataError, match=r"Window 3: Row 7, column 'High' holds 0\.001, below"):
        bars_model.run(spoilt)


def test_what_is_no_bar_is_refused_everywhere_in_one_sentence(bars_model, bars, frame):
    with pytest.raises(DataError, match="7 columns; the model reads 6: Open, High"):
        bars_model.predict(np.ones((40, 7)))
    with pytest.raises(DataError, match="'Open', 'Adj Close' are missing"):
        bars_model.predict(frame.drop(columns=["Open", "Adj Close"]))
    with pytest.raises(DataError, match="14 rows; the model reads 15 at once"):
        bars_model.predict(bars[:14])
    spoilt = bars.copy()
    spoilt[31, 1] = 1e-3
    low = r"column 'High' holds 0.001, below the low .* of the same bar"
    with pytest.raises(DataError, match=f"^Row 31, {low}"):
        bars_model.label(spoilt)
    with pytest.raises(DataError, match=f"^Instrument 'b': Row 1, {low}"):
        bars_model.label({"a": bars[:30], "b": spoilt[30:]})
    with pytest.raises(DataError, match=f"^Row 31 of instrument 'x', {low}"):
        Labeller(bars_model).push(["x"], np.zeros(300, int), spoilt)
    stream, twin, bank = bars_model.stream(), bars_model.stream(), bars_model.bank(2)
    for bar in bars[:20]:
        stream.push(bar), twin.push(bar)
        bank.push([0], bar[None])
    for refused in (spoilt[31], bars[20][:4], ["x"] * 6, {"Open": 1.0}, [np.nan] * 6):
        with pytest.raises(DataError):
            stream.push(refused)
    with pytest.raises(DataError, match=f"^In this bar, {low}"):
        stream.push(spoilt[31])
    same(stream.push(bars[20]), twin.push(bars[20]))
    with pytest.raises(DataError, match=f"^Row 1, {low}"):
        bank.push([0, 1], spoilt[30:32])
    assert bank.counts([0, 1]).tolist() == [20, 0]
