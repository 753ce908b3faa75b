"""The messages of onnx.proto, as far as regimetry reads them or says why it does not."""

from __future__ import annotations

from regimetry.runtime.protobuf import BYTES, EIGHT_BYTES, FOUR_BYTES, VARINT, Message

MODEL = Message(
    "a model",
    once=dict.fromkeys((1, 5), VARINT) | dict.fromkeys((2, 3, 4, 6, 7), BYTES),
    lists=dict.fromkeys((8, 14, 25), BYTES),
)
GRAPH = Message(
    "a graph",
    once=dict.fromkeys((2, 10), BYTES),
    lists=dict.fromkeys((1, 5, 11, 12, 13, 15, 16), BYTES),
)
NODE = Message(
    "a node",
    once=dict.fromkeys((3, 4, 6, 7), BYTES),
    lists=dict.fromkeys((1, 2, 5, 9), BYTES),
)
ATTRIBUTE = Message(
    "an attribute",
    once={2: FOUR_BYTES, 3: VARINT, 20: VARINT} | dict.fromkeys((1, 4, 5, 6, 13, 22), BYTES),
    lists={7: FOUR_BYTES, 8: VARINT} | dict.fromkeys((9, 10, 11, 23), BYTES),
)
TENSOR = Message(
    "a tensor",
    once=dict.fromkeys((2, 14), VARINT) | dict.fromkeys((8, 9, 12), BYTES),
    lists=dict.fromkeys((1, 5, 7, 11), VARINT)
    | {4: FOUR_BYTES, 10: EIGHT_BYTES}
    | dict.fromkeys((6, 13, 16), BYTES),
)
VALUE = Message("a value", once=dict.fromkeys((1, 2, 3), BYTES), lists={4: BYTES})
TYPE = Message("a type", once=dict.fromkeys((1, 6), BYTES), lists={})
TENSOR_TYPE = Message("a type of tensors", once={1: VARINT, 2: BYTES}, lists={})
SHAPE = Message("a shape", once={}, lists={1: BYTES})
SIZE = Message("a size", once={1: VARINT} | dict.fromkeys((2, 3), BYTES), lists={})
ENTRY = Message("an entry of the metadata", once=dict.fromkeys((1, 2), BYTES), lists={})
OPSET = Message("a set of operators", once={1: BYTES, 2: VARINT}, lists={})

MODEL_IR_VERSION, MODEL_GRAPH, MODEL_OPSET, MODEL_METADATA, MODEL_FUNCTION = 1, 7, 8, 14, 25
GRAPH_NODE, GRAPH_NAME, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT = 1, 2, 5, 11, 12
GRAPH_VALUE, GRAPH_SPARSE = 13, 15
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR, NODE_ATTRIBUTE, NODE_DOMAIN = 1, 2, 4, 5, 7
ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS, ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
TENSOR_SIZES, TENSOR_TYPE_OF, TENSOR_NAME, TENSOR_RAW = 1, 2, 8, 9
TENSOR_EXTERNAL, TENSOR_LOCATION = 13, 14
VALUE_NAME, VALUE_TYPE = 1, 2
TYPE_TENSOR, TENSOR_ELEMENT, TENSOR_SHAPE, SHAPE_SIZE, SIZE_NUMBER = 1, 1, 2, 1, 1
ENTRY_KEY, ENTRY_VALUE = 1, 2
