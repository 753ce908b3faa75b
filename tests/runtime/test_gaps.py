"""Missing rows, gaps, fills and bins: a stream says what the batch says, at every prefix."""

import io
import warnings
from itertools import product

import numpy as np
import pandas as pd
import pytest
from encoders import fit_fast
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import regimetry as rg
from regimetry.errors import ConfigError, DataError, DataWarning
from regimetry.series.features import BarColumns, OhlcvFeatures

anything = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
COLUMNS = ["x0", "x1", "x2", "x3"]
RULES = [
    {"missing": missing, "after_gap": after, "max_gap": gap}
    for missing, after, gap in product(["gap", "ffill"], ["restart", "carry"], [None, "30s"])
]


@pytest.fixture(scope="module")
def series():
    values = rg.simulate("s2", n_rows=400, seed=0).values
    return np.column_stack([values, 100 * np.exp(np.cumsum(values[:, 0]))])


@pytest.fixture(scope="module")
def model(series):
    """Windows of 5, and one row for the difference."""
    return fit_fast(series, window_size=5, n_regimes=2).model_


def quiet(call, *arguments, **named):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return call(*arguments, **named)


def table(values, steps):
    """A frame whose rows are ``steps`` seconds apart."""
    times = np.datetime64("2024-01-01") + np.cumsum(steps).astype("timedelta64[s]")
    return pd.DataFrame(values, columns=COLUMNS, index=pd.DatetimeIndex(times, name="time"))


@st.composite
def holed(draw, series, longest=40):
    """Some rows of the series with values missing, alone or in a row, and their steps."""
    rows = draw(st.integers(1, 90))
    values = series[:rows].copy()
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    values[random.random(values.shape) < draw(st.sampled_from([0.0, 0.02, 0.2]))] = np.nan
    for _ in range(draw(st.integers(0, 3))):
        first, count = draw(st.integers(0, rows)), draw(st.integers(1, 8))
        values[first : first + count, draw(st.integers(0, 3))] = np.nan
    often = draw(st.sampled_from([0.0, 0.05, 0.3]))
    steps = np.where(random.random(rows) < often, random.integers(2, longest, rows), 1)
    return values, steps


def labels_of(model, frame):
    """Labels, probabilities and flags as arrays; nothing at all where no window is full."""
    try:
        found = quiet(model.label, frame)
    except DataError as error:
        if "at once" in str(error) or "No row is complete" in str(error):
            return None
        raise
    return (
        found.regime.fillna(-1).to_numpy(np.int64),
        found.probability.to_numpy(np.float64),
        found.novelty.to_numpy(np.float64),
        found.novel.astype("boolean"),
    )


def pushed(stream, frame):
    return [stream.push(row, time) for time, row in zip(frame.index, frame.to_numpy(), strict=True)]


def assert_ticks(ticks, expected, start=0):
    for t, tick in enumerate(ticks, start):
        regime = -1 if expected is None else expected[0][t]
        if tick is None or tick.regime == -1:
            assert regime == -1, t
            continue
        _, probability, novelty, novel = expected
        assert tick.regime == regime
        np.testing.assert_allclose(tick.probability, probability[t], atol=1e-5)
        np.testing.assert_allclose(tick.novelty, novelty[t], atol=1e-4, rtol=1e-4)
        assert tick.novel == novel.iloc[t]


@anything
@given(st.data())
def test_a_stream_says_what_the_batch_says_at_every_prefix(model, series, data):
    values, steps = data.draw(holed(series))
    reading = model.with_rules(**data.draw(st.sampled_from(RULES)), max_fill=3)
    frame = table(values, steps)
    whole = labels_of(reading, frame)
    assert_ticks(pushed(reading.stream(), frame), whole)
    cut = data.draw(st.integers(1, len(frame)))
    prefix = labels_of(reading, frame.iloc[:cut])
    if prefix is None:
        assert whole is None or (whole[0][:cut] == -1).all()
    else:
        for one, other in zip(prefix[:3], whole[:3], strict=True):
            np.testing.assert_array_equal(one, other[:cut])


