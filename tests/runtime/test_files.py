import onnx
import pytest

import regimetry as rg
from regimetry.errors import ModelError


def test_files_that_are_not_ours(model_path, tmp_path):
    content = model_path.read_bytes()
    with pytest.raises(ModelError, match="no model file"):
        rg.load(tmp_path / "none.onnx")
    damaged = tmp_path / "damaged.onnx"
    for cut in (0, 10, len(content) // 2, len(content) - 50):
        damaged.write_bytes(content[:cut])
        with pytest.raises(ModelError, match="damaged"):
            rg.load(damaged)
    damaged.write_text("not a model")
    with pytest.raises(ModelError, match="damaged"):
        rg.load(damaged)
    stranger = onnx.load_from_string(content)
    del stranger.metadata_props[:]
    onnx.save(stranger, damaged)
    with pytest.raises(ModelError, match="not a regimetry model"):
        rg.load(damaged)


def test_a_graph_that_breaks_its_contract_is_refused(model_path, tmp_path):
    changed = onnx.load_from_string(model_path.read_bytes())
    changed.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 12
    changed.graph.input[0].name = "window"
    path = tmp_path / "changed.onnx"
    path.write_bytes(changed.SerializeToString())
    with pytest.raises(ModelError):
        rg.load(path)
