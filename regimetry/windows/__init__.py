"""From rows to windows: rolling views, gathered batches, banks of live streams.

Thin over the extension ``regimetry._core``, whose functions carry the documentation.
"""

from regimetry._core import (
    StreamBank,
    gather_windows,
    rolling_windows,
)
from regimetry.windows.several import Windows, balanced_counts, begins_of, with_later

__all__ = [
    "StreamBank",
    "Windows",
    "balanced_counts",
    "begins_of",
    "gather_windows",
    "rolling_windows",
    "with_later",
]
