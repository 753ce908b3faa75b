"""The command line as a person uses it: files in, files out, exit codes, one clear sentence."""

import numpy as np
import pandas as pd
import pytest

from regimetry.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a sample and the model that `fit` made of it."""
    path = tmp_path_factory.mktemp("cli")
    assert main(["sample", "simulated", "--rows", "500", "-o", str(path / "sim.csv")]) == 0
    fit = ["fit", str(path / "sim.csv"), "-o", str(path / "sim.onnx"), "--window-size", "10"]
    assert main([*fit, "--n-regimes", "3"]) == 0
    return path


def test_samples_are_states_beside_values_or_real_history(folder, tmp_path, run):
    values, states = pd.read_csv(folder / "sim.csv"), pd.read_csv(folder / "sim.states.csv")
    assert values.shape == (500, 3)
    assert states["state"].nunique() == 3
    for name in ("sp500", "nasdaq"):
        shown = run("sample", name, "-o", tmp_path / "m.parquet").out
        assert "5031 rows, 1999-01-04 to 2018-12-31" in shown
        frame = pd.read_parquet(tmp_path / "m.parquet")
        assert frame.columns.tolist() == ["close", "range"]
        assert (frame > 0).all().all()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_predict_writes_one_row_a_bar(folder, tmp_path, suffix, run):
    out = tmp_path / f"labels{suffix}"
    assert "regime_2" in run("predict", folder / "sim.onnx", folder / "sim.csv", "-o", out).out
    labels = pd.read_parquet(out) if suffix == ".parquet" else pd.read_csv(out)
    probabilities = [f"p_regime_{number}" for number in range(3)]
    assert labels.columns.tolist() == ["regime", *probabilities, "novelty", "novel"]
    assert len(labels) == 500
    assert labels["regime"].isna().sum() == 17  # windows of 10, and what kernels read before


def test_predict_without_an_output_is_a_pipe(folder, run):
    lines = run("predict", folder / "sim.onnx", folder / "sim.csv").out.splitlines()
    assert len(lines) == 501
    assert lines[0].startswith("regime,p_regime_0")


@pytest.mark.parametrize("suffix", [".npy", ".parquet", ".csv"])
def test_embed_writes_one_row_a_window(folder, tmp_path, suffix, run):
    out = tmp_path / f"e{suffix}"
    run("embed", folder / "sim.onnx", folder / "sim.csv", "-o", out)
    read = {".npy": np.load, ".parquet": pd.read_parquet, ".csv": pd.read_csv}[suffix]
    assert read(out).shape == (483, 390)


def test_fit_reports_what_it_left_out_and_differenced(tmp_path, run):
    generator = np.random.default_rng(0)
    close = 100 * np.exp(0.01 * np.cumsum(generator.standard_normal(300)))
    frame = pd.DataFrame({"close": close, "x": generator.standard_normal(300), "note": "text"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    arguments = ["fit", tmp_path / "t.csv", "-o", tmp_path / "m.onnx", "--n-regimes", "2"]
    captured = run(*arguments, "--objective", "none")
    assert "left out, since they are not numbers: note" in captured.err
    assert "differenced, since they are near a unit root: close" in captured.err
    assert "dlog close" in captured.out


BAD_DATA = {
    "missing file": (None, "There is no file"),
    "empty file": ("", "is empty"),
    "too few rows": ("a,b\n1,2\n2,3\n", "2 rows are too few"),
    "NaN": ("a,b\n1,2\n,3\n", "Row 1, column 'a' holds nan"),
    "infinity": ("a,b\n1,2\n2,inf\n", "Row 1, column 'b' holds inf"),
    "text": ("a,b\n1,2\n2,3\n3,oops\n", "Row 2, column 'b' holds 'oops'"),
    "repeated time": ("date,a\n2020-01-01,1\n2020-01-01,2\n", "Row 1 repeats the time 2020-01-01"),
    "unsorted time": ("date,a\n2020-01-02,1\n2020-01-01,2\n2020-01-03,3\n", "Row 1 goes back"),
}


@pytest.mark.parametrize("case", list(BAD_DATA))
def test_fit_refuses_bad_data_in_one_sentence(tmp_path, refuses, case):
    content, message = BAD_DATA[case]
    data = tmp_path / "t.csv"
    if content is not None:
        data.write_text(content)
    before = sorted(tmp_path.iterdir())
    refuses(message, "fit", data, "-o", tmp_path / "m.onnx", "--objective", "none")
    assert sorted(tmp_path.iterdir()) == before


def test_predict_refuses_bad_columns(folder, tmp_path, run, refuses):
    frame = pd.read_csv(folder / "sim.csv")
    model, out, straight = folder / "sim.onnx", tmp_path / "out.csv", tmp_path / "straight.csv"
    table = tmp_path / "t.csv"
    frame.drop(columns="asset_1").to_csv(table, index=False)
    refuses("Column 'asset_1' is missing", "predict", model, table, "-o", out)
    assert not out.exists()
    frame[frame.columns[::-1]].assign(extra=1).to_csv(table, index=False)
    run("predict", model, table, "-o", out)
    run("predict", model, folder / "sim.csv", "-o", straight)
    assert out.read_text() == straight.read_text()


def test_bad_input_leaves_nothing(folder, tmp_path_factory, tmp_path, refuses):
    data, model = folder / "sim.csv", folder / "sim.onnx"
    damaged = tmp_path_factory.mktemp("damaged") / "damaged.onnx"
    damaged.write_bytes(model.read_bytes()[:5000])
    table = ["-o", tmp_path / "o.csv"]
    for message, *arguments in (
        ("no model file", "predict", tmp_path / "none.onnx", data, *table),
        ("damaged", "predict", damaged, data, *table),
        ("does not exist", "predict", model, data, "-o", tmp_path / "none" / "o.csv"),
        ("'.xlsx'", "predict", model, data, "-o", tmp_path / "o.xlsx"),
        ("device is 'tpu'", "predict", model, data, "--device", "tpu"),
        ("must end in .onnx", "fit", data, "-o", tmp_path / "m.txt"),
        ("n_regimes is 'x'", "fit", data, "-o", tmp_path / "m.onnx", "--n-regimes", "x"),
        ("'q' is missing", "fit", data, "-o", tmp_path / "m.onnx", "--columns", "q"),
        ("kind is 'zz'", "sample", "simulated", "--kind", "zz", "-o", tmp_path / "s.csv"),
    ):
        refuses(message, *arguments)
    assert not list(tmp_path.iterdir())


def test_usage_errors_exit_with_2_and_debug_shows_the_traceback(run, folder):
    assert "usage: regimetry" in run(code=2).err
    for arguments in (["nothing"], ["fit"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
    from regimetry.errors import DataError

    with pytest.raises(DataError):
        main(["--debug", "predict", str(folder / "sim.onnx"), "none.csv"])


@pytest.mark.parametrize("verb", ["predict", "embed"])
def test_an_output_that_is_an_input_is_refused(copy, values, tmp_path, refuses, verb):
    table = tmp_path / "t.parquet"
    pd.DataFrame(values, columns=[f"x{i}" for i in range(4)]).to_parquet(table)
    before = table.read_bytes()
    (tmp_path / "link.parquet").symlink_to(table)
    for output in (table, tmp_path / "link.parquet"):
        refuses("is read as data and would be written over", verb, copy, table, "-o", output)
    assert table.read_bytes() == before
