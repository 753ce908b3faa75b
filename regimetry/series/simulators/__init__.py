"""Seeded multivariate series whose true states are known, to judge labels against.

Each simulator states its own dynamics; unless it says otherwise, jumps go to the other states with
equal probability. Rates are per bar, returns and volatilities are fractions, not percent.
"""

from __future__ import annotations

import numpy as np

from regimetry.errors import ConfigError
from regimetry.series.simulators.machines import pump
from regimetry.series.simulators.markets import (
    bull_bear,
    garch_or_jumps,
    three_state_market,
    volatility,
)
from regimetry.series.simulators.nulls import (
    Simulator,
    garch_alone,
    independent_noise,
    stationary_autoregression,
    with_nuisance,
)
from regimetry.series.simulators.signals import correlation, dynamics, shapes
from regimetry.series.simulators.simulation import Simulation

__all__ = ["NULLS", "SIMULATORS", "Simulation", "simulate"]

SIMULATORS: dict[str, tuple[Simulator, int]] = {
    "s1": (bull_bear, 3000),
    "s2": (volatility, 2500),
    "s3": (dynamics, 2500),
    "s4": (correlation, 2500),
    "s5": (shapes, 2500),
    "s6": (garch_or_jumps, 2500),
    "n1": (with_nuisance(volatility), 2500),
    "n2": (with_nuisance(dynamics), 2500),
    "h3": (three_state_market, 1000),
    "machine": (pump, 6000),
    "noise": (independent_noise, 2500),
    "ar60": (stationary_autoregression(0.6), 2500),
    "ar90": (stationary_autoregression(0.9), 2500),
    "ar97": (stationary_autoregression(0.97), 2500),
    "garch": (garch_alone, 2500),
}
"""Name -> simulator and its standard number of rows. N1 and N2 are S2 and S3 with one more
channel, an independent AR(1) of coefficient .999."""

NULLS = ("noise", "ar60", "ar90", "ar97", "garch")
"""Simulators of one regime."""


def simulate(kind: str = "s2", *, n_rows: int | None = None, seed: int = 0) -> Simulation:
    """Simulate a series with known states.

    Parameters
    ----------
    kind : str
        A key of :data:`SIMULATORS`: ``s1`` to ``s6``; ``n1`` and ``n2`` with a nuisance channel;
        ``h3``, the published three-state market; ``machine``, the log of a pump; ``noise``,
        ``ar60``, ``ar90``, ``ar97`` and ``garch`` of one regime.
    n_rows : int or None
        T; ``None`` takes the simulator's standard length. At least 400, so that every state fits.
    seed : int
        The same seed gives the same series.

    Returns
    -------
    Simulation

    Raises
    ------
    ConfigError
        An unknown kind or too few rows.
    """
    if kind not in SIMULATORS:
        raise ConfigError(f"kind is {kind!r}; it must be one of {', '.join(SIMULATORS)}.")
    simulator, standard_rows = SIMULATORS[kind]
    rows = standard_rows if n_rows is None else n_rows
    if rows < 400:
        raise ConfigError(f"n_rows is {rows}; it must be at least 400.")
    return simulator(rows, np.random.default_rng(seed))
