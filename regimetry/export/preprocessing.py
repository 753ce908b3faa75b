"""Preprocessing in the graph: raw windows to what the encoder reads."""

from __future__ import annotations

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
        value = where(takes_log, log(now / before), now - before * takes_difference)
        scaled = clip((value - mean) * scale, -c, c)
    """
    kinds = np.array(preprocessing.transforms)
    value = window
    if preprocessing.rows_before:
        before = tape.Slice(window, [0], [rows - 1], [1])
        value = now = tape.Slice(window, [1], [rows], [1])
        if "difference" in kinds:
            taken = tape.constant("takes_difference", (kinds == "difference").astype(float))
            value = tape.Sub(now, tape.Mul(before, taken))
        if "log_difference" in kinds:
            takes_log = tape.constant("takes_log", kinds == "log_difference")
            ratio = tape.Where(takes_log, tape.Div(now, before), 1.0)
            value = tape.Where(takes_log, tape.Log(ratio), value)
    centred = tape.Sub(value, tape.constant("mean", preprocessing.mean))
    unclipped = tape.Mul(centred, tape.constant("scale", preprocessing.scale))
    return tape.Clip(unclipped, -preprocessing.clip, preprocessing.clip)
