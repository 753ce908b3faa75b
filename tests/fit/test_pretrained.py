"""A fit with the pretrained encoder: frozen, without TensorFlow, one file as ever."""

import json
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from networks import random_weights

import regimetry as rg
from regimetry.check.verify import verify
from regimetry.configuration.reading import validated
from regimetry.configuration.writing import of_model
from regimetry.encoder.pretraining.config import PretrainedEncoder
from regimetry.encoder.pretraining.weights import BUILT_IN, read_weights, write_weights
from regimetry.errors import ConfigError, RegimeWarning
from regimetry.export.series_form import to_series


@pytest.fixture(scope="module")
def series():
    return rg.simulate("s2", n_rows=700, seed=3)


def fitted(values, **parameters):
    given = {"window_size": 20, "n_regimes": 3, "n_landmarks": 150, "random_state": 0}
    return rg.RegimeDetector(**{**given, "encoder": "pretrained", **parameters}).fit(values)


@pytest.fixture(scope="module")
def detector(series):
    return fitted(series.values, evidence="window")


def test_the_file_names_the_weights(detector):
    contract = detector.model_.contract
    said = contract.training.configuration["encoder"]
    assert said["pretrained"] == "pretrained"
    assert said["sha256"] == read_weights(BUILT_IN).sum
    assert contract.embedding_size == 64
    assert contract.format_version == 5
    assert of_model(contract)["encoder"] == "pretrained"


def test_hindsight_is_of_the_middle_and_causal_labels_of_the_newest_rows(detector, series):
    model = detector.model_
    found = model.outputs(series.values, ("embedding", "distance", "hindsight"))
    assert model.contract.hindsight == "hindsight"
    swapped = np.roll(found["embedding"], 32, axis=1)
    head = detector_head(series)
    expected, other = head.outputs(found["embedding"]), head.outputs(swapped)
    np.testing.assert_allclose(found["distance"], expected["distance"], atol=1e-4)
    np.testing.assert_allclose(found["hindsight"], expected["hindsight"], atol=1e-4)
    np.testing.assert_allclose(other["distance"], expected["hindsight"], atol=1e-9)
    assert np.abs(found["distance"] - found["hindsight"]).max() > 0.1


def detector_head(series):
    from regimetry.fit.learn import learn, measured_rows
    from regimetry.fit.options import FitOptions
    from regimetry.fit.source import panel_source

    options = FitOptions(
        window_size=20, n_regimes=3, n_landmarks=150, seed=0, encoder="pretrained",
        evidence="window",
    )  # fmt: skip
    return learn(measured_rows(panel_source(series.values), options), options).head


def test_labels_with_hindsight_agree_better_than_causal_ones(detector, series):
    states = series.states[100:-100]
    smooth = detector.model_.smooth(series.values)[100:-100]
    causal = detector.model_.predict(series.values)[100:-100]
    shares = [max_share(states, labels) for labels in (smooth, causal)]
    assert shares[0] > shares[1] > 0.5


def max_share(states, labels):
    table = np.zeros((3, 3))
    np.add.at(table, (states, labels), 1)
    return table.max(axis=1).sum() / len(states)


def test_a_stream_gives_what_the_batch_does(detector, series):
    model, rows = detector.model_, series.values[:120]
    stream = model.stream(outputs=("regime", "embedding"))
    ticks = [stream.push(row) for row in rows]
    batch = model.predict(rows)
    assert [-1 if tick is None else tick.regime for tick in ticks] == batch.tolist()
    np.testing.assert_allclose(ticks[-1].embedding, model.embed(rows)[-1], atol=1e-5)


@pytest.mark.parametrize("window_size", [20, 45])
def test_the_series_form_gives_the_same_once_a_row(window_size, series):
    model = fitted(series.values[:300], window_size=window_size, evidence="window").model_
    form = to_series(onnx.load_from_string(model.content))
    names = [value.name for value in form.graph.output]
    assert names[-1] == "hindsight"
    session = onnxruntime.InferenceSession(form.SerializeToString())
    found = session.run(names, {"series": series.values[:200].astype(np.float32)})
    expected = model.outputs(series.values[:200], names)
    for name, array in zip(names, found, strict=True):
        np.testing.assert_allclose(array, expected[name], atol=2e-4)
    pools = [node for node in form.graph.node if node.op_type == "AveragePool"]
    assert len(pools) == (0 if window_size == 20 else 4)  # patches of three rows, each dilation
    assert not any(a.name == "strides" for pool in pools for a in pool.attribute)  # once a row


def test_it_is_saved_verified_and_goes_on_from_its_file(detector, series, tmp_path, run):
    path = tmp_path / "model.onnx"
    detector.save(path)
    assert "hindsight" in run("verify", path).out
    unfitted = rg.RegimeDetector(window_size=20, n_regimes=3, n_landmarks=150, random_state=0)
    later = unfitted.update(series.values, of=path).model_
    assert (later.contract.halves, later.contract.hindsight) == (True, "hindsight")
    same = later.predict(series.values) == detector.model_.predict(series.values)
    assert same.mean() > 0.95


def test_a_seed_gives_the_same_bytes(detector, series):
    assert fitted(series.values, evidence="window").model_.content == detector.model_.content


def test_bars_tell_the_regimes_without_a_fifth_output():
    contract = fitted(rg.simulate("s2", n_rows=1500, seed=3).values).model_.contract
    assert (contract.evidence, contract.halves, contract.hindsight) == ("bar", True, "distance")


