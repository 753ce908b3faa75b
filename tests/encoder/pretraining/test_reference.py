"""The folded network in numpy: one window after the other, and whole series."""

import numpy as np
import pytest
from networks import folded_with_windows, random_series, random_weights

from regimetry.encoder.pretraining import folded as folding
from regimetry.encoder.pretraining import reference
from regimetry.encoder.pretraining.architecture import MOST_FEATURES, Geometry
from regimetry.encoder.pretraining.folded import along, fold, main_directions, mean_sizes
from regimetry.encoder.pretraining.initial import initial_weights
from regimetry.encoder.pretraining.reference import embed_in_numpy, embed_series
from regimetry.encoder.pretraining.weights import BUILT_IN, read_weights
from regimetry.windows import rolling_windows

ROUNDING = 2e-5
"""What a fit allows its graph, of embeddings of about 1."""


@pytest.mark.parametrize(
    ("window_size", "n_features", "step"), [(2, 1, 1), (16, 3, 1), (45, 30, 7), (330, 2, 13)]
)
def test_a_series_gives_the_embeddings_of_its_windows(window_size, n_features, step):
    geometry = Geometry.of(window_size)
    length = window_size + geometry.reach
    rows = random_series(length + 60, n_features)
    folded = fold(random_weights(), [rows], window_size, 0)
    expected = embed_in_numpy(folded, rolling_windows(rows, length)[::step])
    found = embed_series(folded, rows, step)
    assert found.shape == expected.shape == (60 // step + 1, 64)
    np.testing.assert_allclose(found, expected, atol=3e-5)
    assert np.abs(found[1:] - expected[:-1]).max() > 1e-2  # a window later is another


def test_a_long_series_is_embedded_in_blocks(monkeypatch):
    rows = random_series(400, 2)
    folded = fold(random_weights(), [rows], 16, 0)
    whole = embed_series(folded, rows, 3)
    monkeypatch.setattr(reference, "_BLOCK", 50)
    np.testing.assert_allclose(embed_series(folded, rows, 3), whole, atol=1e-5)


def test_the_newest_row_matters_and_rows_before_the_reach_do_not():
    folded, windows = folded_with_windows(20, 3)
    before = embed_in_numpy(folded, windows)
    for row in (0, windows.shape[1] - 1):
        changed = windows.copy()
        changed[:, row] += 1.0
        assert np.abs(embed_in_numpy(folded, changed) - before).max() > 1e-3, row


def test_units_do_not_matter():
    """Responses are measured in their own mean size."""
    rows = random_series(500, 4)
    length = 20 + Geometry.of(20).reach
    one, other = (fold(random_weights(), [part], 20, 0) for part in (rows, 8 * rows))
    windows = rolling_windows(rows, length)[:3]
    np.testing.assert_allclose(
        embed_in_numpy(one, windows), embed_in_numpy(other, 8 * windows), atol=1e-5
    )


def test_sizes_are_means_over_all_series_from_the_reach_on():
    kernels = np.random.default_rng(0).standard_normal((5, 2, 9)).astype(np.float32)
    series = [random_series(n, 2, seed=n) for n in (30, 90, 130)]
    found = mean_sizes(series, 2, kernels, reach=32)
    sizes = [
        [
            abs(sum(kernels[c, :, t] @ rows[i - 2 * (8 - t)] for t in range(9)))
            for rows in series
            for i in range(32, len(rows))
        ]
        for c in range(5)
    ]
    np.testing.assert_allclose(found, np.mean(sizes, axis=1), rtol=1e-5)


def test_many_channels_are_read_through_their_main_directions():
    generator = np.random.default_rng(0)
    hidden = generator.standard_normal((800, 30)) * np.geomspace(9.0, 0.5, 30)
    rows = hidden @ np.linalg.qr(generator.standard_normal((40, 30)))[0].T
    directions = main_directions([rows[:300], rows[300:]])
    assert directions.shape == (40, MOST_FEATURES)
    read = along(directions, rows)
    np.testing.assert_allclose(np.cov(read.T), np.eye(MOST_FEATURES), atol=1e-5)
    centred, wanted = (part - part.mean(axis=0) for part in (read, hidden))
    left = wanted - centred @ np.linalg.lstsq(centred, wanted, rcond=None)[0]
    told = 1.0 - left.var(axis=0) / wanted.var(axis=0)
    assert (told[:10] > 0.98).all()  # what varies most is kept
    assert (told[-3:] < 0.3).all()

    folded = fold(random_weights(), [rows.astype(np.float32)], 20, 0)
    assert folded.n_features == 40
    assert all(group.weights.shape[1] == MOST_FEATURES for group in folded.groups)
    assert main_directions([rows[:, :24]]) is None


@pytest.mark.parametrize("weights", [initial_weights(0), random_weights()], ids=["even", "uneven"])
@pytest.mark.parametrize("n_features", [4, 30])
def test_columns_that_follow_from_others_do_not_turn_rounding_into_signals(n_features, weights):
    rows = random_series(400, 2) @ np.random.default_rng(0).uniform(-1, 1, (2, n_features))
    rows[:, 2] = rows[:, 0]
    rows = rows.astype(np.float32)
    folded = fold(weights, [rows], 20, 0)
    length = 20 + folded.geometry.reach
    if n_features > MOST_FEATURES:
        assert folded.directions.shape == (n_features, 2)
    expected = embed_in_numpy(folded, rolling_windows(rows, length)[::7])
    np.testing.assert_allclose(embed_series(folded, rows, 7), expected, atol=ROUNDING)


def switched(count):
    """A table of 20 000 rows: noise, and valves that are switched six times at most."""
    generator = np.random.default_rng(0)
    rows = np.zeros((20_000, count))
    for start in generator.integers(0, 20_000, (3, count)):
        rows += (start <= np.arange(20_000)[:, None]) & (np.arange(20_000)[:, None] < start + 2000)
    return np.column_stack([generator.standard_normal((20_000, 3)), rows % 2])


AT_REST = {
    "one step": (np.arange(20_000) > 10_000)[:, None] * 1.0,
    "valves": switched(8),
    "many valves": switched(26),
    "equal switches": np.repeat((np.arange(1200) % 400 < 200)[:, None] * 1.0, 40, axis=1),
    "slow cycles": np.sin(np.arange(3000)[:, None] / 500 + np.linspace(0, 6, 30)),
}


def rounding(rows):
    """The largest difference of float32 from float64, of windows everywhere and near changes."""
    rows = ((rows - rows.mean(axis=0)) / rows.std(axis=0)).astype(np.float32)
    folded = fold(read_weights(BUILT_IN).arrays, [rows], 20, 0)
    windows = rolling_windows(rows, 20 + folded.geometry.reach)
    changes = np.argsort(-np.abs(np.diff(rows, axis=0)).max(axis=1))[:30]
    near = (changes[:, None] - [10, 25, 35]).clip(0, len(windows) - 1).ravel()
    chosen = np.union1d(np.arange(0, len(windows), len(windows) // 100), near)
    found = embed_series(folded, rows)[chosen]
    return np.abs(found - embed_in_numpy(folded, windows[chosen])).max()


@pytest.mark.parametrize("table", AT_REST)
def test_channels_that_rest_do_not_turn_rounding_into_signals(table):
    assert rounding(AT_REST[table]) < ROUNDING


def test_a_response_of_rounding_would_show(monkeypatch):
    monkeypatch.setattr(folding, "_LEAST_SIZE", 1e-4)
    assert rounding(AT_REST["one step"]) > ROUNDING


def test_folding_is_seeded():
    rows = [random_series(300, 6)]
    first, again, other = (fold(random_weights(), rows, 20, seed) for seed in (0, 0, 1))
    for a, b, c in zip(first.groups, again.groups, other.groups, strict=True):
        np.testing.assert_array_equal(a.weights, b.weights)
        assert not np.array_equal(a.weights, c.weights)


def test_a_constant_channel_gives_finite_embeddings():
    rows = random_series(300, 2)
    rows[:, 1] = 0.0
    folded = fold(random_weights(), [rows], 20, 0)
    assert np.isfinite(embed_series(folded, rows)).all()
