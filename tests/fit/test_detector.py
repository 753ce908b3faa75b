import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from encoders import FAST
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from regimetry.errors import DataError, ExportParityError


def small(**parameters):
    given = {"window_size": 10, "encoder": FAST, "n_landmarks": 150, "random_state": 0}
    return rg.RegimeDetector(**{**given, **parameters})


def test_the_regimes_are_the_simulated_states_and_as_many():
    simulation = rg.simulate("s4", seed=0)
    detector = rg.RegimeDetector(window_size=10, random_state=0).fit(simulation.values)
    assert detector.n_regimes_ == 3
    labelled = detector.labels_ >= 0
    assert adjusted_rand_score(simulation.states[labelled], detector.labels_[labelled]) > 0.6
    smooth = detector.smooth(simulation.values)
    kept = smooth >= 0
    assert adjusted_rand_score(simulation.states[kept], smooth[kept]) > 0.75


def test_regime_0_is_the_calmest(simulation, detector):
    states, labels = simulation[0].states, detector.labels_
    deviations = [simulation[0].values[labels == k].std() for k in range(3)]
    assert deviations == sorted(deviations)
    assert len(set(states)) == 3


def test_what_was_given_is_not_compared():
    values = rg.simulate("s2", n_rows=700, seed=0).values
    detector = small(n_regimes=3).fit(values)
    (only,) = detector.candidates_
    assert (only.window_size, only.n_regimes, only.score) == (10, 3, None)
    assert detector.model_.contract.training.candidates == detector.candidates_
    free = small(n_regimes="auto").fit(values)
    assert {entry.window_size for entry in free.candidates_} == {10}
    assert [entry.n_regimes for entry in free.candidates_] == list(range(1, 10))
    assert free.n_regimes_ == next(e.n_regimes for e in free.candidates_ if e.chosen)


def test_auto_finds_one_regime_in_noise():
    noise = np.random.default_rng(0).standard_normal((900, 3))
    detector = small(n_regimes="auto").fit(noise)
    assert detector.n_regimes_ == 1
    assert set(detector.labels_) == {-1, 0}
    assert (detector.predict_proba(noise)[10:] == 1.0).all()


def test_fitted_attributes(detector, values):
    assert detector.labels_.shape == (700,)
    assert detector.labels_.dtype == np.int64
    assert detector.embeddings_.shape == (690, 24)
    assert detector.n_regimes_ == 3
    assert detector.n_features_in_ == 4
    assert not hasattr(detector, "feature_names_in_")
    assert detector.history_ == {}
    np.testing.assert_array_equal(detector.predict(values), detector.labels_)
    np.testing.assert_array_equal(detector.transform(values)[10:], detector.embeddings_)
    np.testing.assert_allclose(detector.transition_matrix_.sum(axis=1), 1.0)


def test_scikit_learn_rules(values):
    detector = small(n_regimes=2)
    parameters = detector.get_params(deep=False)
    assert all(getattr(detector, name) is value for name, value in parameters.items())
    twin = clone(detector)
    assert twin.get_params() == detector.get_params()
    assert detector.fit(values) is detector
    assert detector.get_params(deep=False) == parameters
    np.testing.assert_array_equal(twin.fit_predict(values), detector.labels_)
    again = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(again.predict(values), detector.labels_)


def test_methods_before_fit_say_so(values, tmp_path):
    for method in ("predict", "predict_proba", "smooth", "novelty", "transform"):
        with pytest.raises(NotFittedError):
            getattr(small(), method)(values)
    with pytest.raises(NotFittedError):
        small().save(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_a_frame_gives_names_and_takes_categories(values):
    frame = pd.DataFrame(values, columns=list("abcd"), index=pd.date_range("2020", periods=700))
    frame["side"] = np.where(np.arange(700) % 90 < 45, "long", "short")
    detector = small(n_regimes=2, categorical=["side"]).fit(frame)
    assert detector.feature_names_in_.tolist() == ["a", "b", "c", "d", "side"]
    schema = detector.model_.contract.schema
    assert schema.feature_names == ("a", "b", "c", "d", "side=long", "side=short")
    assert detector.model_.contract.training.start == "2020-01-01"
    np.testing.assert_array_equal(
        detector.predict(frame).fillna(-1).to_numpy(int), detector.labels_
    )
    stream = detector.model_.stream()
    ticks = [stream.push(row) for row in frame.to_dict("records")]
    assert [-1 if t is None else t.regime for t in ticks] == detector.labels_.tolist()


def test_another_seed_gives_another_file_and_training_is_recorded_in_it(detector, values, tmp_path):
    other = small(n_regimes=3, n_landmarks=200, random_state=1).fit(values)
    assert other.model_.content != detector.model_.content
    detector = small(n_regimes=2, objective="masked", epochs=2).fit(values)
    detector.save(tmp_path / "m.onnx")
    history = rg.load(tmp_path / "m.onnx").contract.training.history
    assert history == {name: tuple(losses) for name, losses in detector.history_.items()}
    assert len(history["val_loss"]) == 2


def test_failed_parity_stops_the_fit(values, monkeypatch):
    from regimetry.check import parity

    strict = tuple(replace(output, tolerance=1e-12) for output in parity.ALL_OUTPUTS)
    monkeypatch.setattr(parity, "ALL_OUTPUTS", strict)
    detector = small(n_regimes=2)
    with pytest.raises(ExportParityError, match="embedding by"):
        detector.fit(values)
    assert not hasattr(detector, "model_")


def test_nothing_half_written(detector, tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        detector.save(tmp_path / "none" / "m.onnx")
    with pytest.raises(DataError, match="is a folder"):
        detector.save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_bad_data_are_refused(values):
    for spoil, message in (
        (lambda v: v[:10], "10 rows are too few for windows of 10; at least 11"),
        (lambda v: np.where(v == v[5, 2], np.inf, v), "Row 5, column 'x2' holds inf"),
        (lambda v: np.column_stack([v, np.ones(len(v))]), "'x4' is constant"),
        (lambda v: v[:, 0], "matrix of T rows"),
    ):
        with pytest.raises(DataError, match=message):
            small(n_regimes=2).fit(spoil(values))
