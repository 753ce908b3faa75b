"""Which channels set the regimes apart, against the rows themselves."""

from dataclasses import replace

import numpy as np
import pytest

from regimetry.analysis import apart
from regimetry.regimes.summary import summarise

NAMES = ("pressure", "flow", "noise")


@pytest.fixture(scope="module")
def sample():
    """Regime 1 has another pressure, regime 2 a restless flow; nothing is in the noise."""
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2, 0], [300, 100, 250, 50])
    level = np.array([0.0, 8.0, 0.5])[labels] + 1e3
    spread = np.array([1.0, 1.0, 6.0])[labels]
    noise = generator.standard_normal((len(labels), 3))
    return labels, np.column_stack([level + noise[:, 0], spread * noise[:, 1], noise[:, 2]])


def test_figures_are_those_of_the_rows(sample):
    labels, rows = sample
    found = apart(summarise(labels, rows, 3))
    means = np.array([rows[labels == k].mean(axis=0) for k in range(3)])
    np.testing.assert_allclose(found.explained, means[labels].var(axis=0) / rows.var(axis=0))
    inside = (rows - means[labels]).std(axis=0)
    logs = np.log([rows[labels == k].std(axis=0) for k in range(3)])
    for k in range(3):
        others = [j for j in range(3) if j != k]
        shift = np.abs(means[k] - means[others]) / inside
        np.testing.assert_allclose(found.shift[k], shift.min(axis=0), rtol=1e-6)
        np.testing.assert_allclose(found.spread[k], np.abs(logs[k] - logs[others]).min(axis=0))
    assert found.shift_place[:, 0].tolist() == [-1, 1, 0]
    assert found.spread_place[2, 1] == 1


def test_words_name_the_largest(sample):
    found = apart(summarise(*sample, 3))
    assert found.words(1, NAMES).startswith("pressure 7.")
    assert found.words(1, NAMES).endswith(" deviations above the next")
    assert found.words(2, NAMES).startswith("deviation of flow 6")
    assert found.words(2, NAMES).endswith(" times the next")
    first = found.ranked(1)[0]
    assert (first.kind, first.channel, first.place) == ("shift", 0, 1)
    sizes = [one.size for one in found.ranked(0)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 6


def test_what_is_between_others_is_said():
    labels = np.repeat([0, 1, 2], 100)
    noise = np.random.default_rng(1).standard_normal((300, 1))
    levels = apart(summarise(labels, 5.0 * labels[:, None] + noise, 3))
    assert levels.words(1, NAMES).endswith(" deviations from the next")
    spreads = apart(summarise(labels, np.exp(labels)[:, None] * noise, 3))
    assert spreads.words(1, NAMES).startswith("deviation of pressure a factor 2.")


def test_a_channel_that_is_constant_in_each_regime_is_far_apart():
    labels = np.repeat([0, 1], 50)
    found = apart(summarise(labels, np.column_stack([labels * 0.1, np.arange(100.0)]), 2))
    assert found.words(1, NAMES) == "pressure over 100 deviations above the next"
    assert found.explained[0] == 1.0


def test_nothing_is_apart_of_one_regime_and_of_one_without_rows(sample):
    labels, rows = sample
    one = apart(summarise(np.zeros_like(labels), rows, 1))
    assert one.words(0, NAMES) == ""
    np.testing.assert_allclose(one.explained, 0.0, atol=1e-12)
    (full,) = summarise(np.zeros_like(labels), rows, 1)
    empty = replace(full, share=0.0, mean=(0.0,) * 3, deviation=(0.0,) * 3)
    both = apart([full, empty])
    assert both.words(0, NAMES) == both.words(1, NAMES) == ""
    assert both.to_dict()["shift"] == [[None] * 3] * 2
    constant = replace(full, deviation=(0.0, 1.0, 1.0))
    assert apart([constant]).to_dict()["explained"][0] is None


def test_a_regime_without_rows_does_not_hide_the_others(sample):
    three = summarise(*sample, 3)
    empty = replace(three[0], share=0.0, mean=(8.0 + 1e3, 0.0, 0.0), deviation=(0.0,) * 3)
    found = apart([*three, empty])
    np.testing.assert_allclose(found.shift[:3], apart(three).shift)
    np.testing.assert_array_equal(found.shift_place[:3], apart(three).shift_place)
