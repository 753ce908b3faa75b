"""Files with one number changed, which every comparison must find."""

import json

import onnx
from onnx import numpy_helper

from regimetry.runtime.seal import sealed
from regimetry.runtime.snapshots import sum_of


def resigned(snapshot, **changes):
    """Return a snapshot with other entries, or without those that are None, and its sum."""
    state = {**snapshot, **changes}
    state = {key: value for key, value in state.items() if key != "sha256" and value is not None}
    return {**state, "sha256": sum_of(state)}


def content_of(model):
    """Return the bytes of a model that was changed, as one who can seal it anew would."""
    return sealed(model.SerializeToString())


def save(model, path):
    """Write them."""
    path.write_bytes(content_of(model))


def change_constant(path, pick, by=0.05):
    """Change one number of the first constant of a model file that ``pick`` takes."""
    model = onnx.load(path)
    tensor = next(t for t in model.graph.initializer if t.data_type == 1 and pick(t))
    array = numpy_helper.to_array(tensor).copy()
    array.flat[0] = array.flat[0] * (1 + by) + by
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    save(model, path)


def change_golden(path, field):
    """Change the first number of a golden file's field."""
    content = json.loads(path.read_text())
    row = content[field] if isinstance(content[field][0], int | float) else content[field][0]
    if isinstance(row[0], bool):
        row[0] = not row[0]
    else:
        row[0] = (row[0] + 1) % 3 if isinstance(row[0], int) else row[0] + 0.02
    path.write_text(json.dumps(content))
