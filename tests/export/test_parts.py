"""Every part of the graph alone, against the numpy that it equals."""

from dataclasses import replace

import graphs
import numpy as np
import pytest
from densities import row_density

from regimetry.export.emission import emission_distance, moving_distance
from regimetry.export.head import head_distances
from regimetry.export.novelty import window_novelty
from regimetry.export.preprocessing import scaled_window
from regimetry.regimes.clustering.head import fit_head
from regimetry.regimes.density.moving import MovingEmission
from regimetry.regimes.evidence.emission import Emission
from regimetry.regimes.novelty import fit_novelty
from regimetry.series.units import fit_preprocessing
from regimetry.windows import rolling_windows

TOLERANCE = 1e-5  # of the largest entry


def noise(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def preprocessing(transforms):
    steps = noise(0, 300, 3)
    steps[:, 0] = np.cumsum(steps[:, 0])
    steps[:, 1] = 50 * np.exp(0.02 * np.cumsum(steps[:, 1]))
    values = steps.astype(np.float32)
    fitted = fit_preprocessing(values, ("walk", "price", "noise"), transforms)
    rows = 9 + fitted.rows_before
    expected = rolling_windows(fitted.apply(values), 9)
    return (
        lambda tape, x: scaled_window(tape, fitted, x, rows),
        rolling_windows(values, rows),
        expected,
    )


def head():
    embeddings = noise(0, 400, 6) + np.repeat([0.0, 3.0], 50)[np.arange(400) % 100][:, None]
    spread = np.abs(embeddings).mean(axis=1)
    fitted = fit_head(embeddings, spread, n_regimes=3, lag=5, n_landmarks=60)
    expected = fitted.outputs(embeddings)["distance"]
    return lambda tape, x: head_distances(tape, fitted, x)[0], embeddings, expected


def halves():
    """The newest half, which lies seven windows before its middle half."""
    both, fitted, expected = _of_halves()
    moved = np.roll(expected, 7, axis=0)
    return lambda tape, x: head_distances(tape, fitted, x)[0], both, moved


def hindsight():
    """The middle half, in which clusters are found."""
    both, fitted, expected = _of_halves()
    return lambda tape, x: head_distances(tape, fitted, x)[1], both, expected


def _of_halves():
    embeddings = head()[1]
    both = np.concatenate([embeddings, np.roll(embeddings, 7, axis=0)], axis=1)
    spread = np.abs(embeddings).mean(axis=1)
    fitted = fit_head(both, spread, n_regimes=3, lag=5, n_landmarks=60, halves=True)
    return both, fitted, replace(fitted, halves=False).outputs(embeddings)["distance"]


def emission(w):
    coefficients = 0.2 * noise(0, 3, 5, 2)
    factors = np.eye(2) * np.array([1.0, 0.5, 2.0])[:, None, None]
    fitted = Emission((0, 2), coefficients, factors, np.array([4.0, 6.0, 30.0]))
    windows = noise(1, 200, w, 4)
    expected = fitted.costs(windows)
    return lambda tape, x: emission_distance(tape, fitted, x, w, 4)[0], windows, expected


def moving(w, order, *, falls=True, skew=(0.8, 1.2)):
    fitted = MovingEmission((0, 2), row_density(order, falls=falls, skew=skew))
    windows = noise(1, 200, w, 4)
    expected = fitted.costs(windows)
    return lambda tape, x: moving_distance(tape, fitted, x, w, 4)[0], windows, expected


def novelty(f, w):
    fitted, _ = fit_novelty(rolling_windows(noise(0, 1000, f).astype(np.float32), w))
    extreme = [np.zeros((1, w, f)), np.full((1, w, f), 6.0), np.full((1, w, f), -6.0)]
    turns = np.random.default_rng(4).choice([-6.0, 6.0], (5, w, f))
    windows = np.concatenate([noise(4, 50, w, f), *extreme, turns, 1e-3 * noise(5, 5, w, f)])
    expected = fitted.transform(windows.astype(np.float32))
    return lambda tape, x: window_novelty(tape, fitted, x, w), windows, expected


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize(
    ("part", "arguments"),
    [
        (preprocessing, (["walk"],)),
        (preprocessing, (["price"],)),
        (preprocessing, (["walk", "price"],)),
        (preprocessing, ("none",)),
        (head, ()),
        (halves, ()),
        (hindsight, ()),
        (emission, (3,)),
        (emission, (8,)),
        (moving, (2, 1)),
        (moving, (8, 0)),
        (moving, (8, 3)),
        (moving, (90, 1)),
        (novelty, (1, 2)),
        (novelty, (3, 10)),
        (novelty, (20, 12)),
    ],
)
def test_a_part_is_the_numpy_it_equals_and_every_fitted_number_counts(part, arguments, opset):
    record, values, expected = part(*arguments)
    values = np.ascontiguousarray(values, dtype=np.float32)
    model = graphs.part_model(record, values.shape[1:], expected.shape[1:], opset)
    assert graphs.difference(graphs.run(model, values)[0], expected) < TOLERANCE
    fitted = [
        tensor.name
        for tensor in model.graph.initializer
        if not tensor.name.startswith("part/constant") and tensor.data_type == 1
    ]
    assert fitted
    for name in fitted:
        changed = graphs.run(graphs.perturbed(model, name, every=True), values)[0]
        assert graphs.difference(changed, expected) > TOLERANCE, name
