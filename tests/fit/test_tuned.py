"""A pretrained network that an objective trains further."""

import graphs
import numpy as np
import pytest
import tensorflow as tf
from networks import folded_with_windows, random_series, random_weights

from regimetry.encoder.pretraining.folded import fold
from regimetry.encoder.pretraining.reference import embed_in_numpy
from regimetry.errors import ConfigError
from regimetry.export.assemble import assemble_encoder
from regimetry.export.pretrained import pretrained_part
from regimetry.fit.keras_encoder import tuned
from regimetry.fit.options import FitOptions
from regimetry.windows import Windows, rolling_windows


@pytest.fixture
def eager():
    """Steps without a graph, whose tracing takes long."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def folded():
    return fold(random_weights(), [random_series(400, 3)], 16, 0)


@pytest.fixture(scope="module")
def windows(folded):
    length = 16 + folded.geometry.reach
    return Windows([rolling_windows(random_series(n, 3, seed=n), length) for n in (300, 250)])


def train(folded, windows, seed=0, objective="vicreg"):
    options = FitOptions(objective=objective, epochs=1, seed=seed)
    return tuned(options, folded, windows, progress=False)


@pytest.mark.usefixtures("eager")
def test_training_changes_every_weight_and_graph_and_numpy_agree_on_them(folded, windows):
    before = {name: array.copy() for name, array in folded.weights.items()}
    changed, history = train(folded, windows)
    assert history.keys() == {"step", "loss", "val_loss"}
    for name, array in before.items():
        np.testing.assert_array_equal(folded.weights[name], array)
        assert not np.array_equal(changed.weights[name], array), name
    for group, other in zip(folded.groups, changed.groups, strict=True):
        assert not np.array_equal(group.weights, other.weights)
        assert not np.array_equal(group.offsets, other.offsets)

    values = np.ascontiguousarray(windows.series[0][:20])
    expected = embed_in_numpy(changed, values)
    graph = assemble_encoder(pretrained_part(changed, 17))
    scale = np.abs(expected).max()
    assert np.abs(graphs.run(graph, values)[0] - expected).max() < 1e-5 * scale
    assert np.abs(embed_in_numpy(folded, values) - expected).max() > 1e-3 * scale

    again, _ = train(folded, windows)
    other, _ = train(folded, windows, seed=1)
    for name, array in changed.weights.items():
        np.testing.assert_array_equal(again.weights[name], array, err_msg=name)
    assert not np.array_equal(other.weights["gate"], changed.weights["gate"])


@pytest.mark.parametrize("objective", ["masked", "next_bar"])
def test_objectives_that_score_rows_are_refused(objective):
    folded, windows = folded_with_windows(16, 3, n_windows=200)
    with pytest.raises(ConfigError, match=r"needs the embedding alone: vamp2, contrast, vicreg"):
        train(folded, Windows([windows]), objective=objective)
