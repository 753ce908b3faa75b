"""The aspect ``garch``: regimes whose volatility clusters, by GARCH or by stochastic volatility."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, pick, pick_laws
from regimetry.encoder.pretraining.prior.drawn import States, Values
from regimetry.encoder.pretraining.prior.recursions import first_order

_FAMILIES = {"none": 0.35, "garch": 0.35, "sv": 0.3}
LARGEST_VARIANCE = 50.0  # heavy tails make GARCH explode now and then


@dataclass(frozen=True)
class Clustering:
    """Clustering by state; all zero is a constant volatility.

    Attributes
    ----------
    arch, persistence : ndarray of float64, shape (K,)
        Weights of the last squared value and the last conditional variance (Bollerslev 1986).
    memory, spread : ndarray of float64, shape (K,)
        Coefficient and standard deviation of the AR(1) logarithm of volatility (Taylor 1982).
    common : bool
        Whether all channels share the stochastic volatility.
    """

    arch: Values
    persistence: Values
    memory: Values
    spread: Values
    common: bool


def draw_clustering(generator: np.random.Generator, n_laws: int) -> Clustering:
    """Return laws of clustering: GARCH, stochastic volatility and, in one state at most, none."""
    families = pick_laws(generator, _FAMILIES, n_laws, {"none"})
    if families == ["none"]:
        families = [pick(generator, {"garch": 0.5, "sv": 0.5})]
    numbers = np.zeros((4, n_laws))
    for state, family in enumerate(families):
        if family == "garch":
            shock = generator.uniform(0.04, 0.3)
            numbers[:2, state] = shock, generator.uniform(0.4, 0.97 - shock)
        elif family == "sv":
            numbers[2:, state] = generator.uniform(0.7, 0.98), generator.uniform(0.3, 0.9)
    arch, persistence, memory, spread = list(numbers)
    return Clustering(arch, persistence, memory, spread, happens(generator, 0.6))


def conditional_variance(noise: Values, arch: Values, persistence: Values) -> Values:
    """Return the variance h (T, F) of GARCH(1, 1), h_t = 1 - a - b + (a e_{t-1}^2 + b) h_{t-1}.

    Given the noise e (T, F) the recursion is linear in h, from h_{-1} = 0 with a + b taken as 0
    in the first row. ``arch`` and ``persistence``, a and b, have shape (T,).
    """
    addend = np.repeat((1.0 - arch - persistence)[:, None], noise.shape[1], axis=1)
    addend[0] = 1.0
    coefficient = np.zeros_like(noise)
    coefficient[1:] = arch[1:, None] * noise[:-1] ** 2 + persistence[1:, None]
    return first_order(coefficient, addend)


def cluster(
    generator: np.random.Generator, noise: Values, law: Clustering, states: States
) -> Values:
    """Return noise (T, F) of variance 1 whose volatility clusters; the variance stays 1."""
    which = states if len(law.arch) > 1 else np.zeros_like(states)
    if law.arch.any():
        variance = conditional_variance(noise, law.arch[which], law.persistence[which])
        noise = noise * np.sqrt(np.minimum(variance, LARGEST_VARIANCE))
    if law.spread.any():
        memory = law.memory[which][:, None]
        spread = law.spread[which][:, None]
        shocks = generator.standard_normal((len(noise), 1 if law.common else noise.shape[1]))
        shocks[1:] *= np.sqrt(1.0 - memory[1:] ** 2)
        logarithm = first_order(np.broadcast_to(memory, shocks.shape), shocks)
        # E exp(2 s u) = exp(2 s^2) for a standard normal u.
        noise = noise * np.exp(spread * logarithm - spread**2)
    return noise
