"""Preprocessing in the graph: raw windows to what the encoder reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from regimetry.export.tape import Tape
from regimetry.series.preprocessing import Preprocessing


def scaled_window(
    tape: Tape, preprocessing: Preprocessing, window: ir.Value, rows: int
) -> ir.Value:
    """Raw windows (B, R, F) to scaled ones (B, W, F); equals ``Preprocessing.apply`` on each.

    With R = W + 1 rows where some feature is differenced, R = W elsewhere::

        before, now = window[:, :-1], window[:, 1:]
        value = concatenate([now[levels], now - before, log(now / before)], axis=2)
        scaled = clip((value - mean) * scale, -c, c)

    Columns of one kind lie together, by a permutation if they have to: a choice by ``Where`` stops
    some converters.
    """
    value, before = window, preprocessing.rows_before
    if before:
        value = _transformed(tape, preprocessing.transforms, window, rows)
    # Once for every row: onnxruntime takes a row of numbers apart for each row of the windows.
    mean, scale = (
        np.tile(numbers, (rows - before, 1))
        for numbers in (preprocessing.mean, preprocessing.scale)
    )
    centred = tape.Sub(value, tape.constant("mean", mean))
    unclipped = tape.Mul(centred, tape.constant("scale", scale))
    return tape.Clip(unclipped, -preprocessing.clip, preprocessing.clip)


def _transformed(tape: Tape, transforms: Sequence[str], window: ir.Value, rows: int) -> ir.Value:
    """Raw windows (B, W + 1, F) to levels, differences and logarithmic ones, (B, W, F)."""
    kinds = list(dict.fromkeys(transforms))
    order = np.argsort([kinds.index(kind) for kind in transforms], kind="stable")
    is_moved = bool(np.any(np.diff(order) < 0))
    grouped = tape.Gather(window, order, axis=2) if is_moved else window
    parts, b = [], 0
    for kind in kinds:
        a, b = b, b + transforms.count(kind)
        now = tape.Slice(grouped, [1, a], [rows, b], [1, 2])
        if kind != "level":
            before = tape.Slice(grouped, [0, a], [rows - 1, b], [1, 2])
            is_log = kind == "log_difference"
            now = tape.Log(tape.Div(now, before)) if is_log else tape.Sub(now, before)
        parts.append(now)
    value = tape.Concat(*parts, axis=2) if len(parts) > 1 else parts[0]
    return tape.Gather(value, np.argsort(order), axis=2) if is_moved else value
