"""The command line as a person uses it: files in, files out, exit codes, one clear sentence."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from regimetry.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a sample and the model that `fit` made of it."""
    path = tmp_path_factory.mktemp("cli")
    assert main(["sample", "simulated", "--rows", "500", "-o", str(path / "sim.csv")]) == 0
    fit = ["fit", str(path / "sim.csv"), "-o", str(path / "sim.onnx"), "--objective", "none"]
    assert main([*fit, "--n-regimes", "3"]) == 0
    return path


def test_samples_have_their_states_beside_them(folder):
    values, states = pd.read_csv(folder / "sim.csv"), pd.read_csv(folder / "sim.states.csv")
    assert values.shape == (500, 3)
    assert states["state"].nunique() == 3


@pytest.mark.parametrize("name", ["sp500", "nasdaq"])
def test_market_samples_are_real_history(tmp_path, name, capsys):
    assert main(["sample", name, "-o", str(tmp_path / "m.parquet")]) == 0
    assert "5031 rows, 1999-01-04 to 2018-12-31" in capsys.readouterr().out
    frame = pd.read_parquet(tmp_path / "m.parquet")
    assert frame.columns.tolist() == ["close", "range"]
    assert (frame > 0).all().all()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_predict_writes_one_row_a_bar(folder, tmp_path, suffix, capsys):
    out = tmp_path / f"labels{suffix}"
    assert main(["predict", str(folder / "sim.onnx"), str(folder / "sim.csv"), "-o", str(out)]) == 0
    assert "regime_2" in capsys.readouterr().out
    labels = pd.read_parquet(out) if suffix == ".parquet" else pd.read_csv(out)
    assert labels.columns.tolist() == [
        "regime",
        "p_regime_0",
        "p_regime_1",
        "p_regime_2",
        "novelty",
        "novel",
    ]
    assert len(labels) == 500
    assert labels["regime"].isna().sum() == 9


