"""Bars through the command line: `fit --features ohlcv`, then the verbs on the bars again."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from regimetry.cli import main

WARM_UP = 8
QUICK = ["--features", "ohlcv", "--feature-window", str(WARM_UP), "--objective", "none"]
QUICK += ["--n-regimes", "2", "--window-size", "5"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with bars and the model that `fit --features ohlcv` made of them."""
    path = tmp_path_factory.mktemp("features")
    generator = np.random.default_rng(0)
    scale = np.where(np.arange(400) // 100 % 2, 0.02, 0.005)
    steps = generator.standard_normal((400, 4)) * scale[:, None]
    prices = 100 * np.exp(np.cumsum(steps.ravel())).reshape(400, 4)
    frame = pd.DataFrame(
        {
            "Date": pd.bdate_range("2015-01-01", periods=400),
            "Open": prices[:, 0],
            "High": prices.max(axis=1),
            "Low": prices.min(axis=1),
            "Close": prices[:, -1],
            "Volume": generator.integers(1000, 9000, 400),
            "rsi": 50.0,
        }
    )
    frame.to_csv(path / "bars.csv", index=False)
    assert main(["fit", str(path / "bars.csv"), "-o", str(path / "m.onnx"), *QUICK]) == 0
    return path


def test_fit_says_what_it_used_and_gives_no_advice_on_features(folder, tmp_path, capsys):
    assert main(["fit", str(folder / "bars.csv"), "-o", str(tmp_path / "m.onnx"), *QUICK]) == 0
    error = capsys.readouterr().err
    assert error == (
        "regimetry: features over 8 bars, made of Open, High, Low, Close, Volume; not used: rsi\n"
    )


def test_predict_takes_the_bars_and_gives_every_one_a_row(folder, tmp_path, capsys):
    out = tmp_path / "labels.csv"
    arguments = ["predict", str(folder / "m.onnx"), str(folder / "bars.csv"), "-o", str(out)]
    assert main([*arguments, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    bars, labels = pd.read_csv(folder / "bars.csv"), pd.read_csv(out)
    assert labels["Date"].tolist() == bars["Date"].tolist()
    missing = WARM_UP + 5 - 1
    assert labels["regime"].isna().tolist() == [True] * missing + [False] * (400 - missing)
    assert sum(entry["bars"] for entry in summary["regimes"]) == 400 - missing

    # Causal through files as well: fewer bars, the same labels.
    bars.iloc[:250].to_csv(tmp_path / "past.csv", index=False)
    past = ["predict", str(folder / "m.onnx"), str(tmp_path / "past.csv")]
    assert main([*past, "-o", str(tmp_path / "past_labels.csv")]) == 0
    assert pd.read_csv(tmp_path / "past_labels.csv").equals(labels.iloc[:250])


def test_predict_of_bars_without_times_counts_rows(folder, tmp_path):
    bars = pd.read_csv(folder / "bars.csv").drop(columns="Date")
    bars.to_parquet(tmp_path / "bars.parquet")
    out = tmp_path / "labels.parquet"
    assert (
        main(["predict", str(folder / "m.onnx"), str(tmp_path / "bars.parquet"), "-o", str(out)])
        == 0
    )
    assert len(pd.read_parquet(out)) == 400


def test_embed_report_and_inspect_know_the_features(folder, tmp_path, capsys):
    model, bars = str(folder / "m.onnx"), str(folder / "bars.csv")
    assert main(["embed", model, bars, "-o", str(tmp_path / "e.csv")]) == 0
    embeddings = pd.read_csv(tmp_path / "e.csv")
    assert len(embeddings) == 400 - WARM_UP - 5 + 1
    assert embeddings["Date"].iloc[-1] == pd.read_csv(bars)["Date"].iloc[-1]
    assert main(["report", model, bars, "-o", str(tmp_path / "r.png")]) == 0
    assert "Close coloured by 2 regimes" in capsys.readouterr().out
    assert main(["inspect", model]) == 0
    out = capsys.readouterr().out
    assert "ohlcv over 8 bars, made of Open, High, Low, Close, Volume" in out
    assert "garman_klass_volatility" in out


def streamed(model, lines, *arguments):
    """Standard output of `regimetry stream`, line by line."""
    process = subprocess.run(
        [sys.executable, "-I", "-m", "regimetry", "stream", str(model), *arguments],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in process.stdout.splitlines()]


def test_a_stream_takes_bars_and_labels_them_as_predict_does(folder, tmp_path):
    out = tmp_path / "labels.csv"
    assert main(["predict", str(folder / "m.onnx"), str(folder / "bars.csv"), "-o", str(out)]) == 0
    labels = pd.read_csv(out)["regime"]
    lines = (folder / "bars.csv").read_text().splitlines()
    answers = streamed(folder / "m.onnx", lines)
    assert [answer["regime"] for answer in answers] == [
        None if np.isnan(label) else int(label) for label in labels
    ]


def test_a_late_or_bad_bar_does_not_reach_the_features(folder):
    lines = (folder / "bars.csv").read_text().splitlines()[:40]
    late = lines[5]
    bad = lines[20].replace(lines[20].split(",")[2], "0.001")  # a high below the low
    disturbed = [*lines[:20], late, bad, *lines[20:]]
    answers = streamed(folder / "m.onnx", disturbed, "--late", "skip")
    assert answers[19]["skipped"] == "late"
    assert "High" in answers[20]["error"]
    kept = [answer | {"line": 0} for answer in [*answers[:19], *answers[21:]]]
    assert kept == [answer | {"line": 0} for answer in streamed(folder / "m.onnx", lines)]


def test_analyse_drift_and_compare_take_bars(folder, tmp_path, capsys):
    model, bars = str(folder / "m.onnx"), str(folder / "bars.csv")
    out = tmp_path / "labels.csv"
    assert main(["predict", model, bars, "-o", str(out)]) == 0
    labels = pd.read_csv(out)["regime"]
    capsys.readouterr()
    assert main(["analyse", model, bars, "--price", "Close", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [regime["share"] for regime in found["regimes"]] == pytest.approx(
        [(labels.dropna() == number).mean() for number in range(2)]
    )
    assert main(["drift", model, bars, "--last", "100", "--draws", "99", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recent"]["rows"] == 100 - WARM_UP - 5 + 1
    assert main(["compare", model, model, bars, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["agreement"] == 1.0


def test_bars_without_volume_do_without(folder, tmp_path, capsys):
    columns = ["--columns", "Open,High,Low,Close"]
    out = tmp_path / "m.onnx"
    assert main(["fit", str(folder / "bars.csv"), "-o", str(out), *QUICK, *columns]) == 0
    assert "there is no volume, and no feature of it" in capsys.readouterr().err
    bars = pd.read_csv(folder / "bars.csv")
    bars.loc[7, "Volume"] = 0
    bars.to_csv(tmp_path / "zero.csv", index=False)
    assert main(["predict", str(out), str(tmp_path / "zero.csv")]) == 0


def test_bad_bars_and_bad_flags_get_one_sentence(folder, tmp_path, capsys):
    bars = pd.read_csv(folder / "bars.csv")
    model = str(folder / "m.onnx")
    bars.assign(Volume=0).to_csv(tmp_path / "zero.csv", index=False)
    bars.drop(columns="Low").to_csv(tmp_path / "lacking.csv", index=False)
    bars.assign(High=bars["High"].mask(bars.index == 9, 1.0)).to_csv(
        tmp_path / "low.csv", index=False
    )
    bars.head(5).to_csv(tmp_path / "short.csv", index=False)
    before = sorted(tmp_path.iterdir())
    fit = ["-o", str(tmp_path / "m.onnx"), "--features", "ohlcv"]
    good = str(folder / "bars.csv")
    for arguments, message in (
        (["fit", str(tmp_path / "zero.csv"), *fit], "Row 0 (2015-01-01T00:00:00"),
        (["fit", str(tmp_path / "zero.csv"), *fit], "column 'Volume' holds 0"),
        (["fit", str(tmp_path / "lacking.csv"), *fit], "no column named 'low' (in any case)"),
        (["fit", str(tmp_path / "low.csv"), *fit], "column 'High' holds 1, below the low"),
        (
            ["fit", str(tmp_path / "short.csv"), *fit],
            "5 bars are too few for features over 5; at least 6",
        ),
        (["fit", good, *fit, "--columns", "Open,q"], "'q' is missing"),
        (["fit", good, *fit, "--feature-window", "1"], "feature_window is 1"),
        (["fit", good, *fit, "--categorical", "rsi"], "it has no meaning with features"),
        (["fit", good, *fit[:2], "--feature-window", "5"], "no meaning without features"),
        (["predict", model, str(tmp_path / "lacking.csv")], "Column 'Low' is missing"),
        (["predict", model, str(tmp_path / "zero.csv")], "column 'Volume' holds 0"),
        (["predict", model, str(tmp_path / "short.csv")], "5 bars are too few for features over 8"),
        (["sample", "simulated", "--bars", "-o", str(tmp_path / "s.csv")], "--bars is for"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("regimetry: ")
        assert message in error
    assert sorted(tmp_path.iterdir()) == before


def test_price_levels_and_unit_roots_get_advice_once(folder, tmp_path, capsys):
    table = pd.read_csv(folder / "bars.csv")
    table["x"] = np.random.default_rng(1).standard_normal(400)
    table[["Close", "x"]].to_csv(tmp_path / "t.csv", index=False)
    arguments = ["fit", str(tmp_path / "t.csv"), "-o", str(tmp_path / "m.onnx")]
    arguments += ["--objective", "none", "--n-regimes", "2"]
    assert main([*arguments, "--difference", "none"]) == 0
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("regimetry: Close is near a unit root (its AR(1) coefficient is 0.9")
    assert error.endswith("difference them with --difference Close\n")
    assert main([*arguments, "--difference", "Close"]) == 0
    assert capsys.readouterr().err == ""


def test_the_samples_give_their_bars(tmp_path):
    assert main(["sample", "sp500", "--bars", "-o", str(tmp_path / "b.csv")]) == 0
    frame = pd.read_csv(tmp_path / "b.csv")
    assert frame.columns.tolist() == [
        "date", "Open", "High", "Low", "Close", "Adj Close", "Volume",
    ]  # fmt: skip
    assert len(frame) == 5031
