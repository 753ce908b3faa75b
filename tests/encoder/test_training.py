import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regimetry.encoder import EncoderConfig, build_encoder
from regimetry.encoder.objectives import OBJECTIVES
from regimetry.encoder.objectives.masked import MaskedReconstruction
from regimetry.encoder.seeding import seeded
from regimetry.encoder.training import (
    TrainingOptions,
    Windows,
    loop,
    split_by_time,
    train_encoder,
)
from regimetry.encoder.training.parts import split_series
from regimetry.errors import ConfigError, DataError
from regimetry.windows import rolling_windows

SMALL = {
    "embedding_dim": 8, "head_size": 8, "num_heads": 2, "ff_dim": 16, "num_transformer_blocks": 1,
}  # fmt: skip


def sine_windows(n_rows=400, period=31.4):
    time = np.arange(n_rows) * 2 * np.pi / period
    values = np.stack([np.sin(time), np.cos(time)], axis=1).astype(np.float32)
    return rolling_windows(values, 12)


def small_encoder(seed=0, **changes):
    with seeded(seed):
        return build_encoder(EncoderConfig(window_size=12, num_features=2, **(SMALL | changes)))


def train(options, **arguments):
    with seeded(0):
        encoder = build_encoder(EncoderConfig(window_size=12, num_features=2, **SMALL))
        history = train_encoder(
            encoder, sine_windows(), MaskedReconstruction(), options, **arguments
        )
    return encoder, history


def windows_of_rows(*lengths, window_size=4):
    """Windows whose only value is the number of their row, 1000 apart between series."""
    rows = [1000 * i + np.arange(n, dtype=np.float32)[:, None] for i, n in enumerate(lengths)]
    return [rolling_windows(values, window_size) for values in rows]


@settings(deadline=None)
@given(n=st.integers(2, 500), window_size=st.integers(1, 50), share=st.floats(0.05, 0.5))
def test_a_bar_lies_between_the_rows_of_the_two_parts(n, window_size, share):
    try:
        training, validation = split_by_time(n, window_size, share)
    except DataError:
        return
    assert training[-1] + window_size < validation[0]
    assert validation[-1] == n - 1


def test_nothing_is_held_out_if_nothing_is_asked_for():
    training, validation = split_by_time(5, 10, 0.0)
    assert training.tolist() == [0, 1, 2, 3, 4]
    assert len(validation) == 0


def test_too_few_windows_say_so():
    with pytest.raises(DataError, match="objective=None"):
        split_by_time(10, 10, 0.2)


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(5, 60), min_size=1, max_size=4),
    bars=st.integers(0, 70),
    data=st.data(),
)
def test_windows_are_numbered_through_and_partners_stay_in_their_series(lengths, bars, data):
    series = windows_of_rows(*lengths)
    windows = Windows(series)
    stacked = np.concatenate(series)
    assert len(windows) == len(stacked)
    numbers = windows.with_later(bars)
    expected = [
        n for n in range(len(stacked) - bars) if stacked[n + bars, 0, 0] == stacked[n, 0, 0] + bars
    ]
    assert numbers.tolist() == expected
    if len(numbers):
        chosen = np.array(data.draw(st.lists(st.sampled_from(numbers.tolist()), max_size=9)), int)
        np.testing.assert_array_equal(windows.take(chosen), stacked[chosen])
        np.testing.assert_array_equal(
            windows.take(chosen + bars), windows.take(chosen) + np.float32(bars)
        )


def test_every_series_has_its_own_validation_part():
    training, validation = split_series(windows_of_rows(103, 53), 0.2, reach=2)
    assert [len(part) for part in training.series] == [76, 36]
    assert [len(part) for part in validation.series] == [20, 10]
    for early, late in zip(training.series, validation.series, strict=True):
        assert early.max() < late.min() - 1
    assert all(np.shares_memory(part, part.base) for part in training.series)  # no copies


def test_a_series_that_is_too_short_for_the_pairs_is_named():
    with pytest.raises(DataError, match="Series 1 has 23 windows, of which 5 validate"):
        split_series(windows_of_rows(103, 26), 0.2, reach=10)
    with pytest.raises(DataError, match="Series 1 has windows of shape"):
        split_series([*windows_of_rows(50), *windows_of_rows(50, window_size=5)], 0.2, reach=0)
    with pytest.raises(DataError, match="no windows to train on"):
        split_series([], 0.2, reach=0)


def test_training_learns():
    _, history = train(TrainingOptions(epochs=4))
    assert history["val_loss"][-1] < 0.7 * history["val_loss"][0]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_trains_on_several_series_and_leaves_masked_rows_out(name):
    series = [sine_windows(300, 20.0), sine_windows(160, 45.0), sine_windows(220, 9.0)]
    series[1] = series[1].copy()
    series[1][::7, 5] = np.nan
    encoder = small_encoder(padding_mask=True, look_ahead_mask=True, pooling="moments")
    rounds = [encoder.get_weights()]
    history = train_encoder(
        encoder,
        series,
        OBJECTIVES[name](12),
        TrainingOptions(steps=6, round_steps=3, batch_size=32),
        on_round=lambda *_: rounds.append(encoder.get_weights()),
    )
    assert history["step"] == [3, 6]
    assert np.isfinite(history["loss"] + history["val_loss"]).all()
    assert any(not np.array_equal(a, b) for a, b in zip(*rounds[:2], strict=True))
    assert all(np.isfinite(w).all() for w in rounds[2])


