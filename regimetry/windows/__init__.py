"""From rows to windows: rolling views and live streams.

Thin over the extension ``regimetry._core``, whose functions carry the documentation.
"""

from regimetry._core import StreamBuffer, rolling_windows
from regimetry.windows.snapshots import StreamSnapshot

__all__ = ["StreamBuffer", "StreamSnapshot", "rolling_windows"]
