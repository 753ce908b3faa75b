"""A model in MLflow, with a real tracking store, and asked by ``mlflow models predict``."""

import json
import os
import re
import subprocess
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest
from blocked import run_blocked
from places import DOCS, MODEL
from price_bars import make_frame

import regimetry as rg
from regimetry.errors import ConfigError, DataError, ModelError
from regimetry.mlflow import Pyfunc, load_model, log_model, save_model, signature_of

pytestmark = pytest.mark.filterwarnings("default")  # of MLflow's own


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store in SQLite, with its artifacts beside it."""
    folder = tmp_path_factory.mktemp("store")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    experiment = mlflow.create_experiment("regimes", artifact_location=(folder / "a").as_uri())
    mlflow.set_experiment(experiment_id=experiment)
    yield uri
    mlflow.set_tracking_uri(None)


@pytest.fixture(scope="module")
def logged(store):
    with mlflow.start_run():
        return log_model(MODEL)


@pytest.fixture(scope="module")
def rows():
    """Rows (T, 2) of the shipped model's golden file, which follow each other."""
    windows = np.array(json.loads(MODEL.with_suffix(".golden.json").read_text())["window"])[:40]
    rows = np.concatenate([windows[0], windows[1:, -1]])
    return pd.DataFrame(rows, columns=["close", "range"])


def test_the_file_that_was_logged_is_the_one_that_opens(logged):
    model = load_model(logged.model_uri)
    assert isinstance(model, rg.RegimeModel)
    assert model.content == MODEL.read_bytes()
    assert logged.metadata["sha256"] == model.sha256


def test_the_signature_is_the_contracts(logged, shipped):
    inputs, outputs = logged.signature.inputs.to_dict(), logged.signature.outputs.to_dict()
    assert [(one["name"], one["type"]) for one in inputs] == [
        ("close", "double"), ("range", "double"), ("time", "datetime"),
    ]  # fmt: skip
    assert [one["required"] for one in inputs] == [True, True, False]
    regimes = [f"p_{regime.name}" for regime in shipped.contract.regimes]
    assert [one["name"] for one in outputs] == ["regime", *regimes, "novelty", "novel"]


def test_a_call_gives_the_causal_labels_of_its_rows(logged, shipped, rows):
    called = mlflow.pyfunc.load_model(logged.model_uri)
    found = called.predict(rows)
    expected = shipped.label(rows)
    assert found["regime"].isna().sum() == shipped.rows - 1
    labels = found["regime"].fillna(-1).astype(int).to_numpy()
    np.testing.assert_array_equal(labels, expected.regime.fillna(-1).astype(int))
    np.testing.assert_array_equal(
        found["p_regime_1"].astype(float), expected.probability["regime_1"]
    )
    # Later rows change nothing, and a call remembers nothing of the one before.
    pd.testing.assert_frame_equal(called.predict(rows[:60]), found[:60])
    pd.testing.assert_frame_equal(called.predict(rows, params={"last": 3}), found[-3:])


def test_the_times_of_a_table_are_read(logged, rows):
    called = mlflow.pyfunc.load_model(logged.model_uri)
    days = pd.bdate_range("2020-01-01", periods=len(rows))
    backwards = rows.assign(time=days)[::-1]
    found = called.predict(backwards)[::-1]
    pd.testing.assert_frame_equal(found, called.predict(rows), check_index_type=False)


def test_mlflow_models_predict_answers_the_example(logged, store, shipped, tmp_path):
    folder = mlflow.artifacts.download_artifacts(logged.model_uri)
    command = [
        *(sys.executable, "-m", "mlflow", "models", "predict", "-m", logged.model_uri),
        *("-i", f"{folder}/serving_input_example.json", "-t", "json", "--env-manager", "local"),
        *("-o", str(tmp_path / "out.json")),
    ]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": store}
    # Elsewhere: Python looks into the folder that it starts in, where the sources may lie.
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text())["predictions"]
    golden = json.loads(MODEL.with_suffix(".golden.json").read_text())
    assert [one["regime"] for one in found[shipped.rows - 1 :]] == golden["labels_from_start"]
    assert found[0]["regime"] is None


def test_a_detector_is_saved_with_its_own_example(detector, values, tmp_path):
    save_model(detector, tmp_path / "m")
    assert load_model(str(tmp_path / "m")).content == detector.model_.content
    example = mlflow.models.Model.load(str(tmp_path / "m")).load_input_example(str(tmp_path / "m"))
    apart = np.abs(values[:, None] - example.to_numpy()).max(axis=2)
    assert apart.min(axis=0).max() < 1e-4  # each is a row of the fit, in float32
    called = mlflow.pyfunc.load_model(str(tmp_path / "m"))
    assert len(called.predict(example)) == len(example)


def test_another_file_than_was_logged_is_refused(detector, shipped, tmp_path):
    save_model(detector, tmp_path / "m")
    (file,) = (tmp_path / "m").rglob("*.onnx")
    file.write_bytes(shipped.content)
    with pytest.raises(ModelError, match="SHA-256"):
        load_model(str(tmp_path / "m"))


def test_a_model_of_bars_takes_bars(bars_detector, tmp_path):
    model = bars_detector.model_
    save_model(model, tmp_path / "m", input_example=make_frame(60))
    assert signature_of(model).inputs.input_names()[:4] == ["Open", "High", "Low", "Close"]
    found = mlflow.pyfunc.load_model(str(tmp_path / "m")).predict(make_frame(120))
    assert found["regime"].notna().sum() == 120 - model.rows + 1


def test_what_is_no_model_and_a_wrong_number_are_refused(shipped, rows):
    with pytest.raises(ConfigError, match="must be a model file"):
        log_model(3)
    with pytest.raises(DataError, match="last is -1"):
        Pyfunc(shipped).predict(rows, {"last": -1})


def test_the_page_runs(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / "mlflow.md").read_text(), re.DOTALL)
    names = {}
    exec(compile(block, "mlflow.md", "exec"), names)
    assert names["model"].contract.n_regimes == 3
    assert names["labels"]["regime"].notna().any()


def test_without_mlflow_the_extra_is_named():
    code = """
        import regimetry.mlflow
        from regimetry.errors import InstallError
        try:
            regimetry.mlflow.load_model("models:/m/1")
        except InstallError as error:
            print(error)
        """
    done = run_blocked(code, ["mlflow"])
    assert "pip install 'regimetry[mlflow]'" in done.stdout, done.stderr
