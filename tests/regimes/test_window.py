"""The choice of a window size: how much a window says of the next one, and of short series."""

import numpy as np
import pytest
from encoders import FAST
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from regimetry.encoder.build import build_encoder
from regimetry.encoder.config import EncoderConfig
from regimetry.errors import ConfigError
from regimetry.regimes.choice.window import SIZES, assess_windows, foretelling, largest_size
from regimetry.windows import rolling_windows


def levels(n_rows, stay, noise, seed=0):
    """Rows (T, 4) about one of three corners, which spells of ``stay`` rows take in turn."""
    states = np.arange(n_rows) // stay % 3
    return np.eye(4)[states] + noise * np.random.default_rng(seed).standard_normal((n_rows, 4))


def means_of(rows):
    """Embed a window as the means of its columns, the plainest embedding there is."""

    def embed(size, step, n_rows):
        return rolling_windows(rows[-n_rows:].astype(np.float32), size)[::step].mean(axis=1)

    return embed


def chosen(table):
    (one,) = [entry.window_size for entry in table if entry.chosen]
    return one


@pytest.mark.parametrize(("noise", "expected"), [(0.5, 10), (2.0, 40), (4.0, 80)])
def test_noisier_bars_take_longer_windows(noise, expected):
    table = assess_windows(means_of(levels(8000, 400, noise)), 8000, seed=0)
    assert [entry.window_size for entry in table] == list(SIZES)
    assert chosen(table) == expected
    best = max(entry.agreement for entry in table)
    assert next(entry.agreement for entry in table if entry.chosen) >= best - 0.02
    for entry in table:
        assert (entry.refused is None) == entry.chosen


def test_shorter_stays_take_shorter_windows():
    long, short = (
        assess_windows(means_of(levels(8000, stay, 2.0)), 8000, seed=0) for stay in (400, 60)
    )
    assert chosen(short) < chosen(long)


def test_a_short_series_takes_the_smallest_size_and_embeds_nothing():
    def embed(size, step, n_rows):
        raise AssertionError("there is nothing to compare")

    table = assess_windows(embed, 1999, seed=0)
    assert chosen(table) == 10
    assert "1999 rows hold fewer than 100 such windows" in table[1].refused
    assert [entry.agreement for entry in table] == [None] * 4


@pytest.mark.parametrize(
    ("n_rows", "size"), [(50, 10), (1999, 10), (2000, 20), (7999, 40), (500_000, 80)]
)
def test_the_largest_size(n_rows, size):
    assert largest_size(n_rows) == size


def test_only_the_last_rows_of_a_long_series_are_embedded():
    seen = []

    def embed(size, step, n_rows):
        seen.append((size, step, n_rows))
        return means_of(levels(2500, 100, 1.0))(size, step, 2500)

    assess_windows(embed, 10**6, seed=0)
    assert seen == [(size, size // 5, 40_000) for size in SIZES]


def test_one_window_says_nothing_of_the_next_in_noise():
    noise = np.random.default_rng(0).standard_normal((1000, 4))
    assert abs(foretelling(noise, 5, seed=0)) < 0.05
    states = np.eye(4)[np.arange(1000) // 250] + 0.05 * noise
    assert foretelling(states, 5, seed=0) > 0.8


def test_auto_finds_states_that_short_windows_hardly_tell_apart():
    states = np.arange(4000) // 500 % 2
    noise = np.random.default_rng(0).standard_normal((4000, 3))
    values = np.where(states == 1, 1.4, 1.0)[:, None] * noise

    def fit(size):
        detector = rg.RegimeDetector(
            window_size=size, n_regimes=2, encoder=FAST, evidence="window", random_state=0
        ).fit(values)
        return detector, adjusted_rand_score(states[100:], detector.labels_[100:])

    auto, score = fit("auto")
    assert auto.model_.contract.window_size == 40
    assert chosen(auto.window_candidates_) == 40
    assert score > fit(10)[1] + 0.2


def test_the_chosen_size_gives_the_same_model_as_asking_for_it():
    values = rg.simulate("s2", n_rows=2000, seed=0).values
    given = {"n_regimes": 3, "encoder": FAST, "random_state": 0, "n_landmarks": 200}
    auto = rg.RegimeDetector(window_size="auto", **given).fit(values)
    contract = auto.model_.contract
    same = rg.RegimeDetector(window_size=contract.window_size, **given).fit(values)
    np.testing.assert_array_equal(auto.labels_, same.labels_)
    np.testing.assert_array_equal(auto.embeddings_, same.embeddings_)
    recorded = contract.training.window_candidates
    assert auto.window_candidates_ == recorded
    assert contract.training.configuration["window_size"] == "auto"
    assert same.window_candidates_ == ()
    assert same.model_.contract.training.window_candidates == ()


def test_a_model_of_ones_own_has_one_size():
    encoder = build_encoder(EncoderConfig(window_size=10, num_features=4, embedding_dim=8))
    with pytest.raises(ConfigError, match="the encoder is a model whose windows have one size"):
        rg.RegimeDetector(window_size="auto", encoder=encoder).fit(np.zeros((30, 4)))
    with pytest.raises(ConfigError, match="window_size is 'long'; it must be 'auto' or an integer"):
        rg.RegimeDetector(window_size="long").fit(np.zeros((30, 4)))
