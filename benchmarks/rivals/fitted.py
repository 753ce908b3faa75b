"""What every method gives once it is fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Fitted:
    """A fitted method.

    Attributes
    ----------
    n_regimes : int
        As it was given, or chosen.
    offline : callable
        Values (T, F) to labels (T,), with hindsight; -1 at the ends where there is none.
    causal : callable
        Values (T, F) to labels (T,); the label of bar t knows the values up to t. The values may
        go on beyond those of the fit.
    """

    n_regimes: int
    offline: Callable[[Values], Labels]
    causal: Callable[[Values], Labels]


class Fit(Protocol):
    """A method: fits to a series.

    ``kind`` is the simulator's name: some take one column of some series, and the true model needs
    it. ``n_regimes`` is ``None`` where the method shall choose.
    """

    def __call__(  # noqa: D102
        self, kind: str, values: Values, n_regimes: int | None, seed: int
    ) -> Fitted: ...