def test_a_fit_needs_no_tensorflow(series, tmp_path):
    np.save(tmp_path / "values.npy", series.values[:400])
    code = (
        "import sys, numpy as np, regimetry as rg\n"
        "for name in ('tensorflow', 'keras'): sys.modules[name] = None\n"
        f"values = np.load({str(tmp_path / 'values.npy')!r})\n"
        "rg.RegimeDetector(window_size=20, n_regimes=2, n_landmarks=100,\n"
        "                  encoder='pretrained', random_state=0).fit(values)\n"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


def test_other_weights_are_taken_by_path(series, tmp_path):
    path = tmp_path / "mine.npz"
    write_weights(path, random_weights(), {"series": 12})
    detector = fitted(series.values[:400], encoder=str(path), evidence="window")
    said = detector.model_.contract.training.configuration["encoder"]
    assert (said["pretrained"], said["series"]) == (str(path), 12)


def test_windows_and_tables_unlike_those_of_the_pretraining_are_said(series):
    with pytest.warns(RegimeWarning, match="Windows have 5 rows; the encoder was pretrained on 10"):
        fitted(series.values[:300], window_size=5, n_regimes=2, evidence="window")
    wide = np.random.default_rng(0).standard_normal((500, 30))
    with pytest.warns(RegimeWarning, match="There are 30 channels; the encoder was pretrained on"):
        fitted(wide, n_regimes=2, evidence="window")


def test_a_configuration_takes_it():
    assert validated({"encoder": "pretrained"}).encoder == PretrainedEncoder()
    assert validated({"encoder": str(BUILT_IN)}).encoder == PretrainedEncoder(BUILT_IN)
    assert validated({"encoder": "auto"}).encoder == "auto"
    for given, message in (
        ({"encoder": "pretrained", "objective": "masked"}, "objective is 'masked'"),
        ({"encoder": "auto", "objective": "vamp2"}, "objective is 'vamp2'"),
        ({"encoder": "nothing.npz"}, "is no file; expected weights"),
    ):
        with pytest.raises(ConfigError, match=message):
            validated(given)
    with pytest.raises(ConfigError, match="encoder is 'better'; it must be"):
        validated({"encoder": "better"})


def test_the_card_comes_with_the_weights():
    weights = read_weights(BUILT_IN)
    assert weights.card["series"] > 10_000
    assert json.loads(json.dumps(dict(weights.card))) == weights.card
    assert BUILT_IN.stat().st_size < 1_000_000


def test_a_file_that_is_missing_is_refused(series):
    with pytest.raises(ConfigError, match=r"nothing\.npz', which is no file; expected weights"):
        fitted(series.values[:300], encoder="nothing.npz")


def test_the_rule_chooses_the_encoder(tmp_path):
    series = rg.simulate("s3", n_rows=900, seed=1)
    detector = rg.RegimeDetector(
        window_size=20, n_regimes=3, encoder="auto", evidence="window", n_landmarks=150,
        random_state=0,
    ).fit(series.values)  # fmt: skip
    table = detector.model_.contract.training.candidates
    assert {entry.encoder for entry in table} == {"convolutions", "pretrained"}
    best = max(table, key=lambda entry: entry.score)
    (chosen,) = [entry for entry in table if entry.chosen]
    assert chosen.encoder == best.encoder
    said = detector.model_.contract.training.configuration["encoder"]
    assert ("pretrained" in said) == (chosen.encoder == "pretrained")
    (other,) = [entry for entry in table if not entry.chosen]
    assert f"windows of 20, {chosen.encoder}" in other.refused


def test_one_regime_is_read_by_convolutions():
    values = np.random.default_rng(0).standard_normal((400, 2))
    contract = rg.RegimeDetector(encoder="auto", random_state=0).fit(values).model_.contract
    assert contract.n_regimes == 1
    assert "pretrained" not in contract.training.configuration["encoder"]


def test_objectives_that_score_every_row_are_refused():
    with pytest.raises(ConfigError, match=r"masked.*patches of rows\. Use vamp2, contrast, vicreg"):
        fitted(np.zeros((300, 1)), objective="masked")


def test_an_objective_trains_one_encoder():
    with pytest.raises(ConfigError, match="encoder='auto' chooses between two"):
        fitted(np.zeros((300, 1)), encoder="auto", objective="vamp2")


def test_a_channel_that_hardly_ever_moves_is_no_rounding():
    """Its kernels nearly cancel each other out, and what is left must not be blown up."""
    generator = np.random.default_rng(0)
    step = np.arange(20_000) > 10_000
    values = np.column_stack([generator.standard_normal(20_000), step])
    labels = fitted(values, n_regimes=2, evidence="window").model_.smooth(values)
    assert ((labels[100:] == labels[-1]) == step[100:]).mean() > 0.95


def test_shares_of_far_thresholds_are_verified_without_a_warning(tmp_path):
    states = np.repeat(np.random.default_rng(0).integers(0, 4, 60), 25)
    detector = fitted(np.eye(4)[states], n_regimes=2, evidence="window")
    detector.save(tmp_path / "model.onnx")
    (replay,) = verify(tmp_path / "model.onnx", runtimes=["reference"]).replays
    assert (replay.failure, replay.labels) == (None, 0)
