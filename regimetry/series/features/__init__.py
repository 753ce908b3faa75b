"""Causal features of price bars, and advice on columns that drift."""

from regimetry.series.features.advice import drifting_columns
from regimetry.series.features.bars import BarColumns
from regimetry.series.features.pipeline import OhlcvFeatures, ohlcv

__all__ = [
    "BarColumns",
    "OhlcvFeatures",
    "drifting_columns",
    "ohlcv",
]
