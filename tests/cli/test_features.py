"""Bars through the command line: `fit --features ohlcv`, then the verbs on the bars again."""

from contextlib import redirect_stderr
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from price_bars import make_frame

from regimetry.cli import main

WARM_UP = 8
ROWS = 5 + 8  # windows of 5, and what kernels read before them
QUICK = ["--features", "ohlcv", "--feature-window", str(WARM_UP), "--objective", "none"]
QUICK += ["--n-regimes", "2", "--window-size", "5"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with bars and the model that `fit --features ohlcv` made of them."""
    path = tmp_path_factory.mktemp("features")
    frame = make_frame(400, rsi=50.0).drop(columns="Adj Close")
    frame.insert(0, "Date", pd.bdate_range("2015-01-01", periods=400))
    frame.to_csv(path / "bars.csv", index=False)
    said = StringIO()
    with redirect_stderr(said):
        assert main(["fit", str(path / "bars.csv"), "-o", str(path / "m.onnx"), *QUICK]) == 0
    # Nothing else: features get no advice on levels.
    assert said.getvalue() == (
        "regimetry: features over 8 bars, made of Open, High, Low, Close, Volume; not used: rsi\n"
    )
    return path


def test_predict_takes_the_bars_and_gives_every_one_a_row(folder, tmp_path, run, answer):
    out = tmp_path / "labels.csv"
    summary = answer("predict", folder / "m.onnx", folder / "bars.csv", "-o", out)
    bars, labels = pd.read_csv(folder / "bars.csv"), pd.read_csv(out)
    assert labels["Date"].tolist() == bars["Date"].tolist()
    missing = WARM_UP + ROWS - 1
    assert labels["regime"].isna().tolist() == [True] * missing + [False] * (400 - missing)
    assert sum(entry["bars"] for entry in summary["regimes"]) == 400 - missing

    # Causal through files as well: fewer bars, the same labels.
    past = tmp_path / "past.csv"
    bars.iloc[:250].to_csv(past, index=False)
    run("predict", folder / "m.onnx", past, "-o", tmp_path / "past_labels.csv")
    assert pd.read_csv(tmp_path / "past_labels.csv").equals(labels.iloc[:250])
    # Without times the rows are counted.
    bars.drop(columns="Date").to_parquet(tmp_path / "bars.parquet")
    run("predict", folder / "m.onnx", tmp_path / "bars.parquet", "-o", tmp_path / "l.parquet")
    assert len(pd.read_parquet(tmp_path / "l.parquet")) == 400


def test_embed_report_and_inspect_know_the_features(folder, tmp_path, run):
    model, bars = folder / "m.onnx", folder / "bars.csv"
    run("embed", model, bars, "-o", tmp_path / "e.csv")
    embeddings = pd.read_csv(tmp_path / "e.csv")
    assert len(embeddings) == 400 - WARM_UP - ROWS + 1
    assert embeddings["Date"].iloc[-1] == pd.read_csv(bars)["Date"].iloc[-1]
    shown = run("report", model, bars, "-o", tmp_path / "r.png").out
    assert "Close coloured by 2 regimes" in shown
    out = run("inspect", model).out
    assert "ohlcv over 8 bars, made of Open, High, Low, Close, Volume" in out
    assert "garman_klass_volatility" in out


@pytest.fixture
def labels(folder, tmp_path, run):
    run("predict", folder / "m.onnx", folder / "bars.csv", "-o", tmp_path / "labels.csv")
    return pd.read_csv(tmp_path / "labels.csv")["regime"]


def test_a_stream_takes_bars_and_labels_them_as_predict_does(folder, labels, stream):
    answers = stream((folder / "bars.csv").read_text(), model=folder / "m.onnx")
    assert [answer["regime"] for answer in answers] == [
        None if np.isnan(label) else int(label) for label in labels
    ]


def test_a_late_or_bad_bar_does_not_reach_the_features(folder, stream):
    lines = (folder / "bars.csv").read_text().splitlines()[:40]
    late = lines[5]
    bad = lines[20].replace(lines[20].split(",")[2], "0.001")  # a high below the low
    disturbed = [*lines[:20], late, bad, *lines[20:]]
    model = folder / "m.onnx"
    answers = stream("\n".join(disturbed), "--late", "skip", model=model)
    assert answers[19]["skipped"] == "late"
    assert "High" in answers[20]["error"]
    kept = [answer | {"line": 0} for answer in [*answers[:19], *answers[21:]]]
    straight = stream("\n".join(lines), model=model)
    assert kept == [answer | {"line": 0} for answer in straight]


def test_analyse_drift_and_compare_take_bars(folder, labels, answer):
    model, bars = folder / "m.onnx", folder / "bars.csv"
    found = answer("analyse", model, bars, "--price", "Close")
    assert [regime["share"] for regime in found["regimes"]] == pytest.approx(
        [(labels.dropna() == number).mean() for number in range(2)]
    )
    found = answer("drift", model, bars, "--last", "100", "--draws", "99")
    assert found["recent"]["rows"] == 100 - WARM_UP - ROWS + 1
    assert answer("compare", model, model, bars)["agreement"] == 1.0


def test_bars_without_volume_do_without(folder, tmp_path, run):
    columns, out = ["--columns", "Open,High,Low,Close"], tmp_path / "m.onnx"
    said = run("fit", folder / "bars.csv", "-o", out, *QUICK, *columns).err
    assert "there is no volume, and no feature of it" in said
    bars = pd.read_csv(folder / "bars.csv")
    bars.loc[7, "Volume"] = 0
    bars.to_csv(tmp_path / "zero.csv", index=False)
    run("predict", out, tmp_path / "zero.csv")


def test_bad_bars_and_bad_flags_get_one_sentence(folder, tmp_path, run):
    good, model = folder / "bars.csv", folder / "m.onnx"
    bars = pd.read_csv(good)
    low = bars["High"].mask(bars.index == 9, 1.0)
    for name, frame in (
        ("zero", bars.assign(Volume=0)),
        ("lacking", bars.drop(columns="Low")),
        ("low", bars.assign(High=low)),
        ("short", bars.head(5)),
    ):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    zero, lacking, short = (tmp_path / f"{name}.csv" for name in ("zero", "lacking", "short"))
    before = sorted(tmp_path.iterdir())
    out = ["-o", tmp_path / "m.onnx"]
    fit = [*out, "--features", "ohlcv"]
    for message, *arguments in (
        ("Row 0 (2015-01-01T00:00:00", "fit", zero, *fit),
        ("column 'Volume' holds 0", "fit", zero, *fit),
        ("no column named 'low' (in any case)", "fit", lacking, *fit),
        ("column 'High' holds 1, below the low", "fit", tmp_path / "low.csv", *fit),
        ("5 bars are too few for features over 5; at least 6", "fit", short, *fit),
        ("'q' is missing", "fit", good, *fit, "--columns", "Open,q"),
        ("feature_window is 1", "fit", good, *fit, "--feature-window", "1"),
        ("it has no meaning with features", "fit", good, *fit, "--categorical", "rsi"),
        ("no meaning without features", "fit", good, *out, "--feature-window", "5"),
        ("Column 'Low' is missing", "predict", model, lacking),
        ("column 'Volume' holds 0", "predict", model, zero),
        ("The data have 5 rows; the model reads 21 at once", "predict", model, short),
        ("--bars is for", "sample", "simulated", "--bars", "-o", tmp_path / "s.csv"),
    ):
        error = run(*arguments, code=2).err.splitlines()[-1]
        assert error.startswith("regimetry: ")
        assert message in error
    assert sorted(tmp_path.iterdir()) == before


def test_price_levels_and_unit_roots_get_advice_once(folder, tmp_path, run):
    table = pd.read_csv(folder / "bars.csv")
    table["x"] = np.random.default_rng(1).standard_normal(400)
    table["day"] = pd.bdate_range("2020-01-01", periods=400)
    table[["day", "Close", "x"]].to_csv(tmp_path / "t.csv", index=False)
    arguments = ["fit", tmp_path / "t.csv", "-o", tmp_path / "m.onnx"]
    arguments += ["--window-size", "6", "--n-regimes", "2"]
    error = run(*arguments, "--difference", "none").err
    assert error.count("\n") == 1
    assert error.startswith("regimetry: Close is near a unit root (its AR(1) coefficient is 0.9")
    assert error.endswith("difference them with --difference Close\n")
    assert run(*arguments, "--difference", "Close").err == ""


def test_the_samples_give_their_bars(tmp_path, run):
    run("sample", "sp500", "--bars", "-o", tmp_path / "b.csv")
    frame = pd.read_csv(tmp_path / "b.csv")
    assert ",".join(frame.columns) == "date,Open,High,Low,Close,Adj Close,Volume"
    assert len(frame) == 5031
