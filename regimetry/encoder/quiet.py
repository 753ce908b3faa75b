"""TensorFlow without its start-up messages."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def import_tensorflow_quietly() -> None:
    """Import TensorFlow without its start-up messages, which native code writes."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as sink:
            os.dup2(sink.fileno(), 2)
            with suppress(ImportError):  # the detector's own import says what to install
                import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)
