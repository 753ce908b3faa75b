"""The model repository against Triton's own protobuf definition and the file's real tensors."""

import json
from dataclasses import replace

import onnx
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from regimetry.check.reader import read_source
from regimetry.errors import ConfigError, DataError
from regimetry.export.triton import triton_config, write_triton

TYPES = {
    onnx.TensorProto.FLOAT: triton.TYPE_FP32,
    onnx.TensorProto.INT64: triton.TYPE_INT64,
}


@pytest.fixture
def file(model_path):
    return read_source(model_path)


def parse(text):
    return text_format.Parse(text, triton.ModelConfig())


def differences(config, graph):
    """Names of tensors whose shape or type in the configuration is not that of the graph.

    As Triton compares them: with batching, dims leave the batch out, and ``reshape`` says what
    the graph itself has.
    """
    promised = {
        item.name: (
            item.data_type,
            tuple(item.reshape.shape if item.HasField("reshape") else item.dims),
        )
        for item in (*config.input, *config.output)
    }
    found = {
        value.name: (
            TYPES[value.type.tensor_type.elem_type],
            tuple(d.dim_value for d in value.type.tensor_type.shape.dim[1:]),
        )
        for value in (*graph.input, *graph.output)
    }
    names = promised.keys() | found.keys()
    return sorted(name for name in names if promised.get(name) != found.get(name))


def test_the_configuration_fits_the_graph(file):
    config = parse(triton_config(file, "small"))
    assert differences(config, file.graph().graph) == []
    assert config.name == "small"
    assert config.platform == "onnxruntime_onnx"
    assert [item.name for item in config.input] == ["window"]
    assert [item.name for item in config.output] == ["embedding", "distance", "regime", "novelty"]
    assert all(list(item.dims) for item in (*config.input, *config.output))  # Triton insists


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("dims: [11, 4]", "dims: [10, 4]", "window"),
        ("dims: [24]", "dims: [25]", "embedding"),
        ("dims: [3]", "dims: [3, 1]", "distance"),
        ("TYPE_INT64", "TYPE_INT32", "regime"),
        ("shape: []", "shape: [1]", "novelty"),
        ('"novelty"', '"surprise"', "novelty"),
    ],
)
def test_the_comparison_can_fail(file, before, after, name):
    text = triton_config(file, "small")
    assert before in text
    assert name in differences(parse(text.replace(before, after)), file.graph().graph)


def test_batches_instances_and_warm_up(file):
    config = parse(triton_config(file, "m", kind="gpu", instances=3, queue_delay_us=0))
    assert config.max_batch_size == 64
    assert list(config.dynamic_batching.preferred_batch_size) == [16, 32, 64]
    assert config.dynamic_batching.max_queue_delay_microseconds == 0
    (group,) = config.instance_group
    assert (group.count, group.kind) == (3, triton.ModelInstanceGroup.KIND_GPU)
    assert [sample.batch_size for sample in config.model_warmup] == [1, 64]
    for sample in config.model_warmup:
        assert list(sample.inputs["window"].dims) == [11, 4]
        assert sample.inputs["window"].zero_data


@pytest.mark.parametrize("kind", ["auto", "cpu", "gpu"])
def test_every_kind_is_one_of_tritons(file, kind):
    group = parse(triton_config(file, "m", kind=kind)).instance_group[0]
    assert triton.ModelInstanceGroup.Kind.Name(group.kind) == f"KIND_{kind.upper()}"


def test_names_and_the_price_of_a_change_travel_along(file):
    names = ('calm "low"', "vol\\high\n", "Krise: größer")
    regimes = tuple(
        replace(regime, name=name)
        for regime, name in zip(file.contract.regimes, names, strict=True)
    )
    named = replace(file, contract=replace(file.contract, regimes=regimes))
    parameters = parse(triton_config(named, "m")).parameters
    assert json.loads(parameters["regimes"].string_value) == list(names)
    assert json.loads(parameters["columns"].string_value) == ["x0", "x1", "x2", "x3"]
    assert float(parameters["jump_penalty"].string_value) == 1.0
    assert parameters["intra_op_thread_count"].string_value == "1"


def test_a_repository_on_disk(file, tmp_path):
    folder = tmp_path / "models"
    assert write_triton(file, folder, "small") == folder / "small"
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    assert paths == ["small", "small/1", "small/1/model.onnx", "small/config.pbtxt"]
    assert (folder / "small" / "1" / "model.onnx").read_bytes() == file.content
    assert parse((folder / "small" / "config.pbtxt").read_text()).name == "small"
    assert write_triton(file, folder, "other").is_dir()


def test_a_model_is_replaced_only_by_force(file, tmp_path):
    write_triton(file, tmp_path, "m")
    with pytest.raises(DataError, match="exists already"):
        write_triton(file, tmp_path, "m", kind="gpu")
    assert "KIND_AUTO" in (tmp_path / "m" / "config.pbtxt").read_text()
    write_triton(file, tmp_path, "m", kind="gpu", force=True)
    assert "KIND_GPU" in (tmp_path / "m" / "config.pbtxt").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("there", [False, True])
def test_nothing_half_written(file, tmp_path, monkeypatch, there):
    folder = tmp_path / "models"
    if there:
        write_triton(file, folder, "m", kind="cpu")
    rename = type(folder).rename

    def fail(path, target):
        if path.name == "new":
            raise OSError("disk full")
        return rename(path, target)

    monkeypatch.setattr(type(folder), "rename", fail)
    with pytest.raises(OSError, match="disk full"):
        write_triton(file, folder, "m", kind="gpu", force=True)
    if there:
        assert "KIND_CPU" in (folder / "m" / "config.pbtxt").read_text()
        assert [path.name for path in folder.iterdir()] == ["m"]
    else:
        assert not folder.exists()


def test_bad_input(file, tmp_path):
    for options, message in (
        ({"name": "a/b"}, "name is 'a/b'"),
        ({"name": ".m"}, "name is '.m'"),
        ({"kind": "tpu"}, "kind is 'tpu'; it must be one of 'auto', 'cpu', 'gpu'"),
        ({"instances": 0}, "instances is 0"),
        ({"queue_delay_us": -1}, "queue_delay_us is -1"),
    ):
        with pytest.raises(ConfigError, match=message):
            write_triton(file, tmp_path / "r", **{"name": "m", **options})
    with pytest.raises(ConfigError, match="is of the series form"):
        write_triton(replace(file, input_name="series"), tmp_path / "r", "m")
    with pytest.raises(DataError, match="does not exist"):
        write_triton(file, tmp_path / "none" / "r", "m")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is a file; name a folder"):
        write_triton(file, tmp_path / "file", "m")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
