"""Stage 3, research side: the Keras Transformer encoder. The config imports without Keras."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from regimetry.encoder.config import EncoderConfig
from regimetry.encoder.registry import register_pooling

if TYPE_CHECKING:
    from regimetry.encoder.build import build_encoder
    from regimetry.encoder.saving import load_encoder

__all__ = ["EncoderConfig", "build_encoder", "load_encoder", "register_pooling"]

_HOME = {
    "build_encoder": "regimetry.encoder.build",
    "load_encoder": "regimetry.encoder.saving",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
