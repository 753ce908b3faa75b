"""What is masked reaches nothing: in Keras, in the optimised graph, and in a model file."""

from functools import cache

import graphs
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from encoders import SMALL, randomised, windows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import regimetry as rg
from regimetry.encoder import EncoderConfig, registry
from regimetry.encoder.build import token_model
from regimetry.errors import DataError
from regimetry.export.rules import optimise

W, F = SMALL["window_size"], SMALL["num_features"]
CASES = [(pooling, number % 2 == 1) for number, pooling in enumerate(registry.POOLINGS)]
ORDINARY = st.floats(-100, 100, width=32)
ANYTHING = st.floats(width=32)  # NaN, infinities and the largest numbers among them

several = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def both(encoder):
    """Keras, and the optimised graph in onnxruntime, as functions of windows."""
    graph, _ = optimise(graphs.plain_onnx(encoder))
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    traced = tf.function(encoder)  # a tenth of the time of eager calls
    return (
        lambda values: traced(values).numpy(),
        lambda values: session.run(None, {name: values})[0],
    )


@cache
def embedders(pooling, look_ahead):
    config = EncoderConfig(
        **SMALL, embedding_dim=8, pooling=pooling, padding_mask=True, look_ahead_mask=look_ahead
    )
    return both(randomised(config))


@cache
def token_embedders(padding):
    config = EncoderConfig(**SMALL, embedding_dim=8, look_ahead_mask=True, padding_mask=padding)
    return both(token_model(randomised(config)))


@st.composite
def two_fillings(draw):
    """Two batches that agree but in masked rows, where each holds a NaN and anything beside it."""
    ordinary = draw(hnp.arrays(np.float32, (3, W, F), elements=ORDINARY))
    masked = draw(hnp.arrays(np.bool_, (3, W)))
    pair = []
    for _ in range(2):
        values = ordinary.copy()
        other = draw(hnp.arrays(np.float32, (3, W, F), elements=ANYTHING))
        column = draw(hnp.arrays(np.int64, (3, W), elements=st.integers(0, F - 1)))
        np.put_along_axis(other, column[..., None], np.nan, axis=2)
        values[masked] = other[masked]
        pair.append(values)
    return pair


@pytest.mark.parametrize("case", CASES, ids=str)
@given(pair=two_fillings())
@several
def test_what_a_masked_bar_holds_changes_nothing(case, pair):
    for embed in embedders(*case):
        first, second = map(embed, pair)
        assert np.isfinite(first).all()
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_bar_that_is_not_masked_changes_the_embedding(case):
    """The property above would hold of a constant, too."""
    values = windows(EncoderConfig(**SMALL))
    other = values.copy()
    other[:, 3, 1] += 1.0
    masked = values.copy()
    masked[:, 3, 1] = np.nan
    for embed in embedders(*case):
        moved = np.abs(embed(values) - embed(other)).max()
        left_out = np.abs(embed(values) - embed(masked)).max()
        assert min(moved, left_out) > 1e-3


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_window_without_a_usable_bar_gives_zeros(case):
    values = windows(EncoderConfig(**SMALL))
    values[4] = np.nan
    for embed in embedders(*case):
        embedded = embed(values)
        assert (embedded[4] == 0).all()
        assert np.abs(embedded[:4]).min() > 0


@pytest.mark.parametrize("case", CASES, ids=str)
def test_where_the_missing_bars_stand_matters_to_the_positions_alone(case):
    """A short window is no shorter window: its bars keep their places in the window of W."""
    values = windows(EncoderConfig(**SMALL), n=1)
    front, back = values.copy(), values.copy()
    front[0, 2:], front[0, :2] = values[0, :-2], np.nan
    back[0, -2:] = np.nan
    for embed in embedders(*case):
        assert np.abs(embed(front) - embed(back)).max() > 1e-3


@st.composite
def two_futures(draw):
    """Two batches that agree up to some bar, and that bar."""
    bar = draw(st.integers(1, W - 1))
    first = draw(hnp.arrays(np.float32, (3, W, F), elements=ORDINARY))
    second = first.copy()
    second[:, bar:] = draw(hnp.arrays(np.float32, (3, W - bar, F), elements=ORDINARY))
    return first, second, bar


@pytest.mark.parametrize(("padding", "missing"), [(False, False), (True, False), (True, True)])
@given(futures=two_futures())
@several
def test_a_later_bar_that_moves_or_comes_to_be_missing_changes_no_earlier_token(
    padding, missing, futures
):
    first, second, bar = futures
    if missing:
        second[:, bar:, 0] = np.nan
    for embed in token_embedders(padding):
        np.testing.assert_array_equal(embed(first)[:, :bar], embed(second)[:, :bar])


def test_without_the_look_ahead_mask_a_later_bar_does_change_an_earlier_token():
    config = EncoderConfig(**SMALL, embedding_dim=8)
    values = windows(config)
    other = values.copy()
    other[:, 4:] += 10.0
    for embed in both(token_model(randomised(config))):
        assert np.abs(embed(values)[:, :4] - embed(other)[:, :4]).max() > 1e-3
    for embed in token_embedders(False):
        assert np.abs(embed(values)[:, 4:] - embed(other)[:, 4:]).max() > 1e-3


@pytest.fixture(scope="module")
def masked_detector(simulation):
    config = EncoderConfig(
        embedding_dim=8, head_size=8, num_heads=2, ff_dim=16, pooling="moments",
        padding_mask=True, look_ahead_mask=True,
    )  # fmt: skip
    return rg.RegimeDetector(
        window_size=10,
        encoder=config, n_regimes=3, evidence="window", difference="none", n_landmarks=150,
        random_state=0,
    ).fit(simulation[0].values)  # fmt: skip


def test_a_model_file_reads_missing_bars_at_its_input(masked_detector, simulation):
    """What another language may do: the first bars as a window that begins with NaN."""
    session = onnxruntime.InferenceSession(
        masked_detector.model_.content, providers=["CPUExecutionProvider"]
    )
    bars = rg.rolling_windows(simulation[0].values.astype(np.float32), 10)[:5].copy()
    bars[:, :4] = np.nan
    names = ["embedding", "distance", "regime"]
    expected = session.run(names, {"window": bars})
    assert all(np.isfinite(output).all() for output in expected)
    # Novelty reads the bars themselves, past the encoder and its mask.
    assert np.isnan(session.run(["novelty"], {"window": bars})[0]).all()
    generator = np.random.default_rng(0)
    bars[:, :4, 1:] = 1e6 * generator.standard_normal(bars[:, :4, 1:].shape)
    for found, output in zip(session.run(names, {"window": bars}), expected, strict=True):
        np.testing.assert_array_equal(found, output)


def test_the_detector_and_its_model_refuse_missing_bars(masked_detector, simulation):
    """A regime is a claim about W observed bars, with the mask as without it."""
    values = simulation[0].values.copy()
    values[5, 1] = np.nan
    with pytest.raises(DataError, match="Row 5, column 'x1' holds nan"):
        masked_detector.predict(values)
    with pytest.raises(DataError, match="Row 5, column 'x1' holds nan"):
        rg.RegimeDetector(window_size=10, encoder=EncoderConfig(padding_mask=True)).fit(values)
