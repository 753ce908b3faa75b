import graphs
import numpy as np
import pytest
from keras import Input, Model, layers

from regimetry.export.rules import optimise
from regimetry.export.rules.attention import FoldedAttention

MASKS = [
    {},
    {"look_ahead_mask": True},
    {"padding_mask": True},
    {"padding_mask": True, "look_ahead_mask": True},
]


@pytest.mark.parametrize("fields", MASKS, ids=lambda fields: "+".join(fields) or "no mask")
@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_it_equals_keras(fields, heads, dropout):
    encoder = graphs.random_encoder(num_heads=heads, dropout=dropout, **fields)
    values = graphs.windows(encoder)
    if "padding_mask" in fields:  # missing first rows, missing last rows, none
        values[0, :2, 1] = values[1, -1] = np.nan
    _, report, *_ = graphs.check_rule(encoder, FoldedAttention(), values=values)
    assert report.refused == ()
    assert report.operations_after < report.operations_before


def test_fresh_weights_have_no_biases_in_the_graph_and_fold_too():
    encoder = graphs.build_encoder(graphs.EncoderConfig(**graphs.SMALL))
    graphs.check_rule(encoder, FoldedAttention())


def test_a_row_that_sees_no_key_keeps_the_bias_of_the_values_out():
    encoder = graphs.random_encoder(padding_mask=True)
    values = graphs.windows(encoder)
    values[1] = np.nan
    pooled, _ = encoder.get_layer("pooling").input  # pooling would hide them
    tokens = Model(encoder.input, pooled)
    plain = graphs.plain_onnx(tokens)
    found, report = graphs.apply_rule(plain, FoldedAttention())
    assert report.applied == 1
    expected = graphs.run(plain, values)[0]
    assert graphs.difference(graphs.run(found, values)[0], expected) < 2e-6
    # The same fold without looking whether a key is seen is far off in that window alone.
    *_, seen = (node for node in found.graph.node if node.op_type == "ReduceMax")
    everywhere = np.ones((1, 1, 1, 7), np.float32)
    found.graph.initializer.append(graphs.onnx.numpy_helper.from_array(everywhere, "everywhere"))
    seen.input[0] = "everywhere"
    wrong = graphs.run(found, values)[0]
    assert graphs.difference(wrong[1], expected[1]) > 1e-3


def test_one_changed_weight_shows():
    found, _, *known = graphs.check_rule(graphs.random_encoder(), FoldedAttention())
    names = [t.name for t in found.graph.initializer if t.name.startswith("attention/")]
    matrices = [n for n in names if graphs.rank_of(found, n) == 2]
    assert len(matrices) == 2
    for name in matrices:
        graphs.require_sensitive(found, name, *known)


def test_wide_tokens_are_refused_with_the_operations():
    encoder = graphs.random_encoder(head_size=8)
    _, report = graphs.apply_rule(graphs.plain_onnx(encoder), FoldedAttention())
    assert report.applied == 0
    assert "multiply-accumulates" in report.refused[0]
    assert "D = 16 and heads of 8" in report.refused[0]


def test_attention_to_other_tokens_is_refused():
    tokens = Input((7, 12))
    attention = layers.MultiHeadAttention(2, 10, dropout=0.1)
    attended = attention(tokens, layers.Dense(12)(tokens))
    model = graphs.randomised(Model(tokens, layers.GlobalAveragePooling1D()(attended)))
    _, report, *_ = graphs.check_rule(model, FoldedAttention(), applied=0)
    assert "no self-attention" in report.refused[0]


def test_scores_with_something_else_added_are_refused():
    from onnx import helper

    encoder = graphs.random_encoder()
    plain = graphs.plain_onnx(encoder)
    softmax = next(node for node in plain.graph.node if node.op_type == "Softmax")
    bias = graphs.onnx.numpy_helper.from_array(np.ones((1, 1, 7, 7), np.float32), "relative")
    plain.graph.initializer.append(bias)
    added = helper.make_node("Add", [softmax.input[0], "relative"], ["shifted"], "relative_add")
    softmax.input[0] = "shifted"
    plain.graph.node.insert(list(plain.graph.node).index(softmax), added)
    _, report = graphs.apply_rule(plain, FoldedAttention())
    assert report.applied == 0
    assert "no mask that is known" in report.refused[0]


def test_it_is_found_in_any_depth():
    encoder = graphs.random_encoder(num_transformer_blocks=4, num_heads=3)
    _, reports = optimise(graphs.plain_onnx(encoder), (FoldedAttention(),))
    assert reports[0].applied == 4
