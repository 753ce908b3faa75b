"""One model for many instruments, larger than memory: Parquet to Parquet, here or on Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regimetry.scale.labeller import Labeller
from regimetry.scale.run import predict

if TYPE_CHECKING:
    from regimetry.scale.fitting import FolderSource, fit

__all__ = ["FolderSource", "Labeller", "fit", "predict"]


def __getattr__(name: str) -> Any:
    """Import ``fit`` on first use: it needs more packages than labelling."""
    if name in ("FolderSource", "fit"):
        from regimetry.scale import fitting

        return getattr(fitting, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
