"""Every score is right on labels that are right, and falls on labels that are wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.protocol import (
    at_centre,
    at_last_bar,
    balanced_accuracy,
    best_matching,
    change_delays,
    paired,
    rename,
    score_in_sample,
    score_out_of_sample,
    share_of_one,
    training_rows,
)

STATES = np.repeat([0, 1, 2, 0, 2, 1, 0, 1, 2, 0], 50)  # T = 500, cut at bar 300


def shuffled(labels, share, seed=0):
    generator = np.random.default_rng(seed)
    wrong = generator.random(len(labels)) < share
    return np.where(wrong, generator.integers(0, 3, len(labels)), labels)


@pytest.mark.parametrize("score", [score_in_sample, score_out_of_sample])
def test_right_labels_score_1_under_any_names(score):
    for names in ([0, 1, 2], [2, 0, 1]):
        scores = score(STATES, np.array(names)[STATES])
        assert (scores.ari, scores.bac, scores.delay, scores.missed) == (1.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize("score", [score_in_sample, score_out_of_sample])
def test_wrong_labels_score_less_the_more_are_wrong(score):
    scores = [score(STATES, shuffled(STATES, share)) for share in (0.0, 0.2, 0.6, 1.0)]
    for name in ("ari", "bac"):
        values = [getattr(s, name) for s in scores]
        assert values == sorted(values, reverse=True)
        assert len(set(values)) == 4
    assert abs(scores[-1].ari) < 0.1
    assert scores[-1].bac == pytest.approx(1 / 3, abs=0.15)
    assert scores[-1].missed > 0.5


def test_one_label_for_all_bars_scores_nothing_and_edges_are_not_scored():
    scores = score_in_sample(STATES, np.zeros_like(STATES))
    assert scores.ari == 0.0
    assert scores.bac == pytest.approx(1 / 3)
    # Named after state 0: the changes to 0 are seen at once, the others never.
    assert scores.missed == pytest.approx(5 / 7, abs=0.1)
    labels = STATES.copy()
    labels[:60] = labels[-60:] = -1
    assert score_in_sample(STATES, labels).ari == 1.0
    assert score_out_of_sample(STATES, labels).bac == 1.0
    labels[60:65] = -1  # a longer window: its first label comes later
    assert score_in_sample(STATES, labels).ari == 1.0
    labels[60:65], labels[100] = STATES[60:65], -1
    with pytest.raises(ValueError, match="Bars 60 to 440 must all have a label; 1 of 380"):
        score_in_sample(STATES, labels)
    with pytest.raises(ValueError, match=r"\(500,\) states and \(499,\) labels"):
        score_in_sample(STATES, labels[1:])


def test_the_training_part_fixes_the_names_out_of_sample_and_is_not_scored():
    labels = STATES.copy()
    cut = training_rows(len(labels))
    assert cut == 300
    labels[cut:] = np.array([1, 2, 0])[labels[cut:]]
    scores = score_out_of_sample(STATES, labels)
    assert scores.ari == 1.0  # the same partition of the rest, ...
    assert scores.bac == 0.0  # ... under the wrong names
    assert scores.missed == 1.0
    assert score_in_sample(STATES, labels).ari < 0.6
    worse = STATES.copy()
    worse[60:300:4] = 0
    assert score_out_of_sample(STATES, worse).ari == 1.0
    worse[300:440:4] = 0
    assert score_out_of_sample(STATES, worse).ari < 1.0


def test_a_late_label_costs_agreement_and_delays_are_as_by_hand():
    for late in (1, 7, 20):
        labels = np.concatenate([np.full(late, STATES[0]), STATES[:-late]])
        scores = score_in_sample(STATES, labels)
        assert scores.delay == late
        assert scores.missed == 0.0
        assert scores.ari < 1.0
    states = np.repeat([0, 1, 0, 1, 0], [10, 12, 3, 6, 8])
    named = states.copy()
    named[10:14] = 0  # four bars late
    named[16] = 0  # before which two bars are too few to hold
    named[25:31] = 0  # a stay of 6 that is never named
    delays = change_delays(states, named)
    # The stay of 3 is shorter than what a detection must hold.
    assert [(d.delay, d.found) for d in delays] == [(7, True), (6, False), (0, True)]
    flicker = np.arange(len(states)) % 2
    assert not any(d.found for d in change_delays(states, flicker))
    assert all(d.delay <= 1 for d in change_delays(states, flicker, hold=1))
    assert change_delays(np.zeros(9, int), np.zeros(9, int)) == []


def test_windows_are_put_at_their_last_bar_or_their_centre():
    windows = np.arange(16)  # T = 20, W = 5: window i covers bars i to i + 4
    np.testing.assert_array_equal(at_last_bar(windows, 20)[4:], windows)
    centred = at_centre(windows, 20, 5)
    assert [int(np.flatnonzero(centred == i)[0]) for i in (0, 15)] == [2, 17]
    assert (centred[:2] == -1).all()
    assert (centred[18:] == -1).all()
    assert not np.array_equal(centred, at_last_bar(windows, 20))
    with pytest.raises(ValueError, match="21 windows of stride 1 do not fit in 20"):
        at_last_bar(np.arange(21), 20)


def test_the_matching_is_the_best_of_all_and_one_to_one():
    states = np.array([0] * 90 + [1] * 10)
    labels = np.array([0] * 50 + [1] * 40 + [1] * 10)
    # By counts label 1 is state 0's; by balance it is all of state 1.
    np.testing.assert_array_equal(best_matching(states, labels), [0, 1])
    extra = np.array([0] * 50 + [2] * 40 + [1] * 10)
    named = rename(extra, best_matching(states, extra))
    assert set(named[50:90]) == {-1}
    assert balanced_accuracy(states, named) == pytest.approx((50 / 90 + 1) / 2)


@given(st.integers(2, 4), st.integers(0, 10_000))
def test_no_other_matching_is_better(n_states, seed):
    from itertools import permutations

    generator = np.random.default_rng(seed)
    states, labels = generator.integers(0, n_states, (2, 60))
    states[:n_states] = labels[:n_states] = np.arange(n_states)
    found = balanced_accuracy(states, rename(labels, best_matching(states, labels)))
    others = (
        balanced_accuracy(states, np.array(names)[labels])
        for names in permutations(range(n_states))
    )
    assert found == pytest.approx(max(others))


def test_absent_states_share_of_one_and_pairs_by_hand():
    states = np.repeat([0, 1], 20)
    assert balanced_accuracy(states, states) == 1.0
    assert balanced_accuracy(states, states, n_states=3) == pytest.approx(2 / 3)
    assert share_of_one(np.array([1, 1, 2, 1])) == 0.75
    result = paired(np.array([0.5, 0.6, 0.7, 0.2]), np.array([0.4, 0.6, 0.4, 0.3]))
    assert result.median == pytest.approx(0.05)
    assert (result.wins, result.losses) == (2, 1)
    swapped = paired(np.array([0.4, 0.6, 0.4, 0.3]), np.array([0.5, 0.6, 0.7, 0.2]))
    assert (swapped.wins, swapped.losses) == (1, 2)
