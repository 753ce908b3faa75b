"""How long and how fast to train."""

from __future__ import annotations

import math
from dataclasses import dataclass

from regimetry.errors import ConfigError
from regimetry.parameters import require_integer


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Budget, step size and validation of a training.

    Training goes in rounds of ``round_steps`` optimiser steps. After each round the validation
    loss is measured, and the weights of the best round are the ones that stay.

    Parameters
    ----------
    epochs : int
        Most epochs. An epoch is as many steps as draw each training window once on average.
    steps : int or None
        Most optimiser steps, in the place of ``epochs``.
    round_steps : int or None
        Steps of a round; ``None``: an epoch, or a tenth of ``steps`` where they are given.
    batch_size : int
        Windows that a step draws (for objectives on pairs, pairs).
    learning_rate : float
        Of Adam. Gradients are clipped at norm 1.
    validation_fraction : float
        Share of each series, its latest windows, held out for early stopping, in [0, 1). With 0
        nothing is held out, the whole budget is spent and the last weights stay.
    patience : int
        Rounds without improvement before training stops.

    Raises
    ------
    ConfigError
        A field has a value that is not allowed.
    """

    epochs: int = 8
    steps: int | None = None
    round_steps: int | None = None
    batch_size: int = 64
    learning_rate: float = 1e-3
    validation_fraction: float = 0.2
    patience: int = 3

    def __post_init__(self) -> None:
        for field in ("epochs", "batch_size", "patience"):
            require_integer(field, getattr(self, field), 1)
        for field in ("steps", "round_steps"):
            if getattr(self, field) is not None:
                require_integer(field, getattr(self, field), 1, other="None or ")
        for field in ("learning_rate", "validation_fraction"):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ConfigError(f"{field} is {value!r}; it must be a number.")
        if not 0.0 < self.learning_rate < math.inf:
            raise ConfigError(f"learning_rate is {self.learning_rate!r}; it must be positive.")
        if not 0.0 <= self.validation_fraction < 1.0:
            raise ConfigError(
                f"validation_fraction is {self.validation_fraction!r}; it must lie in [0, 1)."
            )

    def budget(self, n_windows: int) -> tuple[int, int]:
        """Return ``(steps, steps a round)`` of a training on ``n_windows`` windows."""
        epoch = math.ceil(n_windows / self.batch_size)
        if self.steps is None:
            return self.epochs * epoch, self.round_steps or epoch
        return self.steps, self.round_steps or math.ceil(self.steps / 10)
