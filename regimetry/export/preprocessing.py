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

    Where no logarithm is taken, that of 1 is added: a ``Where`` stops some converters.
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
            takes_log = (kinds == "log_difference").astype(float)
            keeps, ones = tape.constant("takes_log", takes_log), 1.0 - takes_log
            if ones.any():
                now, before = (tape.Add(tape.Mul(x, keeps), ones) for x in (now, before))
            logarithm = tape.Log(tape.Div(now, before))
            value = tape.Add(tape.Mul(value, ones), logarithm) if ones.any() else logarithm
    centred = tape.Sub(value, tape.constant("mean", preprocessing.mean))
    unclipped = tape.Mul(centred, tape.constant("scale", preprocessing.scale))
    return tape.Clip(unclipped, -preprocessing.clip, preprocessing.clip)
