from dataclasses import replace

import numpy as np
import pytest
from encoders import FAST

from regimetry.encoder import build_encoder
from regimetry.encoder.objectives.next_bar import NextBar
from regimetry.encoder.seeding import seeded
from regimetry.encoder.training import TrainingOptions, Windows, train_encoder
from regimetry.errors import ConfigError
from regimetry.windows import rolling_windows


def encoder(**changes):
    with seeded(0):
        fields = {"window_size": 8, "num_features": 2, "look_ahead_mask": True, **changes}
        return build_encoder(replace(FAST, **fields))


def test_token_t_is_scored_against_bar_t_plus_1():
    values = np.random.default_rng(0).standard_normal((60, 2)).astype(np.float32)
    inputs, target = NextBar().batch(
        Windows([rolling_windows(values, 8)]), np.array([0, 7, 40]), None, training=True
    )
    for window, later, start in zip(inputs, target, (0, 7, 40), strict=True):
        np.testing.assert_array_equal(window, values[start : start + 8])
        np.testing.assert_array_equal(later[:, :2], values[start + 1 : start + 9])
        assert (later[:, 2:] == 1.0).all()


def test_the_loss_is_the_gaussian_likelihood_of_what_is_known():
    objective = NextBar(smallest_deviation=0.1)
    generator = np.random.default_rng(0)
    values, mean, raw = generator.standard_normal((3, 4, 6, 2))
    known = generator.random((4, 6, 2)) < 0.7
    deviation = np.log1p(np.exp(raw)) + 0.1
    density = -0.5 * ((values - mean) / deviation) ** 2 - np.log(deviation)
    expected = -density[known].mean()
    target = np.concatenate([values, known], axis=-1).astype(np.float32)
    output = np.concatenate([mean, raw], axis=-1).astype(np.float32)
    assert float(objective.loss(target, output)) == pytest.approx(expected, rel=1e-5)


def test_rows_that_are_missing_do_not_count():
    values = np.ones((40, 2), np.float32)
    values[10, 0] = np.nan
    _, target = NextBar().batch(
        Windows([rolling_windows(values, 8)]), np.array([5]), None, training=True
    )
    # Row 10 is the target of token 4 and the input of token 5.
    assert target[0, :, 2].tolist() == [1, 1, 1, 1, 0, 0, 1, 1]
    assert np.isfinite(target).all()


def test_an_encoder_that_looks_ahead_is_refused():
    windows = rolling_windows(np.random.default_rng(0).standard_normal((90, 2)).astype("f"), 8)
    with pytest.raises(ConfigError, match="look_ahead_mask is False, or has no effect"):
        train_encoder(encoder(look_ahead_mask=False), windows, NextBar())
    # Without a block nothing is mixed over time, and any setting is causal.
    plain = encoder(look_ahead_mask=False, num_transformer_blocks=0)
    history = train_encoder(plain, windows, NextBar(), TrainingOptions(steps=1))
    assert history["step"][-1] == 1


def test_it_learns_the_volatility_that_comes_next():
    generator = np.random.default_rng(0)
    deviation = np.repeat([0.3, 1.5], 40)[np.arange(1200) % 80]
    values = (deviation[:, None] * generator.standard_normal((1200, 2))).astype(np.float32)
    model = encoder()
    options = TrainingOptions(steps=200, round_steps=50, learning_rate=5e-3)
    with seeded(0):  # the head that forecasts is drawn too
        history = train_encoder(model, rolling_windows(values, 8), NextBar(), options)
    # No forecast of one deviation for all bars does better than log of that deviation + 1/2.
    assert min(history["val_loss"]) < np.log(np.sqrt(np.mean(deviation**2))) + 0.5 - 0.1
