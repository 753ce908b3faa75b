"""Parts of a graph against the whole, and against onnx's own way to cut one out."""

from itertools import chain, combinations
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from changed import content_of
from onnx.utils import Extractor

import regimetry as rg
from regimetry.contract import OUTPUT_NAMES
from regimetry.errors import ConfigError
from regimetry.export.series_form import to_series
from regimetry.runtime.graphfile import GraphFile
from regimetry.runtime.part import closed, cut

ROOT = Path(__file__).parents[1]
FILES = [
    ROOT.parent / "models/sp500.onnx",
    *sorted(ROOT.glob("contract/files/*.onnx")),
    ROOT / "check/files/float16.onnx",
]
SUBSETS = [*chain(*(combinations(OUTPUT_NAMES, count) for count in range(1, 5)))]


def run(content, names, data):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(list(names), {session.get_inputs()[0].name: data})


def require_equal_parts(content, values, rows):
    """Compare every set of outputs with the whole graph's, bit for bit, in three batches."""
    graph = GraphFile.read(content)
    series = b"series" in graph.inputs
    windows = np.lib.stride_tricks.sliding_window_view(values, rows, axis=0).swapaxes(1, 2)
    for count in (1, 4, 37):
        data = np.float32(values[: rows + count - 1] if series else windows[:count])
        whole = dict(zip(OUTPUT_NAMES, run(content, OUTPUT_NAMES, data), strict=True))
        for names in SUBSETS:
            for kept in {frozenset(names), closed(graph, names)}:
                found = run(cut(graph, kept), names, data)
                for name, array in zip(names, found, strict=True):
                    np.testing.assert_array_equal(array, whole[name], str((names, kept)))


@pytest.fixture(scope="module", params=["window", "bar"])
def graph(request, detector, bar_detector):
    """A graph of this release by what tells its regimes, and rows of a window."""
    found = detector if request.param == "window" else bar_detector
    return found.model_.content, found.model_.contract.window_rows


@pytest.mark.parametrize("opset", [17, 18])
def test_parts_equal_the_whole(graph, values, opset):
    content, rows = graph
    model = onnx.load_from_string(content)
    require_equal_parts(content_of(converted(model, opset)), values, rows)


@pytest.mark.parametrize("opset", [17, 18])
def test_parts_of_the_series_form_equal_the_whole(graph, values, opset):
    content, rows = graph
    model = to_series(onnx.load_from_string(content))
    require_equal_parts(content_of(converted(model, opset)), values, rows)


def converted(model, opset):
    """Return the model at another opset."""
    return onnx.version_converter.convert_version(model, opset)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_parts_of_files_equal_the_whole(path):
    contract = rg.load(path).contract
    values = np.random.default_rng(0).normal(1, 0.01, (100, contract.n_features))
    require_equal_parts(path.read_bytes(), values, contract.window_rows)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("names", SUBSETS[:-1], ids=" ".join)
def test_a_part_holds_what_onnx_itself_cuts_out(path, names):
    model, part = onnx.load(path), onnx.load_from_string(cut(GraphFile.read(path), names))
    onnx.checker.check_model(part, full_check=True)
    expected = Extractor(model).extract_model(["window"], list(names))
    for parts, wanted in (
        (part.graph.node, expected.graph.node),
        (part.graph.input, expected.graph.input),
        (sorted_by_name(part.graph.output), sorted_by_name(expected.graph.output)),
        (sorted_by_name(part.graph.initializer), sorted_by_name(expected.graph.initializer)),
        (part.opset_import, model.opset_import),
    ):
        assert list(parts) == list(wanted)
    assert part.ir_version == model.ir_version
    known = {name for node in part.graph.node for name in (*node.input, *node.output)}
    assert {value.name for value in part.graph.value_info} <= known


def sorted_by_name(values):
    return sorted(values, key=lambda value: value.name)


def test_all_outputs_are_the_file_itself(model_path):
    graph = GraphFile.read(model_path)
    assert cut(graph, OUTPUT_NAMES) is graph.content


def test_outputs_on_the_way_are_kept(detector, bar_detector):
    windows, bars = (GraphFile.read(found.model_.content) for found in (detector, bar_detector))
    assert closed(windows, ["distance"]) == {"embedding", "distance"}
    assert closed(bars, ["distance"]) == {"distance"}
    assert closed(windows, ["regime"]) == {"embedding", "distance", "regime"}
    assert closed(bars, ["regime"]) == {"regime"}
    assert closed(bars, ["embedding", "distance", "regime", "novelty"]) == set(OUTPUT_NAMES)


def test_a_model_opens_what_is_asked_for_and_once(bar_detector, values):
    model = rg.RegimeModel(bar_detector.model_.content)
    opened = model._file._sessions
    assert set(opened) == {frozenset({"distance"})}
    model.predict(values)
    model.smooth(values)
    model.predict_proba(values)
    assert set(opened) == {frozenset({"distance"})}
    model.label(values)
    assert len({*opened.values()}) == 2
    model.novelty(values)
    model.novel(values)
    assert len({*opened.values()}) == 3
    model.embed(values)
    assert len({*opened.values()}) == 4
    model.run(np.ones((2, model.rows, 4)), ["regime"])
    assert frozenset({"regime"}) in opened
    sizes = [len(cut(model._file.graph, session.outputs)) for session in {*opened.values()}]
    assert max(sizes) < len(model.content)


@pytest.mark.parametrize("evidence", ["detector", "bar_detector"])
def test_every_method_gives_what_the_whole_graph_gives(request, evidence, values):
    model = request.getfixturevalue(evidence).model_
    whole = rg.RegimeModel(model.content).outputs(values)
    for names in SUBSETS:
        for name, found in rg.RegimeModel(model.content).outputs(values, names).items():
            np.testing.assert_array_equal(found, whole[name])


def test_an_output_that_does_not_exist_names_those_that_do(model, values):
    for asked in (["labels"], ["embedding", "labels"]):
        with pytest.raises(ConfigError, match=r"'labels'.*'embedding'.*'novelty'"):
            model.outputs(values, asked)
        with pytest.raises(ConfigError, match=r"'labels'.*'embedding'.*'novelty'"):
            model.run(np.ones((1, model.rows, 4)), asked)
    with pytest.raises(ConfigError, match="outputs is empty; name some of embedding, distance"):
        model.outputs(values, [])


def test_weights_that_are_inputs_too_stay_defaults(model_path, values):
    """As exporters for old releases write them."""
    model = onnx.load(model_path)
    whole = rg.load(model_path).outputs(values)
    for weight in model.graph.initializer:
        model.graph.input.append(
            onnx.helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims)
        )
    changed = rg.RegimeModel(content_of(model))
    for name, expected in whole.items():
        found = changed.outputs(values, [name])[name]
        np.testing.assert_allclose(found, expected, atol=1e-4)
