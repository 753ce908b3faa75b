"""Drift: block length, resampling, novelty, and the rates that matter."""

import math
from functools import cache

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length

from regimetry.analysis import comparable_novelty, detect_drift
from regimetry.analysis.block_length import block_length
from regimetry.analysis.drift import LINES, holm
from regimetry.analysis.resample import MatchedBlocks
from regimetry.analysis.transitions import transition_counts
from regimetry.errors import ConfigError, DataError

K = 3


def chain(n_rows, stay, generator, k=K):
    states = np.empty(n_rows, dtype=np.int64)
    states[0] = generator.integers(k)
    moves, others = generator.random(n_rows) >= stay, generator.integers(1, max(k, 2), n_rows)
    for row in range(1, n_rows):
        states[row] = (states[row - 1] + moves[row] * others[row]) % k
    return states


def ar1(n_rows, coefficient, generator):
    values = generator.standard_normal(n_rows)
    for row in range(1, n_rows):
        values[row] += coefficient * values[row - 1]
    return values


def slow_block_length(x):
    """The rule as it is written, lag by lag."""
    n, x = len(x), x - x.mean()
    window = max(5, math.ceil(math.log10(n)))
    most = math.ceil(math.sqrt(n)) + window
    r = [float((x[: n - k] * x[k:]).sum() / n) for k in range(most + 1)]
    small = [abs(value / r[0]) < 2 * math.sqrt(math.log10(n) / n) for value in r]
    quiet = [m for m in range(most - window + 1) if all(small[m + 1 : m + 1 + window])]
    last = quiet[0] if quiet else max(k for k in range(1, most + 1) if not small[k])
    cut = min(2 * max(last, 1), most)
    g = slope = 0.0
    for k in range(-cut, cut + 1):
        weight = 1.0 if abs(k) / cut <= 0.5 else 2 * (1 - abs(k) / cut)
        g += weight * r[abs(k)]
        slope += weight * abs(k) * r[abs(k)]
    return min(max((2 * slope**2 / (2 * g**2)) ** (1 / 3) * n ** (1 / 3), 1.0), n / 3)


@pytest.mark.parametrize("coefficient", [0.0, 0.3, 0.8, 0.95])
@pytest.mark.parametrize("n_rows", [200, 1500])
def test_block_lengths_follow_the_rule(coefficient, n_rows):
    series = ar1(n_rows, coefficient, np.random.default_rng(3))
    expected = slow_block_length(series)
    assert block_length(series) == pytest.approx(expected)
    # arch cuts one lag later.
    theirs = float(optimal_block_length(series)["stationary"].iloc[0])
    assert expected == pytest.approx(max(theirs, 1.0), rel=0.35)


def test_block_length_of_nothing_is_one():
    assert block_length(np.ones(100)) == 1.0
    assert block_length(np.array([1.0, 2.0])) == 1.0


def test_blocks_join_as_regimes_do_and_end_at_interruptions():
    generator = np.random.default_rng(0)
    # Regimes go round in one direction only, which joins must keep.
    labels = np.repeat(np.arange(60) % 3, generator.integers(1, 9, 60))
    joined = np.arange(len(labels)) > 0
    seen = transition_counts(labels, 3) > 0
    rows = MatchedBlocks(labels, joined, 5.0).draw(50, 400, generator)
    assert rows.shape == (50, 400)
    assert sum((np.diff(row) != 1).sum() for row in rows) > 1000  # blocks do end
    # Only where the series ends may a block start anywhere.
    for row in rows:
        drawn = labels[row]
        ends = row[:-1] == len(labels) - 1
        pairs = np.stack([drawn[:-1], drawn[1:]])[:, ~ends]
        assert seen[pairs[0], pairs[1]].all()
    labels = np.zeros(40, dtype=int)
    joined = np.arange(40) % 10 > 0
    rows = MatchedBlocks(labels, joined, 1e9).draw(30, 100, np.random.default_rng(0))
    steps = np.diff(rows) == 1
    assert joined[rows[:, 1:][steps]].all()
    rows = MatchedBlocks(np.array([2]), np.array([False]), 3.0).draw(2, 4, np.random.default_rng(0))
    assert rows.tolist() == [[0] * 4] * 2


