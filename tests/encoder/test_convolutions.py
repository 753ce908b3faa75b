"""The bank of convolutions: what it computes, and that numpy, the graph and Keras agree on it."""

import graphs
import numpy as np
import onnx
import pytest
from encoders import fit_fast
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from regimetry.encoder import EncoderConfig
from regimetry.encoder.convolutions import (
    SHAPES,
    dilations,
    fit_bank,
    label_offset,
    reach,
    thresholds_between,
)
from regimetry.errors import ConfigError
from regimetry.export.assemble import assemble_encoder
from regimetry.export.convolutions import bank_part
from regimetry.export.series_form import to_series
from regimetry.windows import rolling_windows


def switching(n_rows=900, seed=0):
    """An on/off channel, one rounded to halves, and noise whose level changes."""
    generator = np.random.default_rng(seed)
    state = (np.arange(n_rows) // 150) % 2
    on = (generator.random(n_rows) < 0.1 + 0.7 * state).astype(float)
    rounded = np.round(2 * generator.standard_normal(n_rows) * (1 + state)) / 2
    noise = generator.standard_normal(n_rows) + 3 * state
    return np.stack([on, rounded, noise], axis=1)


def standardised(values):
    return ((values - values.mean(axis=0)) / values.std(axis=0)).astype(np.float32)


ROWS = standardised(switching())


def windows_of(bank, rows=ROWS):
    return rolling_windows(rows, bank.window_size + bank.reach)


def test_kernels_are_of_nine_taps_and_do_not_see_the_level():
    assert SHAPES.shape == (84, 9)
    assert (SHAPES.sum(axis=1) == 0).all()
    assert len(np.unique(SHAPES, axis=0)) == 84


@pytest.mark.parametrize(
    ("size", "expected"),
    [(2, (1,)), (10, (1,)), (16, (1,)), (17, (1, 2)), (40, (1, 2, 4)), (160, (1, 2, 4, 8, 16)),
     (320, (1, 2, 4, 8, 16, 32)), (5000, (1, 2, 4, 8, 16, 32))],
)  # fmt: skip
def test_no_kernel_spans_more_than_the_window(size, expected):
    assert dilations(size) == expected
    assert reach(size) == 8 * expected[-1]
    assert label_offset(size, reach(size)) == size // 2 + 2 * expected[-1]


@settings(max_examples=30)
@given(
    size=st.integers(2, 70),
    features=st.integers(1, 6),
    extra=st.integers(0, 30),
    step=st.integers(1, 9),
    seed=st.integers(0, 9),
)
def test_each_kernel_once_a_row_gives_what_every_window_gives(size, features, extra, step, seed):
    generator = np.random.default_rng(seed)
    count = size + reach(size) + extra
    rows = generator.standard_normal((count, features)).astype(np.float32)
    rows[:, 0] = np.round(rows[:, 0])
    bank = fit_bank([rows], size, seed)
    expected = bank.embed(windows_of(bank, rows)[::step])
    found = bank.embed_series(rows, step)
    assert found.shape == expected.shape == (extra // step + 1, bank.size)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_share_is_that_of_the_last_rows_and_reads_no_later_one():
    bank = fit_bank([ROWS], 20, 0)
    window = np.array(windows_of(bank)[100])
    expected = bank.embed(window[None])[0]
    for position in (len(window) - 1, len(window) - 20):
        changed = window.copy()
        changed[position] += 3
        assert (bank.embed(changed[None])[0] != expected).mean() > 0.1, position
    changed = window.copy()
    changed[: bank.reach] += 3  # the rows before the window: levels do not read them
    levels = bank.size - 3 - len(bank.kernels[-1].thresholds)
    found = bank.embed(changed[None])[0]
    assert (found[levels:] == expected[levels:]).all()
    assert (found[:levels] != expected[:levels]).any()


def test_banks_of_two_sizes_share_their_kernels():
    small, large = fit_bank([ROWS], 20, 3), fit_bank([ROWS], 160, 3)
    for one, other in zip(small.kernels[:-1], large.kernels, strict=False):
        assert one.dilation == other.dilation
        np.testing.assert_array_equal(one.weights[: len(other.weights)], other.weights)
    same, another = fit_bank([ROWS], 20, 3), fit_bank([ROWS], 20, 4)
    assert all(
        np.array_equal(a.weights, b.weights)
        for a, b in zip(small.kernels, same.kernels, strict=True)
    )
    assert not np.array_equal(small.kernels[0].weights, another.kernels[0].weights)


def closest(bank):
    """How close a response of training comes to a threshold of its kernel."""
    return min(
        np.abs(group.responses(ROWS.astype(np.float64))[owner] - threshold).min()
        for group in bank.kernels
        for owner, threshold in zip(group.owners, group.thresholds, strict=True)
    )


def test_no_response_comes_close_to_a_threshold():
    bank = fit_bank([ROWS], 40, 0)
    assert closest(bank) > 1.9e-6
    # Quantiles themselves are values that occur.
    values = bank.kernels[0].responses(ROWS)[0]
    quantile = np.quantile(values, 0.5, method="nearest")
    assert np.abs(values - quantile).min() == 0


def test_another_precision_changes_no_share():
    bank = fit_bank([ROWS], 40, 0)
    expected = bank.embed_series(ROWS)
    np.testing.assert_allclose(bank.embed(windows_of(bank)), expected, atol=1e-7)
    # At an attained value rounding decides.
    group = bank.kernels[0]
    for number, owner in enumerate(group.owners):
        values = group.responses(ROWS)[owner]
        group.thresholds[number] = np.quantile(values, 0.5, method="nearest")
    assert np.abs(bank.embed(windows_of(bank)) - bank.embed_series(ROWS)).max() > 0.01


@pytest.mark.parametrize(
    ("values", "share", "between"),
    [
        ([0.0] * 70 + [1.0] * 30, 0.5, (0, 1)),  # all quantiles lie at an attained value
        ([0.0] * 70 + [1.0] * 30, 0.9, (0, 1)),
        (np.repeat([0.0, 1.0, 2.0], [40, 20, 40]), 0.2, (0, 1)),
        (np.repeat([0.0, 1.0, 2.0], [40, 20, 40]), 0.8, (1, 2)),
        (np.arange(101.0), 0.5, (49, 51)),
        (np.r_[np.linspace(0, 1e-7, 100), 1.0], 0.1, (0, 1)),  # gaps below rounding are none
    ],
)
def test_a_threshold_lies_in_the_nearest_wide_gap(values, share, between):
    (found,) = thresholds_between(np.array(values, np.float32), np.array([share]))
    assert between[0] < found < between[1]
    if share != 0.1:
        assert np.abs(np.asarray(values) - found).min() >= 0.49


def test_many_values_without_a_wide_gap_near_by_take_the_widest_there():
    values = np.sort(np.random.default_rng(0).random(200_000)).astype(np.float32) * 1e-1
    values = np.r_[values, 5.0].astype(np.float32)
    (found,) = thresholds_between(values, np.array([0.5]))
    assert 0.04 < found < 0.06
    assert np.abs(values - found).min() > 0


def test_one_value_alone_is_exceeded_never():
    found = thresholds_between(np.full(50, 2.0, np.float32), np.array([0.2, 0.8]))
    assert min(found) > 2


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize("columns", [[2], [0], [0, 1, 2]], ids=str)
@pytest.mark.parametrize("size", [10, 40])
def test_the_graph_agrees_on_channels_of_few_levels(size, columns, opset):
    rows = ROWS[:, columns]
    bank = fit_bank([rows], size, 1)
    graph = assemble_encoder(bank_part(bank, opset))
    windows = np.ascontiguousarray(windows_of(bank, rows)[::7])
    expected = bank.embed(windows)
    assert np.abs(graphs.run(graph, windows)[0] - expected).max() < 1e-6
    found = ReferenceEvaluator(graph).run(None, {"window": windows[:5]})[0]
    assert np.abs(found - expected[:5]).max() < 1e-6


def test_a_changed_threshold_shows():
    bank = fit_bank([ROWS], 10, 1)
    windows = np.ascontiguousarray(windows_of(bank)[::7])
    expected = bank.embed(windows)
    bank.kernels[0].thresholds[5] += 1.0
    graph = assemble_encoder(bank_part(bank, 18))
    assert np.abs(graphs.run(graph, windows)[0] - expected).max() > 0.05


@pytest.fixture(scope="module")
def alone():
    return fit_fast(switching(), window_size=40, n_regimes=2, encoder=None, evidence="window")


def test_long_windows_are_told_by_convolutions_alone(alone):
    contract = alone.model_.contract
    assert contract.training.configuration["encoder"]["convolutions"] == "alone"
    assert (contract.reach, contract.window_rows) == (32, 72)
    assert contract.bars_until_label == contract.label_offset == 20 + 8
    assert contract.format_version == 4
    assert alone.parity_.differences["embedding"] < 1e-6


def test_the_series_form_convolves_each_row_once(alone):
    window_form = onnx.load_from_string(alone.model_.content)
    series_form = to_series(window_form)
    kinds = [node.op_type for node in series_form.graph.node]
    assert kinds.count("Conv") == 4
    known = onnx.shape_inference.infer_shapes(series_form, data_prop=True).graph
    shapes = {v.name: v.type.tensor_type.shape.dim for v in known.value_info}
    convolved = [n.output[0] for n in series_form.graph.node if n.op_type == "Conv"]
    assert all(shapes[name][0].dim_value == 1 for name in convolved)
    rows = switching()[:200].astype(np.float32)
    windows = np.ascontiguousarray(rolling_windows(rows, 72))
    for found, expected in zip(
        graphs.run(series_form, rows), graphs.run(window_form, windows), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_a_stream_gives_the_labels_of_the_series(alone):
    values, model = switching()[:300], alone.model_
    stream = model.stream()
    ticks = [stream.push(row) for row in values]
    expected = model.predict(values)
    assert ticks[:71] == [None] * 71
    assert [tick.regime for tick in ticks[71:]] == expected[71:].tolist()


def test_short_windows_keep_the_transformer_and_training_does():
    config = EncoderConfig(convolutions="auto")
    assert config.of_windows(20).convolutions == "beside"
    assert config.of_windows(21).convolutions == "alone"
    assert config.of_windows(80, trained=True).convolutions == "beside"
    assert EncoderConfig().of_windows(80).reach == 0
    with pytest.raises(ConfigError, match="a convolution reads every row"):
        EncoderConfig(convolutions="alone", padding_mask=True)


def test_a_bank_beside_the_transformer_in_keras_too(tmp_path):
    import keras

    config = EncoderConfig(embedding_dim=8, head_size=8, num_heads=2, ff_dim=16)
    encoder = EncoderConfig(**{**config.to_dict(), "convolutions": "beside"})
    detector = fit_fast(switching(300), window_size=10, n_regimes=2, encoder=encoder)
    assert detector.parity_.differences["embedding"] < 1e-5
    model = detector.encoder_
    assert model.input_shape == (None, 18, 3)
    windows = np.ascontiguousarray(rolling_windows(ROWS, 18)[::9])
    found = model.predict(windows, verbose=0)
    assert np.abs(found - detector._encoder.twin(windows)).max() < 1e-5
    model.save(tmp_path / "bank.keras")
    again = keras.models.load_model(tmp_path / "bank.keras")
    np.testing.assert_array_equal(again.predict(windows, verbose=0), found)


def test_a_file_that_contradicts_its_reach_is_refused(alone):
    from dataclasses import replace

    from regimetry.contract import read_contract
    from regimetry.errors import ModelError

    wrong = replace(alone.model_.contract, reach=24)
    with pytest.raises(ModelError, match="window_rows is 72; expected 64"):
        read_contract(wrong.to_metadata(), "x")


def test_a_mean_over_responses_that_are_no_counts_is_left_to_windows():
    """Sums of other numbers would differ with their order: the series form cuts windows."""
    import onnx_ir as ir

    from regimetry.export.assemble import as_model, tensor_of
    from regimetry.export.tape import Tape

    tape, bank = Tape(opset=18), fit_bank([ROWS], 10, 0)
    window = tensor_of(ir.Value(), "window", 18, 3)
    group = bank.kernels[0]
    found = tape.Conv(
        tape.Transpose(window, perm=[0, 2, 1]), group.weights, kernel_shape=[9], dilations=[1]
    )
    mean = tape.reduce("ReduceMean", tape.Relu(found), 2, keepdims=False)
    model = as_model(tape, window, [tensor_of(mean, "embedding", len(group.weights))])
    series, rows = to_series(model), ROWS[:60]
    assert "CumSum" not in [node.op_type for node in series.graph.node]
    expected = graphs.run(model, np.ascontiguousarray(rolling_windows(rows, 18)))[0]
    np.testing.assert_allclose(graphs.run(series, rows)[0], expected, atol=2e-6)
