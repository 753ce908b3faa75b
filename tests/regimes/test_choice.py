"""Window size and number of regimes: terms of the score, the rule, and what it says."""

from dataclasses import replace

import numpy as np
import pytest
from encoders import FAST, fit_fast

import regimetry as rg
from regimetry.contract import Candidate
from regimetry.encoder import EncoderConfig
from regimetry.fit.choose import MOST_ROWS, looked_at
from regimetry.regimes.choice.candidates import (
    LEAST_WINDOWS,
    SIZES,
    Sample,
    candidates_of,
    shortest_dwell,
    sizes_for,
    stride_for,
)
from regimetry.regimes.choice.rule import LEAST_EVIDENCE, LEAST_STEPS, choose, objection, score
from regimetry.regimes.choice.terms import (
    entropy,
    lasting,
    recognised,
    steps,
    surrogate,
    tightness,
)

GOOD = Candidate(
    window_size=20,
    n_regimes=2,
    windows=100.0,
    entropy=0.69,
    recognised=0.95,
    lasting=0.9,
    tightness=0.3,
    steps=0.2,
    shortest_dwell=80.0,
)


def two_clouds(n=600, apart=4.0, spell=50, seed=0):
    """Points (N, 3) in two clouds that take turns, and which."""
    states = np.arange(n) // spell % 2
    noise = np.random.default_rng(seed).standard_normal((n, 3))
    return noise + apart * states[:, None] * np.array([1.0, 0.0, 0.0]), states


def test_the_score_is_the_formula():
    expected = 0.69**0.75 * 0.95 * 0.9**2 - np.log(100) / 100
    assert score(GOOD) == pytest.approx(expected)
    assert score(replace(GOOD, n_regimes=4)) == pytest.approx(expected - 2 * np.log(100) / 100)
    assert score(replace(GOOD, lasting=-0.2)) == pytest.approx(-np.log(100) / 100)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"windows": LEAST_WINDOWS - 1.0}, "holds 19 such windows side by side, less than 20"),
        ({"lasting": 0.0}, "one regime scores more"),
        (
            {"steps": 0.9 * LEAST_STEPS},
            "a smooth curve explains the windows as well as steps (+0.06)",
        ),
        ({"steps": 1.1 * LEAST_STEPS}, None),
        ({"tightness": -0.1}, "hardly looser regimes"),
        ({"tightness": 0.9 * LEAST_EVIDENCE / score(GOOD)}, "hardly looser regimes"),
        ({"tightness": 1.1 * LEAST_EVIDENCE / score(GOOD)}, None),
    ],
)
def test_what_speaks_against_a_candidate(change, said):
    found = objection(replace(GOOD, **change))
    assert found is None if said is None else said in found


def test_the_largest_score_is_chosen_and_every_other_says_why_not():
    better = replace(GOOD, window_size=40, n_regimes=3, entropy=1.1)
    loose = replace(GOOD, n_regimes=4, entropy=1.4, tightness=0.0)
    one, *table = choose([GOOD, better, loose], window_size=10)
    assert (one.window_size, one.n_regimes, one.score) == (10, 1, 0.0)
    assert [entry.chosen for entry in table] == [False, True, False]
    beaten = f"K = 3 with windows of 40 scores {score(better):.2f}"
    assert one.refused == table[0].refused == beaten
    assert table[2].refused == objection(loose)
    assert [entry.score for entry in table] == [score(e) for e in (GOOD, better, loose)]
    alone, *_ = choose([loose], window_size=10)
    assert alone.chosen


def test_with_the_number_given_there_are_such_regimes():
    short = replace(GOOD, window_size=40, windows=10.0, entropy=1.0)
    loose = replace(GOOD, tightness=-1.0)
    table = choose([loose, short], window_size=10, n_regimes=2)
    assert [entry.chosen for entry in table] == [True, False]
    (only,) = choose([short], window_size=10, n_regimes=2)
    assert only.chosen  # of what there is
    (one,) = choose([], window_size=10, n_regimes=1)
    assert (one.n_regimes, one.chosen) == (1, True)


def test_a_bound_on_dwell_is_kept():
    assert choose([GOOD], window_size=10, min_dwell=80)[1].chosen
    one, brief = choose([GOOD], window_size=10, min_dwell=81)
    assert one.chosen
    assert brief.refused == "a regime lasts 80 rows, less than 81"


