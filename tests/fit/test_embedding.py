"""A fitted encoder embeds a series as it embeds its windows."""

import numpy as np
import pytest

from regimetry.fit.encoder import encoder_reach, fit_encoder
from regimetry.fit.options import FitOptions
from regimetry.windows import Windows, rolling_windows


@pytest.mark.parametrize(("window_size", "by_series"), [(40, True), (20, False)])
def test_series_and_windows_have_the_same_embeddings(window_size, by_series):
    rows = np.random.default_rng(0).standard_normal((300, 2)).cumsum(axis=0).astype(np.float32)
    options = FitOptions()
    size = window_size + encoder_reach(options, window_size)
    windows = rolling_windows(rows, size)
    encoder = fit_encoder(options, Windows([windows]), window_size)
    assert (encoder.by_series is not None) == by_series
    for step in (1, 7):
        found = encoder.embed_series(rows, size, step)
        np.testing.assert_allclose(found, encoder.embed(windows[::step]), atol=1e-5)
    assert not np.allclose(found[:-1], found[1:], atol=1e-5)