def test_novelty_leaves_overlapping_windows_out():
    generator = np.random.default_rng(0)
    reference, recent = generator.standard_normal((120, 4)), generator.standard_normal((30, 4))
    before, after = comparable_novelty(reference, recent, 10)
    scaled = (reference - reference.mean(axis=0)) / reference.std(axis=0)
    new = (recent - reference.mean(axis=0)) / reference.std(axis=0)
    for i in range(120):
        far = [np.linalg.norm(scaled[i] - scaled[j]) for j in range(120) if abs(i - j) >= 10]
        assert before[i] == pytest.approx(min(far))
    for i in range(30):
        assert after[i] == pytest.approx(np.linalg.norm(new[i] - scaled, axis=1).min())
    with pytest.raises(DataError, match="give 20 windows; drift needs at least 21"):
        comparable_novelty(reference[:20], recent, 10)


def test_holm_by_hand():
    adjusted = holm(np.array([0.04, 0.01, np.nan, 0.03]))
    np.testing.assert_allclose(adjusted, [0.06, 0.03, np.nan, 0.06])


def run(generator, number, *, stay=0.97, shift=0.0, states=K):
    old = chain(1500, 0.97, generator)
    new = chain(400, stay, generator, states)
    novelty = [np.exp(0.2 * ar1(len(s), 0.9, generator) + 0.2 * s) for s in (old, new)]
    return detect_drift(
        old,
        new,
        K,
        training_novelty=novelty[0],
        recent_novelty=novelty[1] * np.exp(shift),
        draws=199,
        seed=number,
    )


@cache
def verdicts(n_runs, **change):
    generator = np.random.default_rng(11)
    found = [run(generator, number, **change) for number in range(n_runs)]
    lines = {
        name: np.mean([drift.lines[i].verdict == "drift" for drift in found])
        for i, name in enumerate(LINES)
    }
    return lines, np.mean([drift.drifted for drift in found])


def test_false_alarms_keep_to_the_level():
    _, rate = verdicts(120)
    # At a true rate of .05, more than 12 of 120 come once in a hundred times.
    assert rate <= 12 / 120


@pytest.mark.parametrize(
    ("change", "line"),
    [({"shift": 1.0}, "novelty"), ({"stay": 0.85}, "dwell"), ({"stay": 0.85}, "transitions"),
     ({"states": 1}, "occupancy")],
)  # fmt: skip
def test_drift_is_found_in_the_line_where_it_is(change, line):
    lines, rate = verdicts(20, **change)
    assert rate >= 0.9
    assert lines[line] >= 0.75


def test_a_regime_that_training_never_saw_is_drift_and_one_alone_is_not():
    generator = np.random.default_rng(0)
    old = chain(1000, 0.95, generator, 2)
    new = np.concatenate([chain(100, 0.95, generator, 2), np.full(60, 2)])
    found = detect_drift(old, new, 3, draws=199)
    by_name = {line.name: line for line in found.lines}
    assert by_name["novelty"].verdict == "not tested"
    assert by_name["occupancy"].verdict == "drift"
    found = detect_drift(np.zeros(300, int), np.zeros(50, int), 1, draws=199)
    assert [line.verdict for line in found.lines] == ["not tested"] * 4
    assert not found.drifted
    assert found.to_dict()["lines"][0]["p_value"] is None


def test_the_seed_decides_and_missing_labels_are_no_transitions():
    generator = np.random.default_rng(0)
    old, new = chain(500, 0.9, generator), chain(100, 0.9, generator)
    first, again, other = (detect_drift(old, new, K, draws=199, seed=s) for s in (0, 0, 1))
    assert first.lines[1] == again.lines[1]
    assert first.lines[1].p_value != other.lines[1].p_value
    generator = np.random.default_rng(0)
    labels = chain(400, 0.9, generator)
    labels[::7] = -1
    found = detect_drift(labels, labels[:50], K, draws=199)
    assert found.training_bars == (labels >= 0).sum()
    single = detect_drift(labels, np.array([1]), K, draws=199)
    assert single.recent_bars == 1


def test_bad_input_is_one_sentence():
    for arguments, keywords, error, message in (
        (([0, 1], [0, 5]), {}, DataError, "The recent labels go up to 5"),
        (([0, 1], [-1]), {}, DataError, "The recent labels are missing in all of 1 bars"),
        (([0, 1], [0]), {"level": 1.5}, ConfigError, "level is 1.5"),
        (([0, 1], [0]), {"draws": 20}, ConfigError, "draws is 20; .* at least 80"),
        (([0, 1], [0]), {"training_novelty": np.ones(3)}, DataError, "needs its novelty"),
    ):
        with pytest.raises(error, match=message):
            detect_drift(*map(np.array, arguments), 3, **keywords)
