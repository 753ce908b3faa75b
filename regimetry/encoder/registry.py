"""Poolings by name; importable without Keras."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from regimetry.errors import ConfigError

POOLINGS: dict[str, Any] = {
    "mean": "regimetry.encoder.pooling:MeanPooling",
    "moments": "regimetry.encoder.pooling:MomentsPooling",
    "max": "regimetry.encoder.pooling:MaxPooling",
    "last": "regimetry.encoder.pooling:LastPooling",
    "attention": "regimetry.encoder.pooling:AttentionPooling",
}
"""Layer classes, or ``module:class`` of one that is imported when first asked for."""

BUILT_IN = tuple(POOLINGS)
"""The names of regimetry's own, which need no Keras."""


def register_pooling(name: str, layer: Any) -> None:
    """Make a pooling known under a name that ``EncoderConfig(pooling=...)`` takes.

    Parameters
    ----------
    name : str
        Not one of the poolings that come with regimetry. A name of your own may be given again.
    layer : type or str
        A ``keras.layers.Layer`` that turns tokens (batch, W, D) into one row (batch, any size)
        and is made without arguments but ``name``; or ``"module:class"`` of one. Its ``call``
        takes ``mask`` (batch, W) if it is to work with ``padding_mask=True``. A saved model finds
        the class by Keras's own register, ``keras.saving.register_keras_serializable``.

    Raises
    ------
    ConfigError
        The name is no text or comes with regimetry, or the layer is of another kind.
    """
    if not isinstance(name, str) or not name or name in BUILT_IN:
        raise ConfigError(
            f"name is {name!r}; it must be a text other than the poolings that come with "
            f"regimetry, {', '.join(map(repr, BUILT_IN))}."
        )
    if not (isinstance(layer, str) and ":" in layer) and not isinstance(layer, type):
        raise ConfigError(
            f"layer is {layer!r}; it must be a class of layers, or 'module:class' of one."
        )
    POOLINGS[name] = layer


def pooling_class(name: str) -> Any:
    """Return the layer class of a registered name."""
    layer = POOLINGS[name]
    if isinstance(layer, str):
        module, _, attribute = layer.partition(":")
        layer = getattr(import_module(module), attribute)
    return layer
