"""Frames of other libraries, in by the Arrow PyCapsule interface and out in the same kind."""

import duckdb
import ibis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from blocked import run_blocked

import regimetry as rg
from regimetry.errors import DataError


@pytest.fixture(scope="module")
def frame():
    values = rg.simulate("s2", n_rows=400, seed=0).values
    days = pd.date_range("2020-01-01", periods=400, name="day")
    return pd.DataFrame(values, columns=["a", "b", "c"]).assign(day=days)


@pytest.fixture(scope="module")
def fitted(frame):
    return small().fit(frame)


@pytest.fixture(scope="module")
def parquet(frame, tmp_path_factory):
    path = tmp_path_factory.mktemp("arrow") / "bars.parquet"
    frame.sample(frac=1, random_state=0).to_parquet(path, index=False)
    return path


def small():
    return rg.RegimeDetector(window_size=10, n_regimes=2, n_landmarks=100, random_state=0)


def relation(path):
    return duckdb.sql(f"select * from '{path}' order by day")


def ibis_table(path):
    return ibis.duckdb.connect().read_parquet(path).order_by("day")


def reader(path):
    return pa.table(relation(path)).to_reader()


_OLD = "ignore:fetch_arrow_table:DeprecationWarning"  # Ibis calls it
SOURCES = [relation, pytest.param(ibis_table, marks=pytest.mark.filterwarnings(_OLD)), reader]


@pytest.mark.parametrize("source", SOURCES)
def test_fit_and_predict_take_what_wears_the_interface(source, parquet, fitted):
    detector = small().fit(source(parquet))
    np.testing.assert_array_equal(detector.labels_, fitted.labels_)
    assert detector.feature_names_in_.tolist() == ["a", "b", "c"]
    labels = detector.predict(source(parquet))
    assert isinstance(labels, pa.ChunkedArray)
    expected = [None if label < 0 else label for label in fitted.labels_.tolist()]
    assert labels.to_pylist() == expected


def test_a_result_goes_back_into_duckdb(parquet, fitted):
    found = fitted.predict_proba(relation(parquet))
    assert isinstance(found, pa.Table)
    (count, total), *_ = duckdb.sql(
        "select count(*), sum(regime_0 + regime_1) from found where not isnan(regime_0)"
    ).fetchall()
    labelled = int((fitted.labels_ >= 0).sum())
    assert count == labelled < 400
    assert total == pytest.approx(labelled)


def test_rows_in_another_order_are_others(parquet, fitted):
    shuffled = duckdb.sql(f"select a, b, c from '{parquet}' order by a")  # without their times
    assert fitted.predict(shuffled).to_pylist() != fitted.predict(relation(parquet)).to_pylist()


@pytest.mark.parametrize("kind", [pa.table, pl.DataFrame, pd.DataFrame])
def test_the_kind_stays(kind, frame, fitted):
    data = kind(frame.to_dict("list"))
    for verb in ("predict_proba", "transform"):
        assert type(getattr(fitted, verb)(data)) is type(data)


def test_a_reader_gives_its_rows_once_and_then_it_is_said(parquet, fitted):
    once = reader(parquet)
    fitted.predict(once)
    with pytest.raises(DataError, match="gives no rows; a reader gives them once"):
        fitted.predict(once)


def test_polars_needs_neither_pandas_nor_pyarrow():
    code = """
        import sys
        import polars as pl
        import regimetry as rg
        values = rg.simulate("s2", n_rows=400, seed=0).values
        start, end = pl.datetime(2020, 1, 1), pl.datetime(2022, 1, 1)
        days = pl.datetime_range(start, end, interval="1d", eager=True)[:400]
        frame = pl.DataFrame(values, schema=["a", "b", "c"]).with_columns(day=days)
        detector = rg.RegimeDetector(window_size=10, n_regimes=2, random_state=0).fit(frame)
        for verb in ("predict", "novelty", "novel", "smooth"):
            assert isinstance(getattr(detector, verb)(frame.lazy()), pl.Series), verb
        for verb in ("predict_proba", "transform"):
            assert isinstance(getattr(detector, verb)(frame), pl.DataFrame), verb
        print(detector.predict(frame).null_count(), {"pandas", "pyarrow"} & set(sys.modules))
        """
    done = run_blocked(code, ["pandas", "pyarrow"])
    assert done.stdout.endswith(" set()\n"), done.stderr