@anything
@given(st.data())
def test_a_restored_stream_goes_on_bit_by_bit(model, series, data):
    values, steps = data.draw(holed(series))
    rules = data.draw(st.sampled_from(RULES))
    resample = data.draw(st.sampled_from([None, "2s"]))
    reading = model.with_rules(**rules, resample=resample, resample_how="mean")
    frame = table(values, steps)
    cut = data.draw(st.integers(0, len(frame)))
    whole, first, again = reading.stream(), reading.stream(), reading.stream()
    pushed(whole, frame.iloc[:cut])
    pushed(first, frame.iloc[:cut])
    file = io.BytesIO()
    np.savez(file, **first.snapshot())
    file.seek(0)
    again.restore(np.load(file, allow_pickle=False))
    for a, b in zip(pushed(again, frame.iloc[cut:]), pushed(whole, frame.iloc[cut:]), strict=True):
        assert (a is None) == (b is None)
        for name in () if a is None else a._fields:
            found, expected = getattr(a, name), getattr(b, name)
            if isinstance(expected, np.ndarray):
                np.testing.assert_array_equal(found, expected)
            else:
                assert found == expected


@anything
@given(st.data())
def test_bins_are_labelled_when_they_close(model, series, data):
    values, steps = data.draw(holed(series))
    how = data.draw(st.sampled_from(["last", "mean"]))
    rules = data.draw(st.sampled_from(RULES))
    reading = model.with_rules(**rules, max_fill=3, resample="2s", resample_how=how)
    frame = table(values, steps)
    whole = labels_of(reading, frame)
    bins = frame.index.floor("2s")
    ticks, last = pushed(reading.stream(), frame), None
    for t, tick in enumerate(ticks):
        closes = t > 0 and bins[t] > bins[t - 1]
        assert tick is None or closes
        last = tick if closes else last
        assert_ticks([last], whole, t)


@anything
@given(st.data())
def test_a_bank_says_what_each_stream_says(model, series, data):
    rules = data.draw(st.sampled_from(RULES))
    reading = model.with_rules(**rules, max_fill=3)
    frames = [table(*data.draw(holed(series))) for _ in range(2)]
    streams, bank = [reading.stream() for _ in frames], reading.bank(2)
    rows = [
        (number, time, row)
        for number, frame in enumerate(frames)
        for time, row in zip(frame.index, frame.to_numpy(), strict=True)
    ]
    order = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(len(rows))
    order = order[np.argsort([rows[i][1] for i in order], kind="stable")]
    size = data.draw(st.integers(1, 7))
    for first in range(0, len(order), size):
        some = [rows[i] for i in sorted(order[first : first + size].tolist())]
        ids = np.array([number for number, _, _ in some])
        times = np.array([time.to_datetime64() for _, time, _ in some])
        found = bank.push(ids, np.array([row for _, _, row in some]), times)
        ticks = [streams[number].push(row, time) for number, time, row in some]
        expected = [
            (number, tick) for (number, _, _), tick in zip(some, ticks, strict=True)
            if tick is not None and tick.regime >= 0
        ]  # fmt: skip
        assert found.ids.tolist() == [number for number, _ in expected]
        assert found.regime.tolist() == [tick.regime for _, tick in expected]
        for one, (_, tick) in zip(found.probability, expected, strict=True):
            np.testing.assert_allclose(one, tick.probability, atol=1e-5)


def test_a_dead_sensor_is_said(model, series):
    frame = table(series[:40], np.ones(40))
    frame.iloc[20:, 1] = np.nan
    silent, filled = (
        model.with_rules(missing=rule, max_fill=4).stream() for rule in ("gap", "ffill")
    )
    for t, (time, row) in enumerate(frame.iterrows()):
        named = dict(row)
        for stream, last in ((silent, 19), (filled, 23)):
            tick = stream.push(named, time)
            if t < 5:
                assert tick is None
                continue
            assert (tick.regime >= 0) == (t <= last)
            if t < 20:
                assert tick.missing is None
                continue
            absence = tick.missing["x1"]
            assert (absence.rows, absence.since) == (t - 19, np.datetime64(frame.index[20], "us"))
            if t > last:
                assert np.isnan(tick.probability).all()
                assert tick.novel is tick.novelty is None


