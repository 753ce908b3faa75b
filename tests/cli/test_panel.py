"""Many instruments on the command line: one long table, or a folder."""

import pandas as pd
import pytest

import regimetry as rg
from regimetry.cli import main

QUICK = """
objective: none
n_regimes: 3
by: symbol
encoder: {embedding_dim: 8, num_heads: 1, head_size: 8, ff_dim: 8, num_transformer_blocks: 1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A long table with its rows by time, the same as a folder, and the model of both."""
    path = tmp_path_factory.mktemp("panel")
    parts = []
    for i, name in enumerate(("aa", "bb", "tiny")):
        series = rg.simulate("s2", n_rows=500, seed=i)
        part = pd.DataFrame((1 + 3 * i) * series.values, columns=["x", "y", "z"])
        part.insert(0, "date", pd.date_range("2020-01-01", periods=500))
        parts.append(part.assign(symbol=name).iloc[: 5 if name == "tiny" else 500])
    long = pd.concat(parts).sort_values("date", kind="stable")
    long.to_csv(path / "long.csv", index=False)
    (path / "bars").mkdir()
    for part in parts:
        part.to_parquet(path / "bars" / f"{part['symbol'].iloc[0]}.parquet", index=False)
    (path / "quick.yaml").write_text(QUICK)
    config = ["--config", str(path / "quick.yaml")]
    assert main(["fit", str(path / "long.csv"), "-o", str(path / "long.onnx"), *config]) == 0
    assert main(["fit", str(path / "bars"), "-o", str(path / "bars.onnx"), *config]) == 0
    return path


def test_a_table_and_a_folder_give_the_same_model(folder):
    models = [rg.load(folder / name) for name in ("long.onnx", "bars.onnx")]
    assert [model.contract.by for model in models] == ["symbol", "symbol"]
    assert models[0].contract.scaling == models[1].contract.scaling
    assert models[0].contract.training.instruments == 3


def test_labels_stand_at_the_rows_of_the_table(folder, run):
    out, model = folder / "labels.csv", folder / "long.onnx"
    assert "1005 rows" in run("predict", model, folder / "long.csv", "-o", out).out
    labels, table = pd.read_csv(out), pd.read_csv(folder / "long.csv")
    assert labels["symbol"].tolist() == table["symbol"].tolist()
    assert labels.loc[labels["symbol"] == "tiny", "regime"].isna().all()
    alone = rg.load(model).predict({"bb": table[table["symbol"] == "bb"]})["bb"]
    mine = labels.loc[labels["symbol"] == "bb", "regime"]
    assert mine.fillna(-1).tolist() == alone.fillna(-1).tolist()
    # A folder of labels holds the same.
    run("predict", model, folder / "bars", "-o", folder / "labels")
    written = pd.read_parquet(folder / "labels" / "bb.parquet")
    assert written["regime"].fillna(-1).tolist() == mine.fillna(-1).tolist()


def test_the_panel_is_counted(folder, run, answer):
    arguments = ["panel", folder / "long.onnx", folder / "long.csv"]
    text = run(*arguments, "-o", folder / "counts.csv").out
    assert "without a label: tiny" in text
    assert text.splitlines()[2].startswith("all")
    counts = pd.read_csv(folder / "counts.csv")
    assert len(counts) == 500
    regimes = [name for name in counts if name.startswith("regime_")]
    assert (counts[regimes].sum(axis=1) + counts["missing"]).tolist() == [3] * 5 + [2] * 495
    found = answer(*arguments)
    assert sorted(found["instruments"]) == ["aa", "bb"]
    assert found["pooled"]["bars"] == sum(one["bars"] for one in found["instruments"].values())
    assert found["comovement"]["counts"][-1] == counts[regimes].iloc[-1].tolist()


def test_bad_input_in_one_sentence(folder, refuses):
    table = folder / "long.csv"
    fit = ["fit", table, "-o", folder / "no.onnx"]
    other = "There is no column 'ticker', and of one series: Row 1"
    for message, *arguments in (
        (other, *fit, "--by", "ticker"),
        ("by is 'symbol'", *fit, "--by", "symbol", "--features", "ohlcv"),
        ("are for a folder", *fit, "--ray"),
        ("repeats the time", *fit),
        ("no column 'ticker'", "panel", folder / "long.onnx", table, "--by", "ticker"),
    ):
        refuses(message, *arguments)
    assert not (folder / "no.onnx").exists()
