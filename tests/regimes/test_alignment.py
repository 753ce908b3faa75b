"""A refit keeps names: matching, births, deaths, chains, and what cannot be aligned."""

import numpy as np
import pandas as pd
import pytest
from encoders import FAST, fit_fast
from price_bars import make_frame

import regimetry as rg
from regimetry.errors import ConfigError
from regimetry.regimes.alignment import LEAST_OVERLAP, align, match_regimes, overlaps
from regimetry.series.features import OhlcvFeatures

NAMES = ("regime_0", "regime_1", "regime_2")


def fit(values, n_regimes, **parameters):
    return fit_fast(values, n_regimes=n_regimes, n_landmarks=250, **parameters)


def names_of(detector):
    return tuple(regime.name for regime in detector.model_.contract.regimes)


def states_of(order, length=80):
    return np.repeat(order, length)


def volatile(states, seed=0):
    """Three independent columns whose deviation is that of the state, four to choose from."""
    noise = np.random.default_rng(seed).standard_normal((len(states), 3))
    return noise * np.array([0.004, 0.012, 0.03, 0.09])[states, None]


@pytest.fixture(scope="module")
def growing():
    """A series of states 0 and 2, and what followed it, in which state 1 came up."""
    first = states_of([0, 2, 0, 2, 0, 2, 0])
    states = np.concatenate([first, states_of([1, 0, 1, 2, 1, 0])])
    return volatile(states), states, len(first)


@pytest.fixture(scope="module")
def early(growing):
    values, _, cut = growing
    return fit(values[:cut], 2)


def test_overlap_is_of_either():
    found = overlaps(np.array([[30, 10], [0, 60], [0, 0]]))
    np.testing.assert_allclose(found, [[30 / 40, 10 / 100], [0, 60 / 70], [0, 0]])


def test_a_pair_below_the_least_overlap_is_none():
    overlap = np.array([[0.39, 0.0], [0.0, 0.41]])
    assert match_regimes(overlap).tolist() == [-1, 1]
    assert LEAST_OVERLAP == 0.4


def test_a_permutation_is_undone():
    old = np.array([-1, -1, *[0] * 20, *[1] * 30, *[2] * 25])
    new = np.where(old < 0, -1, (old + 1) % 3)
    found, order = align(old, new, NAMES, 3)
    assert order.tolist() == [1, 2, 0]
    assert found.mapping == (0, 1, 2)
    assert found.names == NAMES
    assert (found.born, found.dead, found.retired) == ((), (), ())
    np.testing.assert_array_equal(found.overlap, np.eye(3))
    assert found.bars == 75
    # the same labels under the new numbers
    back = np.argsort(order)
    np.testing.assert_array_equal(np.where(new < 0, -1, back[new]), old)


def test_birth_death_and_a_name_that_is_not_used_again():
    old = np.array([0] * 40 + [1] * 40 + [2] * 40)
    new = np.array([1] * 40 + [0] * 20 + [2] * 20 + [3] * 40)  # 1 is split in halves
    new[40:60], new[60:80] = 0, 2
    old[60:66] = 0  # the second half is no longer half of it
    found, _ = align(old, new, NAMES, 4, retired=["regime_7"])
    assert found.mapping == (0, 1, 2, -1)
    assert found.names == (*NAMES, "regime_8")
    assert found.born == ("regime_8",)
    assert found.looks == (0, 1, 2, 3)
    gone, order = align(old, np.where(old == 2, 1, 0), NAMES, 2, retired=["regime_7"])
    assert gone.names == ("regime_0", "regime_2")
    assert order.tolist() == [0, 1]
    assert gone.dead == ("regime_1",)
    assert gone.retired == ("regime_7", "regime_1")
    assert gone.looks == (0, 2)


def test_a_regime_keeps_its_look_and_a_born_one_takes_a_free_one():
    old = np.array([0] * 40 + [1] * 40)
    new = np.array([2] * 40 + [1] * 20 + [0] * 10 + [3] * 10)
    found, _ = align(old, new, ["regime_4", "regime_2"], 4, old_looks=(1, 5))
    assert found.mapping == (0, 1, -1, -1)
    assert found.looks == (1, 5, 0, 2)


def test_names_of_a_persons_own_are_kept():
    old = np.array([0] * 40 + [1] * 40)
    found, _ = align(old, np.array([2] * 40 + [0] * 40 + [1] * 0), ["calm", "storm"], 3)
    assert found.names == ("calm", "storm", "regime_2")