def test_leading_rows_are_trimmed_and_later_ones_are_refused(model, series):
    values = series[:30].copy()
    values[:3, 0] = np.nan
    with pytest.warns(
        DataWarning, match="left out 3 rows at the beginning, since x0 is missing there"
    ):
        labels = model.predict(values)
    assert (labels[:8] == -1).all()
    assert (labels[8:] >= 0).all()
    stream = model.stream()
    ticks = [stream.push(row) for row in values]
    assert ticks[2].missing["x0"] == (3, None)
    assert [-1 if tick is None else tick.regime for tick in ticks] == labels.tolist()
    with pytest.raises(DataError, match=r"'x1' of the row holds nan; missing='trim' leaves out"):
        stream.push([1.0, np.nan, 1.0, 1.0])
    values[10, 2] = np.nan
    with pytest.raises(DataError, match=r"Row 10, column 'x2' holds nan, a missing value"):
        model.predict(values)
    with pytest.raises(DataError, match="Row 0, column 'x0' holds nan"):
        model.with_rules(missing="error").predict(values)
    with pytest.raises(DataError, match="No row is complete: column 'x0' is missing in 100%"):
        model.with_rules(missing="gap").predict(values * [np.nan, 1, 1, 1])


def test_the_gap_must_fit_the_times(model, series):
    frame = table(series[:30], np.ones(30))
    with pytest.raises(ConfigError, match="max_gap is 5, and the times are dates"):
        model.with_rules(max_gap=5).predict(frame)
    with pytest.warns(DataWarning, match="no times, so that no gap longer than max_gap 5D is seen"):
        model.with_rules(max_gap="5D").predict(series[:30])
    with pytest.raises(DataError, match="have no times, by which they fall into bins"):
        model.with_rules(resample="1s").predict(series[:30])
    numbered = frame.set_axis(pd.Index(np.arange(30.0) * 2, name="time"))
    with pytest.raises(ConfigError, match="max_gap is 432000 s, and the times are numbers"):
        model.with_rules(max_gap="5D").predict(numbered)
    assert (quiet(model.with_rules(max_gap=3).predict, numbered).isna()).sum() == 5
    with pytest.raises(DataError, match="fall into 30 segments, the longest of 1 rows"):
        quiet(model.with_rules(max_gap=1).predict, numbered)
    # A stream may count its rows in epochs, of which a file makes dates.
    epochs = model.with_rules(max_gap="3s").stream()
    ticks = [
        epochs.push(row, 1_700_000_000 + 2 * t + 2 * (t > 9)) for t, row in enumerate(series[:20])
    ]
    assert [tick is None for tick in ticks] == [t < 5 or 10 <= t < 15 for t in range(20)]
    counted = model.with_rules(max_gap="3s").stream()
    counted.push(series[0], 1)
    with pytest.raises(ConfigError, match="times are numbers"):
        counted.push(series[1], 2)
    with pytest.raises(DataError, match="no timestamp, and rows are gathered in bins of 1s"):
        model.with_rules(resample="1s").stream().push(series[0])


def test_equal_times_are_kept_when_asked(model, series):
    frame = table(series[:30], np.arange(30) % 2)
    with pytest.raises(DataError, match=r"Row 2 repeats the time .*--repeated keep"):
        model.predict(frame)
    kept = model.with_rules(repeated="keep")
    expected = model.predict(series[:30])
    assert kept.predict(frame).fillna(-1).tolist() == expected.tolist()
    ticks = pushed(kept.stream(), frame)
    assert [-1 if tick is None else tick.regime for tick in ticks] == expected.tolist()
    with pytest.raises(DataError, match="repeated=keep to take rows of equal times"):
        pushed(model.stream(), frame)
    with pytest.raises(DataError, match="goes back in time"):
        kept.predict(frame.iloc[[0, 5, 2, *range(6, 20)]])


