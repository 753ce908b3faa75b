import numpy as np
import pandas as pd
import pytest

from regimetry.errors import DataError
from regimetry.series.file_options import FileOptions
from regimetry.series.table_files import read_table, write_table
from regimetry.series.time_options import TimeOptions


@pytest.fixture
def frame():
    index = pd.date_range("2020-01-01", periods=3, name="date")
    return pd.DataFrame({"preis €": [1.5, 2.5, 3.5], "n": [1, 2, 3]}, index=index)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_come_back_as_they_went(frame, tmp_path, suffix):
    write_table(frame, tmp_path / f"t{suffix}")
    table = read_table(tmp_path / f"t{suffix}")
    back = table.frame
    pd.testing.assert_frame_equal(back, frame, check_freq=False, check_index_type=False)


def test_zones_become_utc_and_the_time_column_can_be_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("Date,x\n2020-01-01 23:00:00+01:00,1\n2020-01-02 23:00:00+01:00,2\n")
    table = read_table(path)
    assert table.came.iloc[0, 0] == "2020-01-01 23:00:00+01:00"
    assert table.frame.index[0] == pd.Timestamp("2020-01-01 22:00")
    path.write_text("day,x\n2020-01-01,1\n2020-01-02,2\n")
    for options in (TimeOptions(), TimeOptions("day")):
        assert read_table(path, FileOptions(options)).frame.columns.tolist() == ["x"]
    with pytest.raises(DataError, match="'hour' is missing; the columns are day, x"):
        read_table(path, FileOptions(TimeOptions("hour")))


def test_bad_files_say_what_is_wrong(tmp_path):
    for name, content, message in (
        ("t.csv", "", "is empty"),
        ("t.csv", "a,b\n", "has no rows"),
        ("t.csv", "a\n1\n2,3\n", "cannot be read as a table"),
        ("t.parquet", "no parquet", "cannot be read as a table"),
        ("t.doc", "a\n1\n", r"'\.doc'; it must be one of \.csv, \.tsv, \.txt"),
        ("t.csv", "date,x\n2020-01-01,1\nsoon,2\n", "Row 1, column 'date' holds 'soon'"),
        ("t.csv", "date,x\n2020-01-02,1\n2020-01-01,2\n2020-01-03,2\n", "Row 1 goes back in time"),
        ("t.csv", "date,x\n2020-01-02,1\n2020-01-02,2\n", "Row 1 repeats the time"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(DataError, match=message):
            read_table(tmp_path / name)


def test_a_missing_place_is_named_and_a_failed_write_leaves_the_old_file(tmp_path, frame):
    with pytest.raises(DataError, match="There is no file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(DataError, match="does not exist"):
        write_table(frame, tmp_path / "none" / "t.csv")
    path = tmp_path / "t.csv"
    path.write_text("old")

    class Broken(pd.DataFrame):
        def to_csv(self, *_args, **_kwargs):
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_table(Broken(frame), path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]
    assert np.isfinite(frame.to_numpy()).all()
