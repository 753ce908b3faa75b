"""States of some rows name regimes and seed clusters, are held against them, and leak nowhere."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from regimetry.contract import KnownRecord, read_contract
from regimetry.errors import ConfigError, DataError, DataWarning
from regimetry.fit.known import known_states
from regimetry.fit.source import panel_source
from regimetry.regimes.clustering.known import seeded
from regimetry.regimes.clustering.landmarks import Clustering


@pytest.fixture(scope="module")
def states(simulation):
    """The true states of 700 bars, known for a few stretches alone."""
    true = simulation[0].states
    known = np.full(len(true), -1)
    known[100:220], known[400:460] = true[100:220], true[400:460]
    return known


@pytest.fixture(scope="module")
def told(unfitted, values, states):
    return unfitted("window").fit(values, states)


def test_regimes_are_called_by_the_states_that_they_are(told, simulation, states):
    record = told.model_.contract.training.known
    counts = np.zeros((3, len(record.states)), int)
    both = (states >= 0) & (told.labels_ >= 0)
    numbers = [int(name.removeprefix("state_")) for name in record.states]
    assert numbers == sorted(set(states[states >= 0].tolist()))
    np.add.at(counts, (told.labels_[both], np.searchsorted(numbers, states[both])), 1)
    assert record.counts == tuple(map(tuple, counts.tolist()))
    assert record.rows == both.sum()
    agreed = sum(counts[k, s] for k, s in enumerate(record.mapping) if s >= 0)
    assert record.share == pytest.approx(agreed / both.sum())
    assert record.share > 0.8
    names = [one.name for one in told.model_.contract.regimes]
    true = simulation[0].states
    for regime, name in enumerate(names):
        if name.startswith("state_"):
            rows = true[told.labels_ == regime]
            assert np.bincount(rows).argmax() == int(name.removeprefix("state_"))
    assert sum(name.startswith("state_") for name in names) >= 2


def test_fit_predict_reads_states_too(told, unfitted, values, states):
    detector = unfitted("window")
    np.testing.assert_array_equal(detector.fit_predict(values, states), told.labels_)
    assert detector.model_.contract == told.model_.contract


def test_the_record_goes_through_the_file(told):
    contract = told.model_.contract
    again = read_contract(contract.to_metadata(), "x")
    assert again.training.known == contract.training.known
    assert isinstance(again.training.known, KnownRecord)


def test_labels_stay_causal(told, values):
    """Whatever comes later changes no label, and states of the fit are not asked for again."""
    cut = 450
    other = values.copy()
    other[cut:, :3] *= -3.0
    np.testing.assert_array_equal(told.predict(values)[:cut], told.predict(other)[:cut])
    np.testing.assert_array_equal(told.predict(values[:cut]), told.predict(values)[:cut])
    np.testing.assert_array_equal(told.labels_, told.predict(values))


def test_where_clusters_are_right_already_states_change_names_alone(told, detector, values):
    assert np.mean(told.labels_ == detector.labels_) > 0.95


def test_text_frames_newest_first_and_gaps(unfitted, values, states):
    frame = pd.DataFrame(
        values, columns=list("abcd"), index=pd.date_range("2020-01-01", periods=len(values))
    )
    words = pd.Series(states).map({0: "calm", 1: "middle", 2: "wild"}).to_numpy(object)
    plain = unfitted("window").fit(frame, words)
    with pytest.warns(DataWarning, match="newest first"):
        turned = unfitted("window").fit(frame[::-1], words[::-1])
    record = plain.model_.contract.training.known
    assert turned.model_.contract.training.known == record
    assert set(record.states) <= {"calm", "middle", "wild"}
    assert record.share > 0.8
    holes = frame.copy()
    holes.iloc[300:303, 0] = np.nan
    with pytest.warns(DataWarning, match="left out 3 rows"):
        split = unfitted("window").set_params(missing="gap").fit(holes, words)
    assert split.model_.contract.training.known.share > 0.8


def test_states_of_instruments_in_any_order(values, states, unfitted):
    one = pd.DataFrame(values[:, :3], columns=list("abc")).assign(s=states, name="x")
    two = pd.DataFrame(values[::-1, :3], columns=list("abc")).assign(s=states[::-1], name="y")
    mixed = pd.concat([one, two]).sort_index(kind="stable", ignore_index=True)
    source = panel_source(mixed[["a", "b", "c", "name"]], "name")
    found = known_states(mixed["s"], source)
    numbers = np.array([int(name.removeprefix("state_")) for name in found.names] + [-1])
    np.testing.assert_array_equal(numbers[found.state[:700]], states)
    np.testing.assert_array_equal(numbers[found.state[700:]], states[::-1])


def test_an_earlier_models_names_come_first_then_a_list(told, unfitted, values, states):
    others = np.where(states >= 0, states + 5, -1)
    refit = unfitted("window").set_params(align_to=told).fit(values, others)
    kept = [regime.name for regime in told.model_.contract.regimes]
    assert [regime.name for regime in refit.model_.contract.regimes] == kept
    own = unfitted("window").set_params(names={1: "mine"}).fit(values, states)
    names = [regime.name for regime in own.model_.contract.regimes]
    assert names[1] == "mine"
    assert any(name.startswith("state_") for name in names)


def test_seeds_lead_clusters_to_their_states():
    """Four lumps, of which k-means with two centres joins the wrong pairs; states say which."""
    generator = np.random.default_rng(0)
    lumps = np.array([[0, 0], [0, 2.0], [2.1, 0], [2.1, 2.0]])
    points = np.repeat(lumps, 50, axis=0) + 0.05 * generator.standard_normal((200, 2))
    by_first = np.repeat([0, 0, 1, 1], 50)
    begun = Clustering(None, np.array([[0, 1.0], [2.1, 1.0]]), points, by_first)
    known = np.full(200, -1)
    known[[0, 1, 100, 101]], known[[50, 51, 150, 151]] = 4, 7  # by the second coordinate
    found = seeded(begun, known)
    np.testing.assert_array_equal(found.labels[:50] == found.labels[100:150], True)
    assert (found.labels[:50] != found.labels[50:100]).all()
    many = np.arange(200)
    assert seeded(begun, many) is begun
    assert seeded(begun, np.full(200, -1)) is begun


@pytest.fixture
def small():
    return panel_source(np.random.default_rng(0).standard_normal((6, 2)))


@pytest.mark.parametrize(
    ("y", "names", "state"),
    [
        ([-1, 10, 9, -1, 9, 10], ("state_9", "state_10"), [-1, 1, 0, -1, 0, 1]),
        ([np.nan, 1.0, 0.0, -1.0, 0.0, 1.0], ("state_0", "state_1"), [-1, 1, 0, -1, 0, 1]),
        (["", "b", "a", None, float("nan"), "b"], ("a", "b"), [-1, 1, 0, -1, -1, 1]),
        (pd.array([None, 1, 0, 1, None, 0], "Int64"), ("state_0", "state_1"), [-1, 1, 0, 1, -1, 0]),
        ([True, False, True, True, True, False], ("False", "True"), [1, 0, 1, 1, 1, 0]),
    ],
)  # fmt: skip
def test_kinds_of_states(small, y, names, state):
    found = known_states(y, small)
    assert found.names == names
    assert found.state.tolist() == state


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1], "y has 2 states and there are 6 rows; give one for each."),
        (np.zeros((6, 1)), r"y has shape \(6, 1\); it must hold one state for each row."),
        ([0.5] * 6, "y holds numbers that are not whole"),
        ([np.inf] * 6, "y holds numbers that are not whole"),
        ([1j] * 6, "y is of type complex128; it must hold whole numbers or text."),
        (["a\x1b"] * 6, "without control characters. Give states, not measurements."),
    ],
)
def test_what_is_no_state_is_refused(small, y, message):
    with pytest.raises(DataError, match=message):
        known_states(y, small)


def test_rows_that_states_cannot_be_held_against_are_refused(small, values):
    mapping = panel_source({"a": values, "b": values})
    with pytest.raises(ConfigError, match="Give one frame with a column that names"):
        known_states(np.zeros(1400), mapping)
    frame = pd.DataFrame(
        values, columns=list("abcd"), index=pd.date_range("2020-01-01", periods=700, freq="s")
    )
    with pytest.raises(ConfigError, match="resample is '2s', which makes other rows"):
        rg.RegimeDetector(resample="2s").fit(frame, np.zeros(700, int))
    with pytest.raises(ConfigError, match="Raise max_windows, or leave y out"):
        rg.RegimeDetector(window_size=10, max_windows=300).fit(values, np.zeros(700, int))
    with pytest.warns(DataWarning, match="y knows the state of no row"):
        assert known_states([-1] * 6, small) is None


@pytest.fixture(scope="module")
def switches():
    """Two channels that switch by themselves, at other times: two regimes can be of either."""
    generator = np.random.default_rng(0)
    first = np.repeat(generator.permutation(24) % 2, 60)
    second = np.roll(np.repeat(generator.permutation(24) % 2, 60), 30)
    values = 3.0 * np.column_stack([first, second]) + generator.standard_normal((1440, 2))
    return values, (first, second)


@pytest.mark.parametrize("channel", [0, 1])
def test_states_decide_what_the_regimes_are_of(unfitted, switches, channel):
    values, true = switches
    known = np.where(np.arange(1440) < 500, true[channel], -1)
    detector = unfitted("window").set_params(n_regimes=2, difference="none").fit(values, known)
    later = slice(500, None)  # whose states the fit did not know
    scores = [adjusted_rand_score(one[later], detector.labels_[later]) for one in true]
    assert scores[channel] > 0.6
    assert scores[1 - channel] < 0.2