def test_a_compiled_training_is_the_plain_one_to_rounding(monkeypatch):
    """Without dropout, whose draws are others once compiled."""

    def losses(seed=0):
        with seeded(seed):
            return train_encoder(
                small_encoder(seed, dropout=0.0),
                sine_windows(),
                OBJECTIVES["vamp2"](12),
                TrainingOptions(steps=6, round_steps=3, batch_size=32),
                seed=seed,
            )["loss"]

    plain, other = losses(), losses(1)
    monkeypatch.setattr(loop, "_WORTH_COMPILING", 0)
    compiled = losses()
    assert compiled != plain  # it was compiled
    np.testing.assert_allclose(compiled, plain, rtol=1e-4)
    assert not np.allclose(other, plain, rtol=1e-4)


def test_large_steps_are_worth_compiling():
    default = build_encoder(EncoderConfig(window_size=10, num_features=4, embedding_dim=64))
    assert loop._is_worth_compiling(default, 64)
    assert not loop._is_worth_compiling(small_encoder(), 512)


class Overfits(MaskedReconstruction):
    """Training pulls the output to 10; validation is best at another value."""

    def __init__(self, best):
        self.best = best

    def attach(self, encoder, windows):
        return encoder

    def loss(self, target, output):
        return keras.ops.mean(keras.ops.square(target - output))

    def batch(self, windows, numbers, generator, *, training):
        target = np.full((len(numbers), 1), 10.0 if training else self.best, np.float32)
        return windows.take(numbers), target


def overfit(best):
    """Train a model whose output is the sum of its 24 weights, which start at 0."""
    inputs = keras.Input((12, 2))
    flat = keras.layers.Flatten()(inputs)
    model = keras.Model(
        inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(flat)
    )
    options = TrainingOptions(steps=100, round_steps=2, learning_rate=0.01, patience=3)
    history = train_encoder(model, np.ones((90, 12, 2), np.float32), Overfits(best), options)
    return float(model.get_weights()[0].sum()), history


def test_the_best_weights_are_kept_and_training_stops():
    output, history = overfit(best=2.0)
    assert output == pytest.approx(2.0, abs=0.3)
    best = int(np.argmin(history["val_loss"]))
    assert 0 < best == len(history["val_loss"]) - 1 - 3
    assert history["val_loss"][-1] > history["val_loss"][best]
    assert history["loss"] == sorted(history["loss"], reverse=True)


def test_the_untrained_weights_stay_where_no_round_is_better():
    output, history = overfit(best=-1.0)
    assert output == 0.0
    assert history["step"] == [2, 4, 6]


def test_a_budget_is_in_epochs_or_in_steps():
    assert TrainingOptions(epochs=3, batch_size=64).budget(640) == (30, 10)
    assert TrainingOptions(epochs=3, batch_size=64, round_steps=4).budget(641) == (33, 4)
    assert TrainingOptions(steps=50).budget(10_000) == (50, 5)
    assert TrainingOptions(steps=7, round_steps=3).budget(64) == (7, 3)


def test_without_a_validation_part_the_budget_is_spent():
    _, history = train(TrainingOptions(steps=7, round_steps=3, validation_fraction=0.0))
    assert history.keys() == {"step", "loss"}
    assert history["step"] == [3, 6, 7]


def test_the_page_describes_every_objective():
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")
    for name in OBJECTIVES:
        assert f"| `{name}` |" in page
        assert f"**`{name}`.**" in page


class Poisoned(MaskedReconstruction):
    def loss(self, target, output):
        return super().loss(target, output) * float("nan")


def test_a_loss_that_is_no_number_ends_the_training():
    encoder = small_encoder()
    untouched = small_encoder()
    with pytest.warns(UserWarning, match="ended after 2 steps with loss nan and val_loss nan"):
        history = train_encoder(
            encoder, sine_windows(), Poisoned(), TrainingOptions(steps=8, round_steps=2)
        )
    assert history == {}
    for a, b in zip(encoder.get_weights(), untouched.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_of_ones_own_trains_on_its_embedding():
    inputs = keras.Input((12, 2))
    model = keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Flatten()(inputs)))
    start = model.get_weights()[0]
    options = TrainingOptions(steps=4, batch_size=32)
    train_encoder(model, sine_windows(), OBJECTIVES["contrast"](12), options)
    assert not np.array_equal(model.get_weights()[0], start)


def test_the_bar_shows_on_a_terminal_only(monkeypatch, capsys):
    options = TrainingOptions(steps=4, round_steps=2)
    train(options, progress=True)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    train(options, progress=True)
    shown = capsys.readouterr().err
    assert "4/4" in shown
    assert "val_loss=" in shown
    train(options, progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [("epochs", 0), ("batch_size", 1.5), ("patience", True), ("learning_rate", 0.0),
     ("learning_rate", "fast"), ("learning_rate", float("nan")), ("validation_fraction", 1.0),
     ("validation_fraction", -0.1), ("steps", 0), ("round_steps", 2.0)],
)  # fmt: skip
def test_bad_options_are_named(field, value):
    with pytest.raises(ConfigError, match=field):
        TrainingOptions(**{field: value})
