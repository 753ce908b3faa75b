"""Causal features of price bars, and advice on columns that drift."""

from regimetry.series.features.advice import drifting_columns
from regimetry.series.features.bars import BarColumns
from regimetry.series.features.pipeline import OhlcvFeatures, OhlcvStream, ohlcv
from regimetry.series.features.record import as_read_by, features_of

__all__ = [
    "BarColumns",
    "OhlcvFeatures",
    "OhlcvStream",
    "as_read_by",
    "drifting_columns",
    "features_of",
    "ohlcv",
]
