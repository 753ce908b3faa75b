"""The bank of convolutions in the graph, alone or beside another encoder."""

from __future__ import annotations

from dataclasses import replace

import onnx_ir as ir

from regimetry.encoder.convolutions import ConvolutionBank
from regimetry.export.part import EncoderPart
from regimetry.export.tape import Tape


def bank_part(bank: ConvolutionBank, opset: int) -> EncoderPart:
    """Return a bank as a part of a graph."""

    def record(tape: Tape, scaled: ir.Value) -> ir.Value:
        return bank_features(tape, bank, scaled)

    size, features = bank.window_size, bank.n_features
    return EncoderPart(record, size, features, bank.size, opset, reach=bank.reach)


def beside(bank: ConvolutionBank, encoder: EncoderPart) -> EncoderPart:
    """Return an encoder of the last W rows with the features of a bank before its own."""

    def record(tape: Tape, scaled: ir.Value) -> ir.Value:
        own = encoder.record(tape, last_rows(tape, scaled, bank.window_size, bank.reach))
        return tape.Concat(bank_features(tape, bank, scaled), own, axis=1)

    return replace(encoder, record=record, size=bank.size + encoder.size, reach=bank.reach)


def last_rows(tape: Tape, scaled: ir.Value, window_size: int, reach: int) -> ir.Value:
    """Leave out the first rows of windows (B, W + reach, F): (B, W, F)."""
    return tape.Slice(scaled, [reach], [reach + window_size], [1]) if reach else scaled


def bank_features(tape: Tape, bank: ConvolutionBank, scaled: ir.Value) -> ir.Value:
    """Scaled windows (B, W + reach, F) to features (B, D); equals ``ConvolutionBank.embed``.

    With M thresholds, each a channel of its kernel's convolution and minus the threshold its bias::

        excess = conv(scaled.T[:, :, -W - r:], w, -t)          # (B, M, W), for each r, w, t
        share = mean(excess > 0, axis=2)                       # (B, M)
    """
    rows = bank.window_size + bank.reach
    channels = tape.Transpose(scaled, perm=[0, 2, 1])
    shares = []
    for group in bank.kernels:
        first = bank.reach - group.reach
        excess = tape.Conv(
            tape.Slice(channels, [first], [rows], [2]) if first else channels,
            group.weights[group.owners],
            -group.thresholds,
            dilations=[group.dilation],
            kernel_shape=[group.weights.shape[2]],
        )
        above = tape.Cast(tape.Greater(excess, 0.0), to=ir.DataType.FLOAT)
        shares.append(tape.reduce("ReduceMean", above, 2, keepdims=False))
    recent = last_rows(tape, scaled, bank.window_size, bank.reach)
    return tape.Concat(*shares, tape.reduce("ReduceMean", recent, 1, keepdims=False), axis=1)
