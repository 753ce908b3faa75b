"""Stage 3, research side: the Keras Transformer encoder. The config imports without Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regimetry.encoder.config import EncoderConfig

if TYPE_CHECKING:
    from regimetry.encoder.model import build_encoder

__all__ = ["EncoderConfig", "build_encoder"]


def __getattr__(name: str) -> Any:
    if name == "build_encoder":
        from regimetry.encoder.model import build_encoder

        return build_encoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