def test_more_data_with_a_new_state(growing, early):
    values, states, _ = growing
    assert names_of(early) == ("regime_0", "regime_1")
    plain = fit(values, 3)
    later = fit(values, 3, align_to=early)
    # the canonical order puts the new state between the two, and its number would be theirs
    assert names_of(plain) == NAMES
    assert names_of(later) == NAMES
    typical = [np.bincount(states[later.labels_ == k]).argmax() for k in range(3)]
    assert typical == [0, 2, 1]
    assert [np.bincount(states[plain.labels_ == k]).argmax() for k in range(3)] == [0, 1, 2]
    found = later.alignment_
    assert (found.over, found.mapping, found.born, found.dead) == (
        "shared",
        (0, 1, -1),
        ("regime_2",),
        (),
    )
    assert found.overlap[0][0] > 0.8
    assert found.overlap[1][1] > 0.8
    assert np.sum(found.counts) == found.bars < len(early.labels_)
    assert found.to == early.model_.contract.fingerprint
    # everything that has a regime axis is in the new order
    contract = later.model_.contract
    moved = np.array([0, 2, 1])
    np.testing.assert_allclose(
        later.transition_matrix_, plain.transition_matrix_[np.ix_(moved, moved)], atol=1e-12
    )
    np.testing.assert_array_equal(later.predict(values), later.labels_)
    assert [r.mean_dwell for r in contract.regimes] == [
        plain.model_.contract.regimes[k].mean_dwell for k in moved
    ]
    assert later.parity_.windows == len(later.embeddings_)


def test_a_state_that_is_gone_and_a_chain_of_refits(growing, early, tmp_path):
    values, states, cut = growing
    later = fit(values, 3, align_to=early)
    later.save(tmp_path / "later.onnx")
    record = rg.load(tmp_path / "later.onnx").contract.training.alignment
    assert record == later.alignment_
    # a window on the recent past, in which state 2 is missing: regime_1 dies, regime_2 lives
    recent = np.concatenate([values[cut : cut + 240], values[cut + 320 :]])
    kept = np.concatenate([states[cut : cut + 240], states[cut + 320 :]])
    third = fit(recent, 2, align_to=tmp_path / "later.onnx")
    assert third.alignment_.over == "all"
    assert names_of(third) == ("regime_0", "regime_2")
    assert third.alignment_.dead == third.alignment_.retired == ("regime_1",)
    assert [np.bincount(kept[third.labels_ == k]).argmax() for k in range(2)] == [0, 1]
    # and a state that is new after that gets a name of its own
    further = states_of([3, 0, 3, 1, 3, 0])
    fourth = fit(np.concatenate([recent, volatile(further, 1)]), 3, align_to=third)
    assert names_of(fourth) == ("regime_0", "regime_2", "regime_3")
    assert fourth.alignment_.retired == ("regime_1",)


def test_bars_that_are_shared_are_known_by_their_time(growing, early):
    values, _, cut = growing
    index = pd.date_range("2020-01-01", periods=len(values), freq="h")
    frame = pd.DataFrame(values, index=index, columns=["a", "b", "c"])
    before = fit(frame[:cut], 2)
    after = fit(frame[100:][["c", "a", "b"]], 3, align_to=before.model_)
    assert after.alignment_.over == "shared"
    assert after.alignment_.bars == cut - 100 - 9
    assert names_of(after)[:2] == ("regime_0", "regime_1")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda early: early.fit, "it must be a model file, a RegimeModel or a fitted detector"),
        (lambda early: fit(volatile(states_of([0, 2, 0]))[:, :2], 2), "have besides x2"),
        (lambda early: rg.RegimeDetector(), "it must be a model file"),
    ],
)
def test_what_cannot_be_aligned_to(growing, early, given, message):
    with pytest.raises(ConfigError, match=message):
        fit(growing[0], 3, align_to=given(early))


def test_other_features_of_bars_are_refused(bars_detector):
    bars = make_frame(260)
    features = OhlcvFeatures.find(bars, window=3)
    detector = rg.RegimeDetector(
        window_size=10, n_regimes=2, encoder=FAST, align_to=bars_detector.model_
    )
    with pytest.raises(ConfigError, match="other features of bars"):
        detector.fit(features.frame(bars), features=features)


def test_an_aligned_detector_is_still_an_estimator(early):
    from sklearn.base import clone

    detector = rg.RegimeDetector(window_size=10, align_to=early.model_)
    assert clone(detector).align_to.contract == early.model_.contract
    assert early.alignment_ is None
    assert early.model_.contract.training.alignment is None
    assert "align_to" not in early.model_.contract.training.configuration
