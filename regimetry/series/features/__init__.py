"""Causal features of price bars, and advice on columns that drift."""

from regimetry.series.features.advice import drifting_columns
from regimetry.series.features.bars import BarColumns
from regimetry.series.features.pipeline import OhlcvFeatures, OhlcvStream, ohlcv

__all__ = [
    "BarColumns",
    "OhlcvFeatures",
    "OhlcvStream",
    "drifting_columns",
    "ohlcv",
]
