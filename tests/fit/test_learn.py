"""What a fit learned, before it becomes a file."""

import numpy as np
from encoders import FAST

import regimetry as rg
from regimetry.fit.learn import learn
from regimetry.series.units import fit_preprocessing


def test_reordered_regimes_keep_their_distances_whatever_tells_them():
    series = rg.simulate("s2", n_rows=600, seed=0)
    order = np.array([2, 0, 1])
    for evidence, kept in (("auto", True), ("window", False)):
        learned = learn(
            [series.values],
            fit_preprocessing(series.values, series.names),
            window_size=10,
            n_regimes=3,
            encoder=FAST,
            evidence=evidence,
        )
        assert (learned.refinement is not None) == kept
        distance = learned.distance
        turned = learned.reordered(order)
        np.testing.assert_allclose(turned.distance, distance[:, order])
        assert not np.allclose(turned.distance, distance)
        assert turned.penalties == learned.penalties
