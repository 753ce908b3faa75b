"""Files with one number changed, which every comparison must find."""

import json

import onnx
from onnx import numpy_helper


def change_constant(path, pick, by=0.05):
    """Change one number of the first constant of a model file that ``pick`` takes."""
    model = onnx.load(path)
    tensor = next(t for t in model.graph.initializer if t.data_type == 1 and pick(t))
    array = numpy_helper.to_array(tensor).copy()
    array.flat[0] = array.flat[0] * (1 + by) + by
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    onnx.save(model, path)


def change_golden(path, field):
    """Change the first number of a golden file's field."""
    content = json.loads(path.read_text())
    row = content[field] if isinstance(content[field][0], int | float) else content[field][0]
    row[0] = (row[0] + 1) % 3 if isinstance(row[0], int) else row[0] + 0.01
    path.write_text(json.dumps(content))
