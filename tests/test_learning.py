"""What a fit learned, before it becomes a file."""

import numpy as np

import regimetry as rg
from regimetry.learning import cut_windows, learn


def test_reordered_regimes_keep_their_distances_whatever_tells_them():
    series = rg.simulate("s2", n_rows=600, seed=0)
    config = rg.EncoderConfig(
        embedding_dim=8, head_size=8, num_heads=2, ff_dim=16, pooling="moments"
    )
    order = np.array([2, 0, 1])
    for evidence, kept in (("auto", True), ("window", False)):
        learned = learn(
            series.values,
            series.names,
            window_size=10,
            n_regimes=3,
            encoder=config,
            evidence=evidence,
        )
        assert (learned.refinement is not None) == kept
        windows = cut_windows(learned.preprocessing, series.values, 10)
        distance = learned.distance(windows)
        turned = learned.reordered(order)
        np.testing.assert_allclose(turned.distance(windows), distance[:, order])
        assert not np.allclose(turned.distance(windows), distance)
        assert turned.penalties == learned.penalties
