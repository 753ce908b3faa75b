"""Change points, kinds of segments, and a head that gives the same labels."""

from dataclasses import replace

import numpy as np
import pytest
from encoders import FAST, fit_fast
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from regimetry.encoder import EncoderConfig
from regimetry.regimes.choice import rule
from regimetry.regimes.choice.candidates import Sample
from regimetry.regimes.choice.rule import choose, objection
from regimetry.regimes.choice.segments import LEAST_SPLIT, Segments, segment_candidates, splits
from regimetry.regimes.clustering.discriminants import discriminants
from regimetry.regimes.clustering.head import WHOLE_SERIES_PENALTY, fit_head


def pieces(places, rows=300, seed=0):
    """Points (N, 4) about one of a few places for a while, then about another."""
    truth = np.repeat(places, rows)
    noise = np.random.default_rng(seed).standard_normal((len(truth), 4))
    return noise + 3.0 * np.eye(4)[truth], truth


def sample_of(points, size=10):
    return Sample.of([points], size, 1, 0)


def test_a_series_is_split_where_it_changes():
    points, _truth = pieces([0, 1, 2])
    found = splits([sample_of(points)], len(points) + 9)
    rows = sorted(row for row, _ in found)
    assert rows == pytest.approx([305, 605], abs=12)
    assert all(score > LEAST_SPLIT for _, score in found)
    noise, _ = pieces([0])
    assert splits([sample_of(np.concatenate([noise] * 3))], 909) != found
    assert splits([sample_of(pieces([0], 900)[0])], 909) == []


def test_segments_that_are_confused_are_joined():
    points, truth = pieces([0, 1, 2])
    points[truth == 2] += 1.5 * (np.eye(4)[1] - np.eye(4)[2])  # close to the second
    sample = sample_of(points)
    table = list(segment_candidates([sample], len(points) + 9, seed=0))
    kinds = {entry.n_regimes: found.kinds.tolist() for entry, found in table if entry.segments == 3}
    assert kinds == {3: [0, 1, 2], 2: [0, 1, 1]}
    judged = choose([entry for entry, _ in table], window_size=10)
    best = next(entry for entry in judged if entry.chosen)
    assert (best.segments, best.changes) in {(2, 1), (3, 1), (3, 2)}
    assert best.recognised > 0.8


def test_kinds_that_other_times_do_not_tell_are_refused():
    points, _ = pieces([0, 1])
    entry, _ = next(iter(segment_candidates([sample_of(points)], len(points) + 9, seed=0)))
    assert objection(entry) is None
    assert "do not tell such segments apart" in objection(replace(entry, recognised=0.5))


def test_labels_of_rows():
    segments = Segments(np.array([3, 5]), np.array([1, 0, 1]))
    assert segments.labels(np.arange(7)).tolist() == [1, 1, 1, 0, 0, 1, 1]


def test_discriminants_tell_groups_apart():
    points, truth = pieces([0, 1, 2])
    found = discriminants(points, truth)
    assert found.shape == (4, 2)
    mapped = points @ found
    means = np.stack([mapped[truth == k].mean(axis=0) for k in range(3)])
    nearest = ((mapped[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert np.mean(nearest == truth) > 0.95


def test_a_head_gives_the_labels_of_segments_and_changes_as_seldom():
    points, truth = pieces([0, 1, 0, 2])
    volatility = np.zeros(len(points))
    head = fit_head(points, volatility, n_regimes=3, lag=10, n_landmarks=200, labels=truth)
    found = head.outputs(points)["distance"].argmin(axis=1)
    assert adjusted_rand_score(truth, found) > 0.9
    assert head.penalty == head.causal_penalty >= WHOLE_SERIES_PENALTY * 10
    restless = np.random.default_rng(1).standard_normal((len(points), 4)) + 0.7 * points
    dear = fit_head(restless, volatility, n_regimes=3, lag=1, n_landmarks=200, labels=truth)
    assert dear.penalty > WHOLE_SERIES_PENALTY


def test_a_fit_takes_them_where_windows_find_nothing(monkeypatch):
    monkeypatch.setattr(rule, "_chance", lambda entry: "not in this test")
    rows = np.arange(1500)
    truth = rows // 500
    period = np.array([20.0, 31.0, 20.0])[truth]
    phase = np.cumsum(2 * np.pi / period)
    shape = np.where(truth == 2, np.sign(np.sin(phase)), np.sin(phase))
    values = shape + 0.1 * np.random.default_rng(0).standard_normal(len(rows))
    encoder = EncoderConfig(**{**vars(FAST), "convolutions": "alone"})
    detector = fit_fast(values[:, None], window_size="auto", encoder=encoder)
    chosen = next(entry for entry in detector.candidates_ if entry.chosen)
    assert chosen.segments == 3
    assert chosen.reproduced > 0.9
    assert detector.model_.contract.evidence == "window"
    smooth = detector.smooth(values[:, None])
    kept = smooth >= 0
    assert adjusted_rand_score(truth[kept], smooth[kept]) > 0.9
    again = clone(detector).update(values[:, None], of=detector)  # goes on as kinds of segments
    (entry,) = again.candidates_
    assert (entry.segments, entry.n_regimes) == (3, chosen.n_regimes)
    assert again.moved_.changed < 0.05
