import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regimetry.encoder import EncoderConfig, build_encoder
from regimetry.encoder.objectives.masked import MaskedReconstruction, geometric_mask
from regimetry.encoder.seeding import seeded
from regimetry.encoder.training import TrainingOptions, split_by_time, train_encoder
from regimetry.errors import ConfigError, DataError
from regimetry.windows import rolling_windows


@given(n=st.integers(2, 500), window_size=st.integers(1, 50), share=st.floats(0.05, 0.5))
def test_the_two_parts_share_no_row(n, window_size, share):
    try:
        training, validation = split_by_time(n, window_size, share)
    except DataError:
        return
    assert training[-1] + window_size - 1 < validation[0]
    assert validation[-1] == n - 1


def test_too_few_windows_say_so():
    with pytest.raises(DataError, match="objective=None"):
        split_by_time(10, 10, 0.2)


def test_masks_have_the_asked_share_and_span():
    hidden = geometric_mask((4000, 40, 2), 0.15, 3.0, np.random.default_rng(0))
    assert hidden.mean() == pytest.approx(0.15, abs=0.01)
    begins = np.sum(hidden[:, 1:] & ~hidden[:, :-1])
    assert hidden[:, 1:].sum() / begins == pytest.approx(3.0, rel=0.1)


def test_the_loss_counts_hidden_entries_only():
    objective = MaskedReconstruction()
    generator = np.random.default_rng(0)
    windows = generator.standard_normal((20, 8, 2)).astype(np.float32)
    inputs, target = objective.batch(windows, np.arange(20), generator)
    values, hidden = target[..., :2], target[..., 2:].astype(bool)
    assert (inputs[hidden] == 0).all()
    np.testing.assert_array_equal(inputs[~hidden], windows[~hidden])
    guess = np.where(hidden, values + 2.0, -99.0).astype(np.float32)
    assert float(objective.loss(target, guess)) == pytest.approx(4.0, rel=1e-5)


def _sine_windows():
    time = np.arange(400)
    values = np.stack([np.sin(time / 5), np.cos(time / 5)], axis=1).astype(np.float32)
    return rolling_windows(values, 12)


def _train(seed):
    config = EncoderConfig(
        window_size=12, num_features=2, embedding_dim=8, head_size=8, num_heads=2, ff_dim=16
    )
    with seeded(seed):
        encoder = build_encoder(config)
        options = TrainingOptions(epochs=4)
        history = train_encoder(
            encoder, _sine_windows(), MaskedReconstruction(), options, seed=seed
        )
    return encoder, history


def test_training_learns_and_repeats():
    encoder, history = _train(0)
    assert history["val_loss"][-1] < 0.7 * history["val_loss"][0]
    again, history_again = _train(0)
    assert history_again == history
    for a, b in zip(encoder.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_best_weights_are_kept():
    config = EncoderConfig(
        window_size=12, num_features=2, embedding_dim=4, head_size=4, num_heads=1
    )
    objective = MaskedReconstruction()
    with seeded(0):
        encoder = build_encoder(config)
        model = objective.attach(encoder)
        # Diverges on purpose, far enough to do so whatever the processor rounds.
        options = TrainingOptions(epochs=12, learning_rate=10.0, patience=2)
        history = train_encoder(encoder, _sine_windows(), objective, options)
    del model
    assert int(np.argmin(history["val_loss"])) < len(history["val_loss"]) - 1
    assert len(history["val_loss"]) < 12


@pytest.mark.parametrize(
    ("field", "value"),
    [("epochs", 0), ("batch_size", 1.5), ("patience", True), ("learning_rate", 0.0),
     ("validation_fraction", 1.0)],
)  # fmt: skip
def test_bad_options_are_named(field, value):
    with pytest.raises(ConfigError, match=field):
        TrainingOptions(**{field: value})