def test_bars_are_filled_and_split_before_features_are_made(series):
    rng = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(0.01 * series[:300, 0] / series[:300, 0].std()))
    reach = np.exp(0.01 * rng.random((300, 2)) + 0.001)
    bars = np.column_stack(
        [close, close * reach[:, 0], close / reach[:, 1], close, rng.random(300) + 1]
    )
    features = OhlcvFeatures(BarColumns("open", "high", "low", "close", "volume"), 3)
    names = list(features.columns.names)
    fitted = rg.RegimeDetector(window_size=5, n_regimes=2, n_landmarks=60, random_state=0).fit(
        features.frame(pd.DataFrame(bars, columns=names)), features=features
    )
    holes = bars.copy()
    holes[50, 4], holes[120:124, 1] = np.nan, np.nan
    for missing in ("gap", "ffill"):
        reading = fitted.model_.with_rules(missing=missing, max_fill=2)
        expected = quiet(reading.predict, holes)
        stream = reading.stream()
        ticks = [stream.push(row) for row in holes]
        assert [-1 if tick is None else tick.regime for tick in ticks] == expected.tolist()
        assert (expected == -1).sum() > reading.rows


def test_a_snapshot_is_of_a_stream_with_the_same_bins(model, series):
    binned = model.with_rules(resample="2s").stream()
    for second in range(9):
        binned.push(series[second], np.datetime64("2024-01-01", "s") + second)
    for other in (model.stream(), model.with_rules(resample="5s").stream()):
        with pytest.raises(DataError, match="Restore it into a stream with the same rules"):
            other.restore(binned.snapshot())
    again = model.with_rules(resample="2s").stream()
    again.restore(binned.snapshot())
    assert again.count == 9


def test_a_stream_with_more_filled_bins_than_rows_is_restored(model, series):
    filled = model.with_rules(resample="2s", missing="ffill", max_fill=20)
    stream, again = filled.stream(), filled.stream()
    start = np.datetime64("2024-01-01", "s")
    for row, second in enumerate((0, 2, 4, 30)):
        stream.push(series[row], start + second)
    again.restore(stream.snapshot())
    for one in (stream, again):
        assert one.push(series[4], start + 32).regime >= 0
        assert one.count == 5


def test_a_bank_reads_epochs_as_a_stream_does(model, series):
    ruled = model.with_rules(max_gap="30s")
    stream, bank = ruled.stream(), ruled.bank(1)
    for step in range(12):
        moment = 1_577_836_800 + step + 60 * (step >= 8)
        tick = stream.push(series[step], moment)
        ticks = bank.push([0], series[step : step + 1], [moment])
        assert len(ticks.ids) == (tick is not None)


@pytest.mark.parametrize("rows", [[25] * 60, [150] * 12, [40] * 30], ids=["25", "150", "panel"])
def test_window_and_count_are_chosen_on_many_short_segments(series, rows):
    values = np.random.default_rng(0).standard_normal((sum(rows), 2))
    if set(rows) and rows[0] == 40:
        data = {str(i): part for i, part in enumerate(np.split(values, len(rows)))}
    else:
        values[np.cumsum(rows)[:-1]] = np.nan
        data = values
    detector = rg.RegimeDetector(missing="gap", random_state=0, n_landmarks=100)
    found = quiet(detector.fit, data)
    assert max(entry.window_size for entry in found.candidates_) <= 80


def test_features_of_bars_are_not_gathered_in_bins():
    values = np.random.default_rng(0).random((300, 4))
    features = OhlcvFeatures(BarColumns("o", "h", "l", "c"))
    with pytest.raises(ConfigError, match="features are made of bars before the fit"):
        rg.RegimeDetector(resample="2s").fit(values, features=features)