def test_entropy_and_lasting():
    labels = np.repeat([0, 1, 0, 1], 100)
    assert entropy(labels) == pytest.approx(np.log(2))
    assert entropy(np.zeros(9, int)) == 0.0
    offsets = np.array([0, 400])
    assert lasting(labels, 2, 10, offsets) == pytest.approx(2 * 180 / 190 - 1, abs=0.06)
    phases = np.arange(400) // 10 % 2
    assert lasting(phases, 2, 10, offsets) == pytest.approx(-1.0, abs=0.01)
    # No pair crosses from one series into another.
    assert lasting(labels, 2, 10, np.array([0, 100, 200, 300, 400])) == pytest.approx(1.0)


def test_regimes_are_recognised_at_other_times_and_noise_is_not():
    points, states = two_clouds()
    assert recognised(points, states, 2, 20, 10) > 0.95
    chance = np.random.default_rng(1).permutation(states)
    assert recognised(points, chance, 2, 20, 10) < 0.65
    once = np.arange(len(points)) // 300
    assert recognised(points + 4.0 * once[:, None], once, 2, 20, 10) > 0.95


def test_a_surrogate_has_the_same_spectra_and_other_rows():
    rows = np.cumsum(np.random.default_rng(0).standard_normal((501, 2)), axis=0)
    rows[:, 1] += rows[:, 0]
    other = surrogate(rows, np.random.default_rng(1))
    spectra = [np.fft.rfft(one - one.mean(axis=0), axis=0) for one in (rows, other)]
    np.testing.assert_allclose(*map(np.abs, spectra), rtol=1e-6, atol=1e-6)
    cross = [one[:, 0] * one[:, 1].conj() for one in spectra]
    np.testing.assert_allclose(*cross, rtol=1e-6, atol=1e-4)
    assert np.abs(other - rows).max() > 1.0


def test_clusters_are_tight_and_a_cloud_is_not():
    points, _ = two_clouds(apart=8.0)
    cloud = np.random.default_rng(3).standard_normal((2, 600, 3)) * points.std(axis=0)
    assert tightness(points, list(cloud), 2, 0) > 0.5
    assert abs(tightness(cloud[0], [cloud[1]], 2, 0)) < 0.1


def test_steps_explain_jumps_and_a_curve_what_passes():
    jumps = np.repeat([0, 1, 0, 1], 100)
    clean = np.eye(2)[jumps]
    waves = np.cos(np.pi * np.outer(np.arange(1, 4), np.arange(400) + 0.5) / 400)
    along = clean - clean.mean(axis=0)
    projected = along.T @ waves.T / 200  # on each of the first three cosines
    smooth = 200 * np.sum(projected**2) / np.sum(along**2)
    assert steps(clean, jumps) == pytest.approx(1.0 - smooth, abs=1e-6)
    assert steps(clean, jumps) > 0.1
    trend = np.linspace(0.0, 1.0, 400)
    levels = np.arange(400) // 100
    assert steps(np.column_stack([trend, 1.0 - trend]), levels) < 0.0
    assert steps(np.ones((400, 2)), levels) == pytest.approx(0.0)


def test_candidates_are_described():
    points, states = two_clouds(900, spell=90)
    sample = Sample.of([points[:450], points[450:]], 10, 1, 8)
    noise = np.random.default_rng(5).standard_normal((2, 900, 3))
    others = [Sample.of([one[:450], one[450:]], 10, 1, 8) for one in noise]
    two, three = candidates_of(sample, others, 900, (2, 3), seed=0)
    assert (two.window_size, two.n_regimes, two.windows) == (10, 2, 90.0)
    assert two.changes == np.sum(np.diff(states) != 0)
    assert two.shortest_dwell == pytest.approx(90, abs=2)
    assert two.smallest_share == pytest.approx(0.5, abs=0.01)
    assert two.tightness > 0.3
    assert two.steps > 2 * LEAST_STEPS
    assert score(two) > score(three)
    assert (two, three) == candidates_of(sample, others, 900, (2, 3), seed=0)


def test_sizes_and_strides_follow_the_length():
    assert sizes_for(50) == (10,)
    assert sizes_for(800) == (10, 20, 40)
    assert sizes_for(10**6) == SIZES
    assert [stride_for(size, 2000) for size in (10, 40, 320)] == [1, 4, 32]
    assert stride_for(10, 31_000) == 10


