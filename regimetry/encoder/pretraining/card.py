"""What pretrained weights were trained on, and by what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from regimetry.encoder.pretraining.checkpoint import Checkpoint
from regimetry.encoder.pretraining.run import last_scores


def card_of(folder: Path, state: Checkpoint) -> dict[str, Any]:
    """Describe the weights of a state as plain data.

    Parameters
    ----------
    folder : Path
        Of the checkpoint and its curve.
    state : Checkpoint

    Raises
    ------
    ConfigError
        There is no curve.
    """
    entropy, right = last_scores(folder)
    return {
        "seed": state.seed,
        "without": list(state.without),
        "series": state.series,
        "hours": round(state.seconds / 3600, 4),
        "entropy": entropy,
        "right": right,
        "versions": {
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
        "device": _device(),
    }


def _device() -> str:
    """Return the name of the first GPU that TensorFlow sees, or cpu."""
    devices = tf.config.list_physical_devices("GPU")
    if not devices:
        return "cpu"
    details = tf.config.experimental.get_device_details(devices[0])
    return str(details.get("device_name", devices[0].name))
