"""Densities of rows whose scales move, for tests."""

import numpy as np

from regimetry.runtime.density import RowDensity


def row_density(order=1, *, n_regimes=3, n_channels=2, falls=True, skew=(0.8, 1.2), seed=0):
    """Return a density that is stable and differs between its regimes."""
    rng = np.random.default_rng(seed)
    factors = np.tril(0.4 * rng.standard_normal((n_regimes, n_channels, n_channels)), -1)
    level = np.linspace(0.3, 1.5, n_regimes)[:, None] * np.ones(n_channels)
    memory = np.linspace(0.7, 0.9, n_regimes)
    size = 1 + order * n_channels
    return RowDensity(
        coefficients=0.2 * rng.standard_normal((n_regimes, size, n_channels)),
        factors=factors + np.eye(n_channels),
        omega=level * (1 - memory)[:, None],
        leverage=np.tile([0.05 * falls, *[0.0] * (n_channels - 1)], (n_regimes, 1)),
        shock=np.linspace(0.02, 0.08, n_regimes),
        memory=memory,
        fall_memory=0.9 * memory,
        freedom=np.linspace(4.0, 12.0, n_regimes),
        skew=np.array(skew[:n_channels]),
        begin=np.hstack([level, 0.05 * falls * level]),
        typical=level,
    )
