"""The series form against the window form."""

import graphs
import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

import regimetry as rg
from regimetry.contract import OUTPUT_NAMES
from regimetry.errors import ExportError
from regimetry.export.assemble import as_model, tensor_of
from regimetry.export.preprocessing import scaled_window
from regimetry.export.series_form import to_series
from regimetry.export.tape import Tape
from regimetry.series.preprocessing import Preprocessing


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def outputs(model, name, values):
    found = session(model).run(list(OUTPUT_NAMES), {name: values})
    return dict(zip(OUTPUT_NAMES, found, strict=True))


def window_outputs(model, values, rows):
    windows = rg.rolling_windows(values.astype(np.float32), rows)
    return outputs(model, "window", np.ascontiguousarray(windows))


@pytest.fixture(scope="module")
def window_form(detector):
    return onnx.load_from_string(detector.model_.content)


def test_one_row_for_each_bar_from_the_first_full_window_on(window_form, values):
    series = to_series(window_form)
    assert [v.name for v in series.graph.input] == ["series"]
    for count in (11, 12, 40, 200):
        part = values[:count].astype(np.float32)
        found, expected = outputs(series, "series", part), window_outputs(window_form, part, 11)
        for name in OUTPUT_NAMES:
            assert found[name].shape == expected[name].shape
        np.testing.assert_array_equal(found["regime"], expected["regime"])
        for name in ("embedding", "distance", "novelty"):
            np.testing.assert_allclose(found[name], expected[name], atol=1e-5)  # logarithms


def test_it_keeps_the_portable_subset(window_form, values):
    series = to_series(window_form)
    onnx.checker.check_model(series, full_check=True)
    assert {node.domain for node in series.graph.node} == {""}
    assert not {"If", "Loop", "Scan"} & {node.op_type for node in series.graph.node}
    (starts,) = [node for node in series.graph.node if node.op_type == "Range"]
    known = {tensor.name: list(tensor.dims) for tensor in series.graph.initializer}
    assert [known.get(name) for name in starts.input] == [[], None, []]  # the standard: scalars
    part = values[:30].astype(np.float32)
    found = ReferenceEvaluator(series).run(["embedding"], {"series": part})[0]
    expected = outputs(series, "series", part)["embedding"]
    assert graphs.difference(found, expected) < 1e-5


def test_rows_are_scaled_and_projected_once(window_form):
    series = to_series(window_form)
    names = [node.op_type for node in series.graph.node]
    assert "MatMul" in names[: names.index("Range")]
    assert "Clip" in names[: names.index("Range")]


def test_no_future_changes_the_past(window_form, values):
    series = to_series(window_form)
    past = outputs(series, "series", values[:60].astype(np.float32))
    changed = values[:100].astype(np.float32)
    changed[60:] *= 1.5
    longer = outputs(series, "series", changed)
    for name in ("embedding", "distance", "novelty"):
        np.testing.assert_allclose(longer[name][:50], past[name], atol=2e-6, rtol=2e-6)


def test_wide_rows_are_bit_identical():
    values = np.random.default_rng(0).standard_normal((120, 300)).astype(np.float32)
    values[60:] *= 2
    config = rg.EncoderConfig(embedding_dim=64, head_size=64, num_heads=2)
    detector = rg.RegimeDetector(
        window_size=10, n_regimes=2, encoder=config, objective=None, random_state=0
    ).fit(values)
    window_form = onnx.load_from_string(detector.model_.content)
    found = outputs(to_series(window_form), "series", values[:73])
    expected = window_outputs(window_form, values[:73], 10)
    for name in OUTPUT_NAMES:
        np.testing.assert_array_equal(found[name], expected[name])


def test_a_masked_encoder_has_a_series_form_too():
    encoder = graphs.random_encoder(padding_mask=True, look_ahead_mask=True)
    model = graphs.plain_onnx(encoder)
    model.graph.input[0].name = "window"
    for node in model.graph.node:
        node.input[:] = ["window" if name == "windows" else name for name in node.input]
    values = np.random.default_rng(0).standard_normal((20, 5)).astype(np.float32)
    values[7, 2] = np.nan
    found = session(to_series(model)).run(None, {"series": values})[0]
    expected = np.asarray(encoder(np.ascontiguousarray(rg.rolling_windows(values, 7))))
    assert graphs.difference(found, expected) < 2e-5


def test_columns_of_mixed_kinds_are_made_once_a_bar():
    kinds = ("log_difference", "level", "log_difference", "difference")
    scaling = Preprocessing(kinds, np.zeros(4, np.float32), np.ones(4, np.float32), 6.0)
    tape = Tape()
    window = tensor_of(ir.Value(), "window", 6, 4)
    sums = tape.reduce("ReduceSum", scaled_window(tape, scaling, window, 6), 1, keepdims=False)
    series = to_series(as_model(tape, window, [tensor_of(sums, "sums", 4)]))
    values = np.exp(np.random.default_rng(0).standard_normal((30, 4))).astype(np.float32)
    found = session(series).run(None, {"series": values})[0]
    expected = rg.rolling_windows(scaling.apply(values), 5).sum(axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert graphs.operators(series)["Gather"] == 4  # of columns, twice; of rows; of the shape


def test_another_form_is_refused(window_form):
    with pytest.raises(ExportError, match="inputs are 'series'; expected 'window'"):
        to_series(to_series(window_form))
