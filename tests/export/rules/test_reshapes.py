import graphs
import numpy as np
import pytest
from onnx import helper

from regimetry.export.rules.reshapes import DeadReshape

CONSTANTS = {
    "rows": np.array([-1, 6]),
    "windows": np.array([-1, 4, 6]),
    "long": np.array([-1, 24]),
    "axis": np.array([1]),
    "zero": np.array([0]),
    "end": np.array([99]),
    "minus": np.array([-1]),
    "start": np.array([-1]),
    "before": np.array([-99]),
}


def chain(*steps, output=("batch", 4, 6)):
    """Steps one after the other on windows (batch, 4, 6), between two Relus."""
    nodes = [helper.make_node("Relu", ["x"], ["v0"])]
    for number, (operator, extra, attributes) in enumerate(steps):
        nodes.append(
            helper.make_node(operator, [f"v{number}", *extra], [f"v{number + 1}"], **attributes)
        )
    nodes.append(helper.make_node("Neg", [f"v{len(steps)}"], ["y"]))
    return graphs.graph_model(nodes, {"x": ["batch", 4, 6]}, {"y": list(output)}, CONSTANTS)


def step(operator, *extra, **attributes):
    return operator, extra, attributes


def check(model, kept):
    found, report = graphs.apply_rule(model, DeadReshape())
    names = [node.op_type for node in found.graph.node]
    assert names == ["Relu", *kept, "Neg"]
    values = np.random.default_rng(0).standard_normal((3, 4, 6)).astype(np.float32)
    np.testing.assert_array_equal(graphs.run(found, values)[0], graphs.run(model, values)[0])
    return report


@pytest.mark.parametrize(
    "steps",
    [
        [step("Reshape", "rows"), step("Reshape", "windows")],
        [step("Unsqueeze", "axis"), step("Squeeze", "axis")],
        [step("Reshape", "windows")],
        [step("Identity")],
        [step("Transpose", perm=[0, 2, 1]), step("Transpose", perm=[0, 2, 1])],
        [step("Transpose", perm=[0, 1, 2])],
        [step("Slice", "zero", "end", "axis")],
        [step("Reshape", "rows"), step("Reshape", "long"), step("Reshape", "windows")],
    ],
    ids=lambda steps: "-".join(name for name, _, _ in steps),
)
def test_what_changes_nothing_goes(steps):
    assert check(chain(*steps), []).applied


def test_a_chain_becomes_one():
    steps = [step("Reshape", "rows"), step("Reshape", "long")]
    check(chain(*steps, output=("batch", 24)), ["Reshape"])
    turns = [step("Transpose", perm=[1, 0, 2]), step("Transpose", perm=[2, 0, 1])]
    check(chain(*turns, output=(6, 4, "batch")), ["Transpose"])


@pytest.mark.parametrize(
    ("steps", "output"),
    [
        ([step("Slice", "start", "before", "axis", "minus")], ("batch", 4, 6)),
        ([step("Reshape", "rows")], ("rows", 6)),
        ([step("Transpose", perm=[0, 2, 1])], ("batch", 6, 4)),
    ],
)
def test_what_changes_something_stays(steps, output):
    report = check(chain(*steps, output=output), [steps[0][0]])
    assert report.applied == 0