def test_predict_without_an_output_is_a_pipe(folder, capsys):
    assert main(["predict", str(folder / "sim.onnx"), str(folder / "sim.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 501
    assert lines[0].startswith("regime,p_regime_0")


def test_json_is_for_machines(folder, tmp_path, capsys):
    arguments = ["predict", str(folder / "sim.onnx"), str(folder / "sim.csv")]
    assert main([*arguments, "-o", str(tmp_path / "l.csv"), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["rows"] == 500
    assert sum(entry["bars"] for entry in summary["regimes"]) == 491
    assert main(["inspect", str(folder / "sim.onnx"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["window_size"] == 10


def test_inspect_shows_the_contract(folder, capsys):
    assert main(["inspect", str(folder / "sim.onnx")]) == 0
    out = capsys.readouterr().out
    for text in ("10 bars", "192 numbers", "500 rows", "seed 0", "asset_2", "regime_1", "tf2onnx"):
        assert text in out


@pytest.mark.parametrize("suffix", [".npy", ".parquet", ".csv"])
def test_embed_writes_one_row_a_window(folder, tmp_path, suffix):
    out = tmp_path / f"e{suffix}"
    assert main(["embed", str(folder / "sim.onnx"), str(folder / "sim.csv"), "-o", str(out)]) == 0
    read = {".npy": np.load, ".parquet": pd.read_parquet, ".csv": pd.read_csv}[suffix]
    assert read(out).shape == (491, 192)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_report_draws_a_picture(folder, tmp_path, suffix):
    out = tmp_path / f"r{suffix}"
    assert main(["report", str(folder / "sim.onnx"), str(folder / "sim.csv"), "-o", str(out)]) == 0
    head = out.read_bytes()[:100]
    assert head.startswith(b"\x89PNG") if suffix == ".png" else b"<?xml" in head


def test_fit_reports_what_it_left_out_and_differenced(tmp_path, capsys):
    generator = np.random.default_rng(0)
    close = 100 * np.exp(0.01 * np.cumsum(generator.standard_normal(300)))
    frame = pd.DataFrame({"close": close, "x": generator.standard_normal(300), "note": "text"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    arguments = ["fit", str(tmp_path / "t.csv"), "-o", str(tmp_path / "m.onnx")]
    assert main([*arguments, "--objective", "none", "--n-regimes", "2"]) == 0
    captured = capsys.readouterr()
    assert "left out, since they are not numbers: note" in captured.err
    assert "differenced, since they are near a unit root: close" in captured.err
    assert "dlog close" in captured.out


def _write(path, frame):
    frame.to_csv(path, index=False)
    return str(path)


BAD_DATA = {
    "missing file": (None, "There is no file"),
    "empty file": ("", "is empty"),
    "too few rows": ("a,b\n1,2\n2,3\n", "2 rows are too few"),
    "NaN": ("a,b\n1,2\n,3\n", "Row 1, column 'a' holds nan"),
    "infinity": ("a,b\n1,2\n2,inf\n", "Row 1, column 'b' holds inf"),
    "text": ("a,b\n1,2\n2,3\n3,oops\n", "Row 2, column 'b' holds 'oops'"),
    "constant": ("a,b\n" + "".join(f"{i * i},7\n" for i in range(30)), "'b' is constant"),
    "repeated time": ("date,a\n2020-01-01,1\n2020-01-01,2\n", "Row 1 repeats the time 2020-01-01"),
    "unsorted time": ("date,a\n2020-01-02,1\n2020-01-01,2\n", "Row 1 goes back in time"),
}


@pytest.mark.parametrize("case", list(BAD_DATA))
def test_fit_refuses_bad_data_in_one_sentence(tmp_path, capsys, case):
    content, message = BAD_DATA[case]
    data = tmp_path / "t.csv"
    if content is not None:
        data.write_text(content)
    before = sorted(tmp_path.iterdir())
    code = main(["fit", str(data), "-o", str(tmp_path / "m.onnx"), "--objective", "none"])
    error = capsys.readouterr().err
    assert code == 2
    assert message in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_predict_refuses_bad_columns(folder, tmp_path, capsys):
    frame = pd.read_csv(folder / "sim.csv")
    model, out = str(folder / "sim.onnx"), tmp_path / "out.csv"
    lacking = _write(tmp_path / "lacking.csv", frame.drop(columns="asset_1"))
    assert main(["predict", model, lacking, "-o", str(out)]) == 2
    assert "Column 'asset_1' is missing" in capsys.readouterr().err
    assert not out.exists()
    shuffled = _write(tmp_path / "shuffled.csv", frame[frame.columns[::-1]].assign(extra=1))
    straight = tmp_path / "straight.csv"
    assert main(["predict", model, shuffled, "-o", str(out)]) == 0
    assert main(["predict", model, str(folder / "sim.csv"), "-o", str(straight)]) == 0
    assert out.read_text() == straight.read_text()


def test_predict_refuses_bad_models_and_folders(folder, tmp_path, capsys):
    data = str(folder / "sim.csv")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes((folder / "sim.onnx").read_bytes()[:5000])
    for model, out, message in (
        (tmp_path / "none.onnx", tmp_path / "o.csv", "no model file"),
        (damaged, tmp_path / "o.csv", "damaged"),
        (folder / "sim.onnx", tmp_path / "none" / "o.csv", "does not exist"),
        (folder / "sim.onnx", tmp_path / "o.xlsx", "'.xlsx'"),
    ):
        assert main(["predict", str(model), data, "-o", str(out)]) == 2
        assert message in capsys.readouterr().err
        assert not out.exists()


def test_other_bad_input(folder, tmp_path, capsys):
    data, model = str(folder / "sim.csv"), str(folder / "sim.onnx")
    for arguments, message in (
        (["fit", data, "-o", str(tmp_path / "m.txt")], "must end in .onnx"),
        (["fit", data, "-o", str(tmp_path / "m.onnx"), "--n-regimes", "x"], "n_regimes is 'x'"),
        (["fit", data, "-o", str(tmp_path / "m.onnx"), "--columns", "q"], "'q' is missing"),
        (["report", model, data, "-o", str(tmp_path / "r.gif")], "must end in .html, .md, .png or"),
        (
            ["report", model, data, "-o", str(tmp_path / "r.png"), "--price", "q"],
            "no column of numbers 'q'",
        ),
        (["sample", "simulated", "--kind", "zz", "-o", str(tmp_path / "s.csv")], "kind is 'zz'"),
        (["predict", model, data, "--device", "tpu"], "device is 'tpu'"),
    ):
        assert main(arguments) == 2
        assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_usage_errors_exit_with_2():
    for arguments in ([], ["nothing"], ["fit"]):
        result = subprocess.run(
            [sys.executable, "-I", "-m", "regimetry", *arguments], capture_output=True, check=False
        )
        assert result.returncode == 2


def test_debug_shows_the_traceback(folder):
    from regimetry.errors import DataError

    with pytest.raises(DataError):
        main(["--debug", "predict", str(folder / "sim.onnx"), "none.csv"])


def test_predict_never_loads_the_research_side(folder, tmp_path):
    code = (
        "import sys; from regimetry.cli import main; code = main(sys.argv[1:]);"
        "loaded = {m.partition('.')[0] for m in sys.modules};"
        "research = {'tensorflow', 'keras', 'sklearn', 'scipy', 'onnx', 'tf2onnx'};"
        "assert not loaded & research, loaded;"
        "sys.exit(code)"
    )
    arguments = ["predict", str(folder / "sim.onnx"), str(folder / "sim.csv")]
    subprocess.run(
        [sys.executable, "-I", "-c", code, *arguments, "-o", str(tmp_path / "o.csv")],
        check=True,
        capture_output=True,
    )
