"""Which ONNX the files are written in; importable without onnx."""

from __future__ import annotations

from typing import Literal

OPSET = 17
"""The default: the oldest opset that has every operator of the graph."""

Opset = Literal[17, 18]
"""What tf2onnx writes and the graph is tested with."""

IR_VERSION = 8
"""That of opset 17 and 18: every runtime that knows them reads it. onnx would write its newest."""
