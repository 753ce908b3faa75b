"""``regimetry predict`` of folders."""

import json
import sys

import pytest
from scale.panels import LAYOUTS, assert_labels, panel, write_halves

from regimetry.cli import main


@pytest.fixture(scope="module")
def frame(values):
    return panel(values)


@pytest.mark.parametrize("options", [[], ["--by", "symbol", "--memory", "0.01", "--parts", "2"]])
def test_a_folder_goes_to_a_folder(model_path, single, frame, tmp_path, capsys, options):
    LAYOUTS["days"](frame, tmp_path / "in")
    command = ["predict", str(model_path), str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    assert main([*command, *options]) == 0
    shown = capsys.readouterr()
    assert "439 rows of 7 instruments" in shown.out
    assert "shorter than a window, left without labels: I2, I6" in shown.err
    assert_labels(tmp_path / "out", single, frame)
    assert main([*command, *options, "--json"]) == 0
    shown = capsys.readouterr()
    report = json.loads(shown.out)
    assert report["done_before"] == report["units"]
    assert report["path"] == str(tmp_path / "out")
    assert "were done before" in shown.err


def test_one_file_of_many_instruments(model_path, single, frame, tmp_path, capsys):
    LAYOUTS["one"](frame.sample(frac=1, random_state=0), tmp_path / "in")
    data, out = str(tmp_path / "in" / "bars.parquet"), str(tmp_path / "out")
    assert main(["predict", str(model_path), data, "-o", out, "--by", "symbol"]) == 0
    assert_labels(tmp_path / "out", single, frame)
    assert capsys.readouterr().err.count("regimetry: ") == 1


def test_damaged_files_are_left_out_if_asked(model_path, frame, tmp_path, capsys):
    write_halves(frame, tmp_path / "in")
    (tmp_path / "in" / "c.parquet").write_bytes(b"nothing")
    command = ["predict", str(model_path), str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.startswith("regimetry: c.parquet cannot be read as Parquet")
    assert error.count("\n") == 1
    assert main([*command, "--keep-going"]) == 0
    assert "left out: c.parquet cannot be read" in capsys.readouterr().err


def test_what_cannot_be_is_said_in_one_sentence(model_path, frame, tmp_path, capsys, monkeypatch):
    write_halves(frame, tmp_path / "in")
    data, model = str(tmp_path / "in"), str(model_path)
    table = str(tmp_path / "in" / "a.parquet")
    out = ["-o", str(tmp_path / "out")]
    monkeypatch.setitem(sys.modules, "ray.data", None)
    for arguments, message in (
        (["predict", model, data], "name one with -o"),
        (["predict", model, data, *out, "--by", "ticker"], "has no column 'ticker'"),
        (["predict", model, data, *out, "--actors", "0"], "actors is 0"),
        (["predict", model, data, *out, "--memory", "0"], "memory is 0"),
        (["predict", model, data, *out, "--ray"], "pip install 'regimetry[ray]'"),
        (["predict", model, table, *out, "--keep-going"], "--keep-going is for a folder"),
        (["predict", model, table, *out, "--actors", "2"], "--actors is for a folder"),
        (["predict", model, str(tmp_path / "none"), *out, "--by", "symbol"], "There is no file"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


def test_ctrl_c_leaves_nothing_half_written(model_path, frame, tmp_path, capsys, monkeypatch):
    from regimetry.scale import job

    LAYOUTS["hive"](frame, tmp_path / "in")
    real, calls = job.table_of_labels, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    command = ["predict", str(model_path), str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    with monkeypatch.context() as patched:
        patched.setattr(job, "table_of_labels", interrupted)
        assert main(command) == 1
    assert capsys.readouterr().err == "regimetry: stopped.\n"
    assert len(list((tmp_path / "out").rglob("*.parquet"))) == 2
    assert not list((tmp_path / "out").rglob(".writing-*"))
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done_before"] == 2
