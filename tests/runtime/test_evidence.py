"""A model whose regimes single bars tell: graph and hindsight."""

import numpy as np
import onnx
import pytest
from graphs import perturbed, run
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from regimetry.check import parity
from regimetry.contract import OUTPUT_NAMES
from regimetry.errors import ExportParityError
from regimetry.export.series_form import to_series
from regimetry.regimes.evidence.emission import HIGHEST_COST


@pytest.fixture(scope="module")
def bars(bar_detector):
    return bar_detector.model_


def test_the_file_says_what_its_distances_are(bar_detector, detector):
    contract = bar_detector.model_.contract
    assert contract.evidence == "bar"
    assert contract.bars_until_label == 0
    assert contract.smooth_penalty - 3 <= contract.jump_penalty <= contract.smooth_penalty
    stay = contract.training.refinement.stay
    assert contract.smooth_penalty == pytest.approx(np.log(2 * stay / (1 - stay)))
    assert detector.model_.contract.evidence == "window"
    assert detector.model_.contract.jump_penalty == 1.0
    assert detector.model_.contract.training.refinement is None


def test_graph_and_twin_agree_and_a_changed_number_is_found(bar_detector, values):
    report = bar_detector.parity_
    assert (report.differences["regime"], report.windows) == (0, 690)
    assert 0 < report.differences["distance"] < 1e-4
    model = onnx.load_from_string(bar_detector.model_.content)
    expected = bar_detector.model_.outputs(values)
    parity.compare(expected, expected)
    windows = np.ascontiguousarray(rg.rolling_windows(values, 11), dtype=np.float32)
    for name in ("emission/matrix", "emission/constants"):
        found = run(perturbed(model, name), windows)
        with pytest.raises(ExportParityError, match="distance by"):
            parity.compare(dict(zip(OUTPUT_NAMES, found, strict=True)), expected)


def test_distances_are_of_the_newest_bars_alone(bars, values):
    distance = bars.outputs(values)["distance"]
    assert (distance.min(axis=1) == 0).all()
    assert distance.max() <= HIGHEST_COST
    order = bars.contract.training.refinement.order
    changed = values.copy()
    changed[300] *= 1.5
    same = np.all(bars.outputs(changed)["distance"] == distance, axis=1)
    # The price is differenced: bar 300 changes the rows 300 and 301, and what follows from them.
    touched = np.flatnonzero(~same) + 10
    assert touched.min() == 300
    assert touched.max() <= 301 + order


def test_the_series_form_gives_the_same(bars, values):
    series = to_series(onnx.load_from_string(bars.content))
    distance = run(series, values.astype(np.float32))[OUTPUT_NAMES.index("distance")]
    np.testing.assert_allclose(distance, bars.outputs(values)["distance"], atol=1e-4)


def test_hindsight_labels_every_bar_that_has_a_window(bars, simulation, values):
    smooth = bars.smooth(values)
    assert (smooth[:10] == smooth[10]).all()
    assert (smooth[10:] >= 0).all()
    states = simulation[0].states
    causal = adjusted_rand_score(states[10:], bars.predict(values)[10:])
    assert adjusted_rand_score(states[10:], smooth[10:]) > causal > 0.6


def test_single_bars_are_better_evidence(bars, model, simulation, values):
    states = simulation[0].states[10:]
    scores = [adjusted_rand_score(states, m.predict(values)[10:]) for m in (bars, model)]
    assert scores[0] > scores[1] + 0.03


def test_probabilities_are_those_of_what_happens(bars, simulation, values):
    """Brier score against the true states: far better than knowing their shares alone."""
    states = simulation[0].states[10:]
    truth = np.eye(3)[states]
    probability = bars.predict_proba(values)[10:]
    brier = np.sum((probability - truth) ** 2, axis=1).mean()
    shares = np.sum((truth.mean(axis=0) - truth) ** 2, axis=1).mean()
    assert brier < 0.4 * shares


def test_a_penalty_that_is_given_is_kept(values, unfitted):
    detector = unfitted("auto").set_params(jump_penalty=2.5, smooth_penalty=7)
    contract = detector.fit(values).model_.contract
    assert (contract.jump_penalty, contract.smooth_penalty) == (2.5, 7.0)


def test_a_refit_keeps_the_names_and_its_bars_follow(unfitted, bar_detector, values):
    """The earlier model's order turned round: density, centroids and labels turn with it."""
    bars = bar_detector.model_
    named = unfitted("auto").set_params(align_to=bars, random_state=1).fit(values)
    assert named.model_.contract.evidence == "bar"
    both = named.labels_ >= 0
    assert np.mean(named.labels_[both] == bar_detector.labels_[both]) > 0.9
    names = [regime.name for regime in named.model_.contract.regimes]
    assert names == [regime.name for regime in bars.contract.regimes]