def test_a_bounded_number_of_rows_is_looked_at():
    long = np.zeros((3 * MOST_ROWS, 1))
    (end,) = looked_at([long])
    assert len(end) == MOST_ROWS
    assert np.shares_memory(end, long)
    many = [np.zeros((1000 + i, 1)) for i in range(100)]
    some = looked_at(many)
    assert 0.5 * MOST_ROWS < sum(map(len, some)) < 1.5 * MOST_ROWS
    assert len(some[0]) == 1099
    assert len(looked_at(many[:3])) == 3


@pytest.mark.parametrize(
    ("labels", "expected"),
    [([0, 0, 0, 1, 1], 2.0), ([0, 0, 1, 0, 0, 0, 0, 1, 1, 1], 3.0), ([0, 0, 0], 0.0)],
)
def test_the_shortest_dwell_is_weighted_by_windows(labels, expected):
    assert shortest_dwell(np.array(labels), 2) == expected


@pytest.fixture(scope="module")
def chosen():
    """A fit on three volatilities, everything chosen, by convolutions beside a small encoder."""
    values = rg.simulate("s2", n_rows=900, seed=3).values
    encoder = EncoderConfig(**{**vars(FAST), "convolutions": "auto"})
    return fit_fast(values, window_size="auto", encoder=encoder)


def test_a_fit_chooses_both_and_keeps_the_table(chosen):
    contract = chosen.model_.contract
    (row,) = [entry for entry in chosen.candidates_ if entry.chosen]
    assert (row.window_size, row.n_regimes) == (contract.window_size, contract.n_regimes)
    assert contract.training.candidates == chosen.candidates_
    assert {entry.window_size for entry in chosen.candidates_} == {10, 20, 40}
    assert row.n_regimes > 1
    shown = contract.training.compared
    assert {entry.n_regimes for entry in shown if entry.window_size == row.window_size} >= set(
        range(2, 10)
    )
    assert len(shown) < len(chosen.candidates_)


def test_what_is_given_is_kept_and_the_rest_chosen(chosen):
    values = rg.simulate("s2", n_rows=900, seed=3).values
    by_size = fit_fast(values, window_size=20)
    assert {entry.window_size for entry in by_size.candidates_} == {20}
    by_count = fit_fast(values, window_size="auto", n_regimes=4)
    assert {entry.n_regimes for entry in by_count.candidates_} == {4}
    assert by_count.n_regimes_ == 4


@pytest.mark.parametrize("made", ["trend", "slow cycle"])
def test_what_passes_smoothly_is_one_regime(made):
    rows = np.arange(1500)
    smooth = rows / 500 if made == "trend" else np.sin(2 * np.pi * rows / 500)
    noise = np.random.default_rng(1).standard_normal(len(rows))
    values = smooth + (1.0 if made == "trend" else 0.1) * noise
    encoder = EncoderConfig(**{**vars(FAST), "convolutions": "alone"})
    detector = fit_fast(values[:, None], window_size="auto", encoder=encoder)
    assert detector.n_regimes_ == 1
    best = max(detector.candidates_, key=lambda entry: entry.score)
    assert "a smooth curve explains" in best.refused


def test_noise_is_one_regime():
    noise = np.random.default_rng(0).standard_normal((700, 2))
    detector = fit_fast(noise, window_size="auto")
    assert detector.n_regimes_ == 1
    assert detector.model_.contract.window_size == SIZES[0]


def test_where_the_number_is_given_windows_that_show_it_come_first():
    def entry(size, recognised, tightness, windows=200.0):
        return Candidate(
            window_size=size, n_regimes=2, windows=windows, entropy=0.69, recognised=recognised,
            lasting=1.0, steps=0.3, tightness=tightness, shortest_dwell=100.0,
        )  # fmt: skip

    def chosen(*table):
        found = choose(table, window_size=10, n_regimes=2)
        return next(one.window_size for one in found if one.chosen)

    shown, loose = entry(20, 0.5, 0.2), entry(80, 0.9, -0.01)
    assert chosen(entry(10, 0.4, 0.0), shown, loose) == 20  # the longest would score more
    assert chosen(entry(10, 0.4, 0.0), entry(20, 0.5, 0.0), loose) == 80  # none shows it
    few = entry(80, 0.9, -0.01, windows=1.0)
    assert chosen(entry(10, 0.4, 0.0), entry(20, 0.5, 0.0), few) == 20
    assert chosen(entry(10, 0.4, 0.0, windows=1.0), few) == 80
