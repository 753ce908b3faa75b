"""A saved Keras encoder, read again."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import keras

# Importing the layers puts them into Keras's register.
from regimetry.encoder import bank_layer, masks, pooling, positions  # noqa: F401
from regimetry.encoder.pretraining import keras_model  # noqa: F401
from regimetry.errors import ModelError
from regimetry.runtime.session import first_line


def load_encoder(path: str | PathLike[str]) -> keras.Model:
    """Read an encoder from a ``.keras`` file, to embed with it or to train it further.

    Nothing in the file is executed: Keras's safe mode stays on and refuses Lambda layers. Layers
    of one's own have to be imported, and registered with Keras, before.

    Parameters
    ----------
    path : path
        Written by ``encoder.save(path)`` or ``regimetry fit --keras``.

    Returns
    -------
    keras.Model

    Raises
    ------
    ModelError
        The file is missing, is no ``.keras`` file, or holds a layer that is not known.
    """
    path = Path(path)
    if path.suffix != ".keras" or not path.is_file():  # safe mode holds for .keras files alone
        raise ModelError(
            f"{path} is no .keras file; expected an encoder. Write one with encoder.save(path) or "
            "`regimetry fit --keras`."
        )
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the content makes it stumble over
        raise ModelError(
            f"{path} cannot be read as a Keras encoder ({first_line(error)}); expected a "
            ".keras file whose layers are regimetry's, Keras's, or imported and registered. "
            "Import the module of your layers first, or save the encoder again."
        ) from error
