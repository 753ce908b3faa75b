"""How long and how fast to train."""

from __future__ import annotations

import math
from dataclasses import dataclass

from regimetry.errors import ConfigError
from regimetry.parameters import check_fields, option


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Budget, step size and validation of a training.

    Training goes in rounds of ``round_steps`` optimiser steps. After each round the validation
    loss is measured; the weights of the best round are kept.

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

    epochs: int = option(8, minimum=1)
    steps: int | None = option(None, minimum=1)
    round_steps: int | None = option(None, minimum=1)
    batch_size: int = option(64, minimum=1)
    learning_rate: float = option(1e-3, minimum=0)
    validation_fraction: float = option(0.2, minimum=0, below=1)
    patience: int = option(3, minimum=1)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.learning_rate == 0:
            raise ConfigError(f"learning_rate is {self.learning_rate!r}; it must be positive.")

    def budget(self, n_windows: int) -> tuple[int, int]:
        """Return ``(steps, steps per round)`` of a training on ``n_windows`` windows."""
        epoch = math.ceil(n_windows / self.batch_size)
        if self.steps is None:
            return self.epochs * epoch, self.round_steps or epoch
        return self.steps, self.round_steps or math.ceil(self.steps / 10)
