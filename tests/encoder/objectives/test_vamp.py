from dataclasses import replace

import numpy as np
import pytest
from encoders import FAST
from scipy import linalg

from regimetry.encoder import build_encoder
from regimetry.encoder.inference import embed_windows
from regimetry.encoder.objectives.vamp import Vamp2, shuffled_channels, slow_map, vamp2_score
from regimetry.encoder.seeding import seeded
from regimetry.encoder.training import TrainingOptions, Windows, train_encoder
from regimetry.windows import rolling_windows


def autoregressions(coefficients, n_rows=4000, seed=0):
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal((n_rows, len(coefficients)))
    values = np.empty_like(noise)
    values[0] = noise[0]
    for row in range(1, n_rows):
        values[row] = coefficients * values[row - 1] + np.sqrt(1 - coefficients**2) * noise[row]
    return values


def slow_score(before, after, shrinkage):
    """Sum of squared eigenvalues of the generalised problem C v = l S v."""
    both = np.concatenate([before, after])
    mean, n = both.mean(axis=0), len(before)
    before, after = before - mean, after - mean
    size = before.shape[1]
    covariance = (before.T @ before + after.T @ after) / (2 * n)
    covariance += shrinkage * np.trace(covariance) / size * np.eye(size)
    lagged = (before.T @ after + after.T @ before) / (2 * n)
    return np.sum(linalg.eigh(lagged, covariance, eigvals_only=True) ** 2)


@pytest.mark.parametrize("shrinkage", [0.0, 0.01, 0.5])
def test_the_score_is_the_sum_of_squared_eigenvalues(shrinkage):
    values = autoregressions(np.array([0.95, 0.5, -0.4])) @ np.random.default_rng(1).random((3, 3))
    values = values + 3.0
    before, after = values[:-2].astype(np.float32), values[2:].astype(np.float32)
    score = float(vamp2_score(before, after, shrinkage))
    assert score == pytest.approx(slow_score(before, after, shrinkage), rel=1e-3)
    assert score != pytest.approx(slow_score(before, after, shrinkage + 0.1), rel=1e-3)


def test_coordinates_that_are_no_numbers_have_no_score():
    values = np.ones((20, 3), np.float32)
    values[3, 1] = np.nan
    assert np.isnan(float(vamp2_score(values[:-1], values[1:], 0.01)))
    assert float(vamp2_score(values[:2], values[1:3], 0.01)) == 0.0


def test_the_slow_map_finds_the_slow_channel_behind_a_mixture():
    sources = autoregressions(np.array([0.98, 0.1, 0.0, -0.3]))
    mixed = sources @ np.random.default_rng(2).standard_normal((4, 4)) * 5.0 + 11.0
    mean, variance, matrix = slow_map(mixed[:-5], mixed[5:], 2)
    slow = ((mixed - mean) / np.sqrt(variance)) @ matrix
    assert abs(np.corrcoef(slow[:, 0], sources[:, 0])[0, 1]) > 0.99
    assert slow.std(axis=0) == pytest.approx([1.0, 1.0], rel=0.02)


def test_a_constant_dimension_gives_finite_directions():
    values = np.column_stack([autoregressions(np.array([0.9, 0.1])), np.full(4000, 5.0)])
    mean, variance, matrix = slow_map(values[:-5], values[5:], 8)
    assert matrix.shape == (3, 2)
    assert np.isfinite(mean).all()
    assert (variance > 0).all()
    assert np.isfinite(matrix).all()


def test_a_shuffle_is_one_permutation_and_one_sign_vector_for_the_batch():
    pairs = np.random.default_rng(0).standard_normal((40, 6, 4)).astype(np.float32)
    shuffled = shuffled_channels(pairs, np.random.default_rng(3))
    assert not np.array_equal(shuffled, pairs)
    for channel in range(4):
        origin = [
            (other, sign)
            for other in range(4)
            for sign in (-1.0, 1.0)
            if np.array_equal(shuffled[:, :, channel], sign * pairs[:, :, other])
        ]
        assert len(origin) == 1


def test_only_training_batches_are_shuffled():
    windows = Windows([np.random.default_rng(0).standard_normal((90, 6, 4)).astype(np.float32)])
    objective = Vamp2(lag=6)
    numbers = windows.with_later(6)
    plain, _ = objective.batch(windows, numbers, np.random.default_rng(1), training=False)
    np.testing.assert_array_equal(plain[: len(numbers)], windows.take(numbers))
    np.testing.assert_array_equal(plain[len(numbers) :], windows.take(numbers + 6))
    drawn, _ = objective.batch(windows, numbers, np.random.default_rng(1), training=True)
    assert not np.array_equal(drawn, plain)


def test_training_starts_from_the_slow_directions_of_the_untrained_encoder():
    values = autoregressions(np.array([0.97, 0.5, 0.1]), 900).astype(np.float32)
    windows = Windows([rolling_windows(values[:600], 8), rolling_windows(values[600:], 8)])
    config = replace(FAST, window_size=8, num_features=3)
    with seeded(0):
        encoder = build_encoder(config)
        objective = Vamp2(lag=8, shrinkage=0.0)
        model = objective.attach(encoder, windows)
        batch = windows.take(np.arange(50))
        # Dropout is off while it trains, though the encoder has it.
        assert np.array_equal(model(batch, training=True), model(batch, training=False))
        assert not np.array_equal(encoder(batch, training=True), encoder(batch, training=False))
    assert len(model.trainable_variables) == len(encoder.trainable_variables) + 1
    numbers = windows.with_later(8)
    embeddings = np.concatenate([embed_windows(encoder, part) for part in windows.series])
    mean, variance, matrix = slow_map(embeddings[numbers], embeddings[numbers + 8], 8)
    expected = ((embeddings - mean) / np.sqrt(variance)) @ matrix
    found = np.concatenate([embed_windows(model, part) for part in windows.series])
    np.testing.assert_allclose(found, expected, atol=2e-3)
    # In those coordinates both covariances are diagonal, and the score is the sum of squares.
    products = np.mean(expected[numbers] * expected[numbers + 8], axis=0)
    score = -float(objective.loss(None, np.concatenate([found[numbers], found[numbers + 8]])))
    assert score == pytest.approx(np.sum(products**2), rel=0.02)


def test_training_raises_the_score_of_the_slow_directions():
    """Two states that differ in the sign of the channels' correlation alone."""
    generator = np.random.default_rng(0)
    states = np.repeat([1.0, -1.0], 50)[np.arange(1500) % 100]
    first, noise = generator.standard_normal((2, 1500))
    values = np.column_stack([first, 0.8 * states * first + 0.6 * noise]).astype(np.float32)
    windows = rolling_windows(values, 8)
    config = replace(FAST, window_size=8, num_features=2)
    with seeded(0):
        encoder = build_encoder(config)

        def score():
            embeddings = embed_windows(encoder, windows)
            mean, variance, matrix = slow_map(embeddings[:-8], embeddings[8:], 8)
            slow = ((embeddings - mean) / np.sqrt(variance)) @ matrix
            return slow_score(slow[:-8], slow[8:], 0.01)

        before = score()
        options = TrainingOptions(steps=60, batch_size=256, validation_fraction=0.0)
        history = train_encoder(encoder, windows, Vamp2(lag=8), options)
    assert history["loss"][-1] < history["loss"][0]
    assert score() > before + 0.02
