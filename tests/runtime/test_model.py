import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import regimetry as rg
from regimetry.errors import ConfigError, DataError, DataWarning
from regimetry.runtime.recursion import jump_path

WARM_UP = 10  # window 10, and one row for the difference


def frame_of(values):
    index = pd.date_range("2020-01-01", periods=len(values), name="date")
    return pd.DataFrame(values, columns=["x0", "x1", "x2", "x3"], index=index)


def test_labels_are_those_of_the_fit(model, detector, values):
    np.testing.assert_array_equal(model.predict(values), detector.labels_)
    np.testing.assert_array_equal(model.embed(values), detector.embeddings_)


def test_first_bars_are_missing(model, values):
    labels = model.predict(values)
    assert (labels[:WARM_UP] == -1).all()
    assert (labels[WARM_UP:] >= 0).all()
    assert np.isnan(model.predict_proba(values)[:WARM_UP]).all()
    assert np.isnan(model.novelty(values)[:WARM_UP]).all()
    assert model.embed(values).shape == (len(values) - WARM_UP, 24)


def test_probabilities_sum_to_one_and_name_the_label(model, values):
    probability = model.predict_proba(values)[WARM_UP:]
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    np.testing.assert_array_equal(probability.argmax(axis=1), model.predict(values)[WARM_UP:])


def test_smooth_stands_at_window_centres(model, values):
    smooth, contract = model.smooth(values), model.contract
    distance = model.outputs(values, ("distance",))["distance"]
    path = jump_path(distance, contract.smooth_penalty)
    np.testing.assert_array_equal(smooth[5 : 5 + len(path)], path)
    assert (smooth[:5] == path[0]).all()
    assert (smooth[5 + len(path) :] == path[-1]).all()
    assert len(smooth) == len(values)


def test_smooth_says_when_many_bars_have_the_label_of_another(model, values):
    with pytest.warns(DataWarning, match="10% of the bars lie before the first label"):
        smooth = model.smooth(values[:100])
    assert (smooth >= 0).all()
    with pytest.warns(DataWarning, match="before the first label"):
        found = model.smooth({"long": values[:60], "short": values[:5]})
    assert (found["long"] >= 0).all()
    assert (found["short"] == -1).all()


@pytest.mark.parametrize("columns", [["x0", "x1", "x2", "x3"], ["x3", "x1", "x0", "x2"]])
def test_pandas_in_pandas_out(model, values, columns):
    frame = frame_of(values)[columns].assign(note="text")
    labels = model.predict(frame)
    assert isinstance(labels, pd.Series)
    assert labels.dtype == "Int64"
    pd.testing.assert_index_equal(labels.index, frame.index)
    assert labels.isna().sum() == WARM_UP
    np.testing.assert_array_equal(labels.fillna(-1).to_numpy(int), model.predict(values))
    probability = model.predict_proba(frame)
    assert probability.columns.tolist() == ["regime_0", "regime_1", "regime_2"]
    pd.testing.assert_index_equal(probability.index, frame.index)
    assert model.novelty(frame).name == "novelty"


def test_polars_in_polars_out(model, values):
    frame = pl.from_pandas(frame_of(values).reset_index())
    labels = model.predict(frame)
    assert isinstance(labels, pl.Series)
    assert labels.dtype == pl.Int64
    assert labels.null_count() == WARM_UP
    assert labels.drop_nulls().to_list() == model.predict(values)[WARM_UP:].tolist()
    assert model.predict_proba(frame).shape == (len(values), 3)


def test_arrow_in_arrow_out(model, values):
    table = pa.Table.from_pandas(frame_of(values), preserve_index=False)
    labels = model.predict(table)
    assert isinstance(labels, pa.ChunkedArray)
    assert labels.null_count == WARM_UP
    assert labels.drop_null().to_pylist() == model.predict(values)[WARM_UP:].tolist()
    assert isinstance(model.predict_proba(table), pa.Table)
    assert model.embed(table).num_rows == len(values) - WARM_UP


def test_embeddings_of_a_frame_keep_its_index(model, values):
    frame = frame_of(values)
    embedding = model.embed(frame)
    pd.testing.assert_index_equal(embedding.index, frame.index[WARM_UP:])
    assert embedding.columns.tolist()[:2] == ["e0", "e1"]
    np.testing.assert_array_equal(embedding.to_numpy(), model.embed(values))


@pytest.mark.parametrize("layout", ["C", "F", "reversed", "float32"])
def test_any_memory_layout_gives_the_same_labels(model, values, layout):
    given = {
        "C": values.copy(order="C"),
        "F": values.copy(order="F"),
        "reversed": values[::-1].copy()[::-1],
        "float32": values.astype(np.float32),
    }[layout]
    given.flags.writeable = False
    np.testing.assert_array_equal(model.predict(given), model.predict(values))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda v: v[:10], "10 rows; the model reads 11"),
        (lambda v: v[:, :3], "3 columns; the model reads 4"),
        (lambda v: np.where(np.arange(4) == 3, -v, v), "Row 0, column 'x3' is not positive"),
        (lambda v: np.where(v == v[5, 2], np.nan, v), "Row 5, column 'x2' holds nan"),
    ],
)
def test_bad_data_are_refused(model, values, spoil, message):
    with pytest.raises(DataError, match=message):
        model.predict(spoil(values))


def test_a_missing_column_is_named(model, values):
    with pytest.raises(DataError, match="Column 'x2' is missing"):
        model.predict(frame_of(values).drop(columns="x2"))


def test_run_takes_windows_in_any_order(model, values):
    windows = rg.rolling_windows(values, model.contract.window_rows)
    chosen = np.array([70, 3, 41])
    found = model.run(windows[chosen], ("regime", "embedding"))
    assert list(found) == ["regime", "embedding"]
    expected = model.outputs(values)
    np.testing.assert_array_equal(found["regime"], expected["regime"][chosen])
    np.testing.assert_allclose(found["embedding"], expected["embedding"][chosen], atol=1e-5)


def test_run_refuses_what_the_model_does_not_read(model, values):
    windows = np.array(rg.rolling_windows(values, model.contract.window_rows)[:5], np.float32)
    for bad in (windows[:0], windows[:, 1:], windows[:, :, 1:], windows[0]):
        with pytest.raises(DataError, match="The windows have shape"):
            model.run(bad)
    with pytest.raises(DataError, match="real numbers"):
        model.run(windows.astype(str))
    with pytest.raises(ConfigError, match="outputs is 'labels'"):
        model.run(windows, ["labels"])
    for value, message in ((np.nan, "holds nan"), (0.0, "holds 0.0; it must be positive")):
        bad = windows.copy()
        bad[2, 1, 3] = value
        with pytest.raises(DataError, match=f"Window 2, row 1, column .* {message}"):
            model.run(bad)
