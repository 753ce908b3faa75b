"""The number of regimes: the rule, the table it reads, and that neither says yes to everything."""

import numpy as np
import pytest

import regimetry as rg
from regimetry.regimes.choice.candidates import Candidate, Comparison, shortest_dwell
from regimetry.regimes.choice.count import MOST_REGIMES, choose_count, mark
from regimetry.regimes.choice.stability import N_RESAMPLES, circular_blocks, stability
from regimetry.regimes.clustering.head import fit_head
from regimetry.regimes.clustering.slow import fit_slow_directions


def spells(lengths, n_regimes=3):
    return np.repeat(np.arange(len(lengths)) % n_regimes, lengths)


def points_of(labels, spread=0.3, seed=0):
    """Points (N, K) about one corner a regime, in time order."""
    noise = spread * np.random.default_rng(seed).standard_normal((len(labels), 4))
    return np.eye(4)[labels] * 4 + noise


def table_of(gaps, dwells, stabilities=None):
    rows = zip(range(1, 9), gaps, dwells, stabilities or [None, *[0.9] * 7], strict=False)
    return tuple(
        Candidate(
            n_regimes=k,
            eigenvalue=1.0,
            gap=gap,
            stability=agreement,
            stability_deviation=None,
            shortest_dwell=dwell,
            smallest_share=0.1,
        )
        for k, gap, dwell, agreement in rows
    )


def chosen(table):
    (one,) = [entry.n_regimes for entry in table if entry.chosen]
    return one


@pytest.mark.parametrize(
    ("gaps", "dwells", "stabilities", "expected", "reasons"),
    [
        # one cloud, whatever the rest looks like
        ([0.3, 0.2, 0.1], [900, 90, 80], None, 1, {2: "behind 1", 3: "behind 1"}),
        # the largest that lasts
        ([0.1, 0.2, 0.15], [900, 90, 80], None, 3, {1: "behind 2", 2: "3 regimes are plausible"}),
        ([0.1, 0.2, 0.15], [900, 90, 20], None, 2, {3: "a regime lasts 20 bars, less than 50"}),
        # the dwell bound stops there: what lasts again behind it does not count
        ([0.1, 0.2, 0.15, 0.3], [900, 90, 20, 80], None, 2, {4: "with 3, a regime lasts 20"}),
        # the gap must speak for it
        ([0.1, 0.3, 0.05], [900, 90, 80], None, 2, {3: "under a third of that behind 2"}),
        # and resampling
        ([0.1, 0.2, 0.2], [900, 90, 80], [None, 0.8, 0.4], 2, {3: "agrees by 0.40"}),
        # none is left
        ([0.1, 0.2, 0.2], [900, 9, 8], None, 1, {2: "lasts 9 bars", 3: "with 2, a regime lasts 9"}),
        ([0.1], [900], None, 1, {}),
    ],
)
def test_the_rule(gaps, dwells, stabilities, expected, reasons):
    table = choose_count(table_of(gaps, dwells, stabilities), 50)
    assert chosen(table) == expected
    refused = {entry.n_regimes: entry.refused for entry in table if not entry.chosen}
    assert all(refused.values())
    for count, reason in reasons.items():
        assert reason in refused[count]


def test_a_number_that_was_asked_for_is_marked_without_reasons():
    table = mark(table_of([0.3, 0.2, 0.1], [900, 90, 80]), 3)
    assert chosen(table) == 3
    assert {entry.refused for entry in table} == {None}


def test_dwell_is_weighted_by_bars():
    # regime 0: spells of 60 and 40 and five stray bars; regime 1 lasts longer
    labels = np.concatenate([np.zeros(60), np.ones(200), np.zeros(40), *[[1, 0]] * 5]).astype(int)
    assert shortest_dwell(labels, 2) == 60
    assert np.median([60, 40, 1, 1, 1, 1, 1]) == 1  # what a median over spells would say
    assert shortest_dwell(labels, 3) == 0  # a regime without a bar
    breaks = np.zeros(len(labels), dtype=bool)
    breaks[30] = True
    assert shortest_dwell(labels, 2, breaks) == 30


def test_blocks_are_stretches_of_the_series():
    rows = circular_blocks(103, 10, np.random.default_rng(0))
    assert rows.shape == (103,)
    assert set(rows) <= set(range(103))
    steps = (np.diff(rows) - 1) % 103
    assert np.count_nonzero(steps) <= 10  # joins only
    assert len(set(rows)) < 103


def test_stability_knows_regimes_from_a_cloud():
    labels = spells([40, 60, 50] * 6)
    rows = np.arange(0, len(labels), 3)
    found = stability(points_of(labels), rows, labels[rows], 3, block=40, seed=0)
    assert found.shape == (N_RESAMPLES,)
    assert found.min() > 0.95
    cloud = np.random.default_rng(0).standard_normal((len(labels), 4))
    assert stability(cloud, rows, labels[rows], 3, block=40, seed=0).max() < 0.2
    again = stability(points_of(labels), rows, labels[rows], 3, block=40, seed=0)
    np.testing.assert_array_equal(found, again)


def test_the_table_has_a_row_for_each_number_and_a_given_one_beyond():
    labels = spells([60, 90, 70] * 6)
    head = fit_head(points_of(labels), labels.astype(float), n_regimes=11, lag=5, n_landmarks=300)
    (eleven,) = head.candidates
    table = head.table()
    assert [entry.n_regimes for entry in table] == [*range(1, MOST_REGIMES + 1), 11]
    assert chosen(table) == 11
    assert table[-1] is eleven
    third = table[2]
    assert third.stability > 0.95
    assert 0 <= third.stability_deviation < 0.05
    assert third.shortest_dwell >= 55
    assert third.gap == max(entry.gap for entry in table[:8])
    assert third.smallest_share == pytest.approx(np.bincount(labels).min() / len(labels), abs=0.02)
    assert table[0].stability is None
    assert table[0].eigenvalue == pytest.approx(1.0)


@pytest.mark.parametrize("bound", [None, 500])
def test_a_dwell_bound_above_all_spells_leaves_one_regime(bound):
    labels = spells([60, 90, 70] * 6)
    head = fit_head(points_of(labels), labels.astype(float), n_regimes=None, lag=5, min_dwell=bound)
    assert len(head.centroids) == (3 if bound is None else 1)


def test_a_long_series_is_labelled_in_stretches():
    labels = spells([400, 500, 600] * 8)
    points = points_of(labels)
    slow = fit_slow_directions(points, 5)
    white = slow.whiten(points)
    rows = np.arange(len(white))
    comparison = Comparison(
        white.astype(np.float32),
        np.ones(9),
        (2, 3),
        even=rows[::20],
        fitted=rows,
        offsets=np.array([0, len(white)]),
        window_size=5,
        seed=0,
    )
    two, three = comparison.table()
    assert three.stability > 0.95
    assert 200 < three.shortest_dwell <= 600
    assert two.n_regimes == 2


def test_auto_finds_the_states_of_a_simulator():
    """Three correlation states, and one in noise: tests/fit/test_detector.py."""
    values = rg.simulate("s5", seed=0).values
    detector = rg.RegimeDetector(objective=None, random_state=0).fit(values)
    assert detector.n_regimes_ == 4
    recorded = detector.model_.contract.training.candidates
    assert [entry.n_regimes for entry in recorded] == list(range(1, MOST_REGIMES + 1))
    assert [entry.chosen for entry in recorded].index(True) == 3
    assert detector.candidates_ == recorded
