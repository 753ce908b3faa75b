"""Changes of regime that are told: each once, where it held, and never twice in a row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regimetry.errors import ConfigError
from regimetry.runtime.changes import ChangeRule, ChangesOfOne

LABELS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0.5, 0.8, 0.9])), max_size=60
)
"""Series, regime and its probability, bar by bar."""


def arrays_of(labels):
    series, regime, probability = (np.array([one[i] for one in labels]) for i in range(3))
    every = np.full((len(labels), 3), 0.1)
    every[np.arange(len(labels)), regime.astype(int)] = probability
    return series.astype(np.int64), regime.astype(np.int64), every


def plain(labels, rule):
    """The rule in plain words, one series at a time: the oracle."""
    told, runs, found = {}, {}, []
    for row, (series, regime, probability) in enumerate(labels):
        last, length = runs.get(series, (None, 0))
        length = length + 1 if last == regime else 1
        runs[series] = regime, length
        holds = length >= rule.bars and probability >= rule.probability
        if holds and told.get(series, -1) != regime:
            found.append((row, told.get(series, -1), regime, probability, length))
            told[series] = regime
    return found


def follow(rule, labels, cuts=()):
    """Follow labels in as many pushes as they are cut into."""
    state, found, first = rule.begin(3), [], 0
    for end in (*sorted(cuts), len(labels)):
        state, changes = rule.follow(state, *arrays_of(labels[first:end]))
        rows = zip(*(column.tolist() for column in changes), strict=True)
        found += [(first + row, *rest) for row, *rest in rows]
        first = end
    return found


@given(labels=LABELS, bars=st.integers(1, 4), cuts=st.lists(st.integers(0, 60), max_size=4))
def test_changes_are_those_of_the_plain_rule_in_any_pushes(labels, bars, cuts):
    rule = ChangeRule(probability=0.8, bars=bars)
    assert follow(rule, labels, [min(cut, len(labels)) for cut in cuts]) == plain(labels, rule)


@given(labels=LABELS, bars=st.integers(1, 4))
def test_one_event_a_held_change_and_no_flicker(labels, bars):
    rule = ChangeRule(probability=0.8, bars=bars)
    told = {}
    for row, before, regime, probability, held in follow(rule, labels):
        series = labels[row][0]
        assert regime != before == told.get(series, -1)  # never two in a row of the same
        told[series] = regime
        assert probability >= 0.8
        mine = [one[1] for one in labels[: row + 1] if one[0] == series]
        assert mine[-bars:] == [regime] * bars  # it held so long
        assert mine[-held:] == [regime] * held


@given(labels=LABELS)
def test_a_series_alone_is_told_the_same(labels):
    labels = [(0, *rest) for _, *rest in labels]
    rule = ChangeRule(probability=0.8, bars=2)
    one, found = ChangesOfOne(rule), []
    for row, (_, regime, _) in enumerate(labels):
        changes = one.follow(regime, arrays_of(labels)[2][row])
        found += [(row, *rest) for _, *rest in zip(*(c.tolist() for c in changes), strict=True)]
    assert found == plain(labels, rule)


def test_what_does_not_hold_is_told_by_a_laxer_rule_alone():
    labels = [(0, regime, 0.9) for regime in (0, 0, 1, 0, 0, 1, 1)]
    tell = {bars: follow(ChangeRule(bars=bars), labels) for bars in (1, 2, 3)}
    assert [[one[2] for one in tell[bars]] for bars in (1, 2, 3)] == [[0, 1, 0, 1], [0, 1], []]
    assert follow(ChangeRule(probability=0.95, bars=1), labels) == []


def test_bars_that_are_no_rule_are_refused():
    for probability in (-0.1, 1.1, float("nan")):
        with pytest.raises(ConfigError, match="from 0 to 1"):
            ChangeRule(probability=probability)
    with pytest.raises(ConfigError, match="bars of a change"):
        ChangeRule(bars=0)
