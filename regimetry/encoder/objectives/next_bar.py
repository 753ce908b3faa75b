"""Next-bar prediction: token t, which has seen rows 0 to t, forecasts row t + 1.

Autoregressive training under the look-ahead mask as in Radford et al. 2018, "Improving Language
Understanding by Generative Pre-Training", section 3.1, with the Gaussian likelihood of Salinas et
al. 2020, "DeepAR", section 3.1: the decoder gives a mean and a deviation, and so learns volatility.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from regimetry.encoder.build import token_model
from regimetry.encoder.objectives.objective import Objective
from regimetry.errors import ConfigError
from regimetry.windows import Windows


def require_causal(tokens: keras.Model, encoder_name: str) -> None:
    """Raise :class:`ConfigError` if a token changes with a later row of its window."""
    _, window_size, num_features = tokens.input.shape
    generator = np.random.default_rng(0)
    window = generator.standard_normal((1, window_size, num_features)).astype(np.float32)
    other = window.copy()
    other[:, -1] += 1.0
    before, after = (
        ops.convert_to_numpy(tokens(values, training=False))[:, :-1] for values in (window, other)
    )
    if not np.allclose(before, after, rtol=0.0, atol=1e-6):
        raise ConfigError(
            "look_ahead_mask is False, or has no effect: a token of the encoder "
            f"{encoder_name!r} changes with a later row. The objective 'next_bar' needs it True, "
            "since it would forecast what it has seen. Set EncoderConfig(look_ahead_mask=True)."
        )


@dataclass(frozen=True)
class NextBar(Objective):
    """Negative Gaussian log likelihood of the next row, through a linear decoder on every token.

    Parameters
    ----------
    smallest_deviation : float
        Floor of the forecast's deviation, in the units of the standardised features.
    """

    smallest_deviation: float = 0.05

    @property
    def reach(self) -> int:
        """The last token's target is the first row of the window one bar later that is new."""
        return 1

    def attach(self, encoder: keras.Model, windows: Windows) -> keras.Model:
        """Return windows -> mean and raw deviation of each next row, (batch, W, 2 F)."""
        tokens = token_model(encoder)
        require_causal(tokens, encoder.name)
        decoder = keras.layers.Dense(2 * encoder.input.shape[-1], name="decoder")
        return keras.Model(tokens.input, decoder(tokens.output))

    def loss(self, target: Any, output: Any) -> Any:
        """Return the loss over known entries; ``target`` is values and whether they are known.

        ``mean of (x - mean)^2 / (2 deviation^2) + log deviation``.
        """
        values, known = ops.split(target, 2, axis=-1)
        mean, raw = ops.split(output, 2, axis=-1)
        deviation = ops.softplus(raw) + self.smallest_deviation
        loss = ops.square((values - mean) / deviation) / 2.0 + ops.log(deviation)
        return ops.sum(known * loss) / ops.maximum(ops.sum(known), 1.0)

    def batch(
        self,
        windows: Windows,
        numbers: NDArray[np.int64],
        generator: np.random.Generator,
        *,
        training: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return windows, and the windows one bar later beside what of them is known.

        Neither a row with a NaN nor the forecast of a token that is masked counts.
        """
        values, later = windows.take(numbers), windows.take(numbers + 1)
        known = ~(np.isnan(values) | np.isnan(later)).any(axis=2, keepdims=True)
        known = np.broadcast_to(known, later.shape).astype(np.float32)
        return values, np.concatenate([np.nan_to_num(later), known], axis=-1)
