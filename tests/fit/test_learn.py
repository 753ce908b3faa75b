"""What a fit learned, before it becomes a file."""

import numpy as np
from encoders import FAST

import regimetry as rg
from regimetry.fit.learn import learn, measured_rows
from regimetry.fit.options import FitOptions
from regimetry.fit.source import panel_source


def test_reordered_regimes_keep_their_distances_whatever_tells_them():
    series = rg.simulate("s2", n_rows=600, seed=0)
    order = np.array([2, 0, 1])
    for evidence, kept in (("auto", True), ("window", False)):
        options = FitOptions(n_regimes=3, encoder=FAST, evidence=evidence)
        learned = learn(measured_rows(panel_source(series.values), options), options)
        assert (learned.refinement is not None) == kept
        distance = learned.distance
        turned = learned.reordered(order)
        np.testing.assert_allclose(turned.distance, distance[:, order])
        assert not np.allclose(turned.distance, distance)
        assert turned.penalties(options) == learned.penalties(options)
