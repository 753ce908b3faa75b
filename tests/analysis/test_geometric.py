"""The test of spells: exact under a chain, and with power against what lasts otherwise."""

import itertools

import numpy as np
import pytest

from regimetry import simulate
from regimetry.analysis import analyse_labels, geometric_test, spells_of
from regimetry.analysis.geometric import _uniform_lengths
from regimetry.analysis.metadata import regime_metadata


def labels_of(lengths):
    """Spells of two regimes in turn."""
    return np.repeat(np.arange(len(lengths)) % 2, lengths)


def geometric_labels(seed, mean=12.0, count=60):
    return labels_of(np.random.default_rng(seed).geometric(1 / mean, count))


def test_lengths_are_drawn_uniformly_among_all_ways_to_write_the_sum():
    drawn = _uniform_lengths(3, 6, np.random.default_rng(0))
    ways = [way for way in itertools.product(range(1, 5), repeat=3) if sum(way) == 6]
    counts = np.array([np.sum((drawn == way).all(axis=1)) for way in ways])
    assert counts.sum() == len(drawn)  # nothing else
    expected = len(drawn) / len(ways)
    assert ((counts - expected) ** 2 / expected).sum() < 27.9  # chi-square of 9, .999


def test_p_values_of_a_chain_are_uniform():
    p = np.concatenate(
        [geometric_test(spells_of(geometric_labels(s)), 2).p_value for s in range(150)]
    )
    shares = np.array([np.mean(p <= level) for level in (0.1, 0.25, 0.5, 0.75, 0.9)])
    np.testing.assert_allclose(shares, [0.1, 0.25, 0.5, 0.75, 0.9], atol=0.09)  # 3 deviations


def test_fixed_durations_and_mixtures_are_found():
    for seed in range(5):
        regular = geometric_test(spells_of(simulate("s5", seed=seed).states), 4)
        assert regular.not_geometric.any()
        assert "more regular" in regular.words("abcd")
    generator = np.random.default_rng(0)
    means = np.where(generator.random(80) < 0.5, 3.0, 80.0)
    uneven = geometric_test(spells_of(labels_of(generator.geometric(1 / means))), 2)
    assert uneven.not_geometric.all()
    assert "x (more uneven, p 0.00" in uneven.words(["x", "y"])


def test_a_chain_is_said_to_be_one():
    found = geometric_test(spells_of(geometric_labels(1)), 2)
    assert found.words(["x", "y"]) == "like those of a Markov chain"


def test_spells_that_are_cut_off_do_not_count():
    lengths = np.random.default_rng(3).geometric(0.1, 30)
    whole = labels_of(lengths)
    longer = labels_of([500, *lengths[1:-1], 900])  # of both ends only a part is seen
    for name in ("spells", "variation", "p_value"):
        np.testing.assert_array_equal(
            getattr(geometric_test(spells_of(longer), 2), name),
            getattr(geometric_test(spells_of(whole), 2), name),
        )


def test_few_spells_are_not_tested():
    found = geometric_test(spells_of(labels_of([5, 4, 6, 7, 8, 9, 3])), 3)
    assert found.spells.tolist() == [2, 3, 0]
    assert np.isnan(found.p_value).all()
    assert np.isfinite(found.variation[:2]).all()
    assert not found.not_geometric.any()
    assert found.words("xyz") == "not tested: no regime has 5 whole spells"


@pytest.mark.parametrize("lengths", [[1] * 20, [7] * 20], ids=["of one bar", "of seven"])
def test_equal_lengths(lengths):
    p = geometric_test(spells_of(labels_of(lengths)), 2).p_value
    # Spells of one bar can be nothing else, given their sum; seven bars each are no chance.
    assert (p == 1).all() if lengths[0] == 1 else (p < 0.01).all()


def test_many_spells_are_thinned_and_repeat():
    labels = geometric_labels(0, count=3000)
    first, again = (geometric_test(spells_of(labels), 2) for _ in range(2))
    assert first.spells.tolist() == [100, 100]
    np.testing.assert_array_equal(first.p_value, again.p_value)


def test_it_stands_in_the_analysis_and_in_the_metadata(detector):
    labels = detector.labels_
    analysis = analyse_labels(labels, 3)
    expected = geometric_test(spells_of(labels), 3)
    np.testing.assert_array_equal(analysis.geometric.p_value, expected.p_value)
    found = regime_metadata(detector.model_.contract, analysis, data={})
    for regime, spells in zip(found["regimes"], expected.spells, strict=True):
        assert regime["geometric"]["spells"] == spells
