"""The encoder as a part of a graph, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import onnx_ir as ir

from regimetry.export.tape import Tape


@dataclass(frozen=True)
class EncoderPart:
    """Scaled windows (B, W + reach, F) to embeddings (B, D).

    Attributes
    ----------
    record : callable
        Records it on a tape: takes the scaled windows, returns the embeddings.
    window_size, n_features, size : int
        W, F and D.
    opset : {17, 18}
    foreign : bool
        Another program wrote it; the rewrite rules make it smaller.
    reach : int
        Rows before a window that it reads.
    """

    record: Callable[[Tape, ir.Value], ir.Value]
    window_size: int
    n_features: int
    size: int
    opset: int
    foreign: bool = False
    reach: int = 0
