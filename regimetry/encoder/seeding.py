"""One seed for everything that Keras draws, without touching the caller's random state."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np

_TURN = threading.RLock()  # what is seeded belongs to the process: one fit at a time


@contextmanager
def seeded(seed: int, *, deterministic: bool = False) -> Iterator[None]:
    """Seed Keras (initial weights, dropout), and give Python's and numpy's global state back.

    ``keras.utils.set_random_seed`` seeds those two as well; a library must not leave them seeded.

    Threads take turns.

    Parameters
    ----------
    seed : int
    deterministic : bool
        Turn TensorFlow's deterministic operators on: each gives the same bits every time, on a
        GPU too, or raises ``tf.errors.UnimplementedError``. They stay on for the rest of the
        process, since TensorFlow has no public way to turn them off.
    """
    if deterministic:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    with _TURN:
        python_state = random.getstate()
        numpy_state = np.random.get_state()  # noqa: NPY002  (the state to restore is the legacy)
        keras.utils.set_random_seed(seed)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002
