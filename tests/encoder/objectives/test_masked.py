import numpy as np
import pytest

from regimetry.encoder.objectives.masked import MaskedReconstruction, geometric_mask
from regimetry.encoder.training import Windows


def test_masks_have_the_asked_share_and_span():
    hidden = geometric_mask((4000, 40, 2), 0.15, 3.0, np.random.default_rng(0))
    assert hidden.mean() == pytest.approx(0.15, abs=0.01)
    begins = np.sum(hidden[:, 1:] & ~hidden[:, :-1])
    assert hidden[:, 1:].sum() / begins == pytest.approx(3.0, rel=0.1)


def test_the_loss_counts_hidden_entries_only():
    objective = MaskedReconstruction()
    generator = np.random.default_rng(0)
    values = generator.standard_normal((20, 8, 2)).astype(np.float32)
    inputs, target = objective.batch(Windows([values]), np.arange(20), generator, training=True)
    values, hidden = target[..., :2], target[..., 2:].astype(bool)
    assert (inputs[hidden] == 0).all()
    np.testing.assert_array_equal(inputs[~hidden], values[~hidden])
    guess = np.where(hidden, values + 2.0, -99.0).astype(np.float32)
    assert float(objective.loss(target, guess)) == pytest.approx(4.0, rel=1e-5)


def test_a_missing_row_is_no_target_and_stays_missing():
    values = np.ones((30, 8, 2), np.float32)
    values[:, 3, 1] = np.nan
    objective = MaskedReconstruction(ratio=0.9)
    inputs, target = objective.batch(
        Windows([values]), np.arange(30), np.random.default_rng(0), training=True
    )
    assert np.isfinite(target).all()
    assert not target[:, 3, 2:].any()
    assert target[:, :, 2:].any()
    assert np.isnan(inputs[:, 3, 1]).all()
