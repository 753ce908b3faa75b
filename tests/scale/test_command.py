"""``regimetry predict`` of folders."""

import json
import sys

import pytest
from scale.panels import LAYOUTS, assert_labels, panel, write_halves


@pytest.fixture(scope="module")
def frame(values):
    return panel(values)


@pytest.fixture
def command(model_path, tmp_path):
    """What labels the folder `in` into the folder `out`."""
    return ["predict", model_path, tmp_path / "in", "-o", tmp_path / "out"]


@pytest.mark.parametrize("options", [[], ["--by", "symbol", "--memory", "0.01", "--parts", "2"]])
def test_a_folder_goes_to_a_folder(command, single, frame, tmp_path, run, options):
    LAYOUTS["days"](frame, tmp_path / "in")
    shown = run(*command, *options)
    assert "439 rows of 7 instruments" in shown.out
    assert "shorter than a window, left without labels: I2, I6" in shown.err
    assert_labels(tmp_path / "out", single, frame)
    shown = run(*command, *options, "--json")
    report = json.loads(shown.out)
    assert report["done_before"] == report["units"]
    assert report["path"] == str(tmp_path / "out")
    assert "were done before" in shown.err


def test_one_file_of_many_instruments(model_path, single, frame, tmp_path, run):
    LAYOUTS["one"](frame.sample(frac=1, random_state=0), tmp_path / "in")
    data, out = tmp_path / "in" / "bars.parquet", tmp_path / "out"
    said = run("predict", model_path, data, "-o", out, "--by", "symbol").err
    assert said.count("regimetry: ") == 1
    assert_labels(out, single, frame)


def test_damaged_files_are_left_out_if_asked(command, frame, tmp_path, run, refuses):
    write_halves(frame, tmp_path / "in")
    (tmp_path / "in" / "c.parquet").write_bytes(b"nothing")
    refuses("regimetry: c.parquet cannot be read as Parquet", *command)
    assert "left out: c.parquet cannot be read" in run(*command, "--keep-going").err


def test_what_cannot_be_is_said_in_one_sentence(
    model_path, command, frame, tmp_path, refuses, monkeypatch
):
    write_halves(frame, tmp_path / "in")
    out = ["-o", tmp_path / "out"]
    of_table = ["predict", model_path, tmp_path / "in" / "a.parquet", *out]
    monkeypatch.setitem(sys.modules, "ray.data", None)
    for message, *arguments in (
        ("name one with -o", *command[:3]),
        ("has no column 'ticker'", *command, "--by", "ticker"),
        ("actors is 0", *command, "--actors", "0"),
        ("memory is 0", *command, "--memory", "0"),
        ("pip install 'regimetry[ray]'", *command, "--ray"),
        ("--keep-going is for a folder", *of_table, "--keep-going"),
        ("--actors is for a folder", *of_table, "--actors", "2"),
        ("There is no file", "predict", model_path, tmp_path / "none", *out, "--by", "symbol"),
    ):
        refuses(message, *arguments)


def test_ctrl_c_leaves_nothing_half_written(command, frame, tmp_path, run, answer, monkeypatch):
    from regimetry.scale import job

    LAYOUTS["hive"](frame, tmp_path / "in")
    real, calls = job.table_of_labels, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(job, "table_of_labels", interrupted)
        assert run(*command, code=1).err == "regimetry: stopped.\n"
    assert len(list((tmp_path / "out").rglob("*.parquet"))) == 2
    assert not list((tmp_path / "out").rglob(".writing-*"))
    assert answer(*command)["done_before"] == 2
