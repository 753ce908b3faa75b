"""What is trained, in Keras on whole series, is what is used, folded and window by window."""

import numpy as np
import pytest
from keras import ops
from networks import random_series, random_weights

from regimetry.encoder.pretraining import folded as folding
from regimetry.encoder.pretraining.architecture import Geometry
from regimetry.encoder.pretraining.batches import _batch
from regimetry.encoder.pretraining.folded import fold
from regimetry.encoder.pretraining.layers import shares, stem_responses
from regimetry.encoder.pretraining.reference import embed_in_numpy
from regimetry.encoder.pretraining.slots import draw_slots
from regimetry.encoder.pretraining.step import batch_embeddings


@pytest.mark.parametrize(("window_size", "n_features"), [(16, 1), (45, 6)])
def test_the_stem_gives_the_shares_of_folded_kernels(window_size, n_features):
    weights, rows = random_weights(), random_series(300, n_features)
    geometry = Geometry.of(window_size)
    slots = [s[None] for s in draw_slots(n_features, np.random.default_rng(5))]
    responses = stem_responses(weights, ops.convert_to_tensor(rows[None]), slots, geometry)
    folded = fold(weights, [rows], window_size, seed=5)
    assert len(responses) == len(folded.groups)
    for number, (response, group) in enumerate(zip(responses, folded.groups, strict=True)):
        found = np.asarray(shares(weights, number, response))[0]
        for t in (0, 17, 299 - geometry.reach):
            taps = geometry.reach + t - group.dilation * np.arange(group.weights.shape[2])[::-1]
            excess = np.einsum("cfk,kf->c", group.weights.astype(float), rows[taps]) - group.offsets
            np.testing.assert_allclose(found[t], 1 / (1 + np.exp(-excess)), atol=1e-5)
        assert np.ptp(found) > 0.5


@pytest.mark.parametrize("window_size", [10, 45])
def test_the_network_embeds_the_windows_of_a_batch_as_the_folded_one(window_size, monkeypatch):
    weights, geometry = random_weights(), Geometry.of(window_size)
    series = [
        (random_series(256 + geometry.reach, f, seed=f), np.zeros(256 + geometry.reach, np.int64))
        for f in (2, 7)
    ]
    batch = _batch(series, geometry, np.random.default_rng(0))
    found = batch_embeddings(
        weights, geometry, (ops.convert_to_tensor(batch.rows), batch.slots, batch.windows)
    )
    assert found.shape == (*batch.windows.shape, geometry.tokens, 32)
    for number, (rows, _) in enumerate(series):
        slots = [group[number][:, :, : rows.shape[1]] for group in batch.slots]
        monkeypatch.setattr(folding, "draw_slots", lambda *_, s=slots: s)
        folded = fold(weights, [rows], window_size, seed=0)
        windows = np.stack(
            [
                rows[i * window_size : (i + 1) * window_size + geometry.reach]
                for i in batch.windows[number]
            ]
        )
        expected = embed_in_numpy(folded, windows)
        asked = np.asarray(found)[number][:, list(geometry.asked)].reshape(len(windows), -1)
        np.testing.assert_allclose(asked, expected, atol=5e-5)
        assert np.abs(asked - np.roll(expected, 1, axis=0)).max() > 1e-2
