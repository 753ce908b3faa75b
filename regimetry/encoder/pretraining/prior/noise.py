"""A random process whose regimes differ in dependence, dynamics, tails, jumps or clustering."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens
from regimetry.encoder.pretraining.prior.clustering import cluster, draw_clustering
from regimetry.encoder.pretraining.prior.correlation import correlate, draw_correlations
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.dynamics import (
    autoregress,
    draw_coefficients,
    draw_matrices,
    vector_autoregress,
)
from regimetry.encoder.pretraining.prior.jumps import add_jumps, draw_jumps
from regimetry.encoder.pretraining.prior.path import Path
from regimetry.encoder.pretraining.prior.tails import NORMAL, draw_noises, draw_tails

# How often an aspect that the regimes do not differ by is there all the same, one for all.
_ALWAYS = {"correlation": 0.75, "dynamics": 0.6, "tails": 0.3, "jumps": 0.1, "garch": 0.25}
WIDEST_VECTOR = 8  # channels of a VAR


def draw_random_process(
    generator: np.random.Generator,
    path: Path,
    n_features: int,
    differ: frozenset[str],
    allowed: frozenset[str],
) -> Values:
    """Return a process (T, F) of mean 0 and variance 1 whose regimes differ by some aspects.

    An aspect by which they do not differ is absent, or the same in all rows.
    """

    def n_laws(aspect: str) -> int:
        """Return K laws, one law or none of an aspect."""
        if aspect in differ:
            return path.n_states
        return int(aspect in allowed and happens(generator, _ALWAYS[aspect]))

    laws = n_laws("tails")
    tails = draw_tails(generator, laws) if laws else [NORMAL]
    noise = draw_noises(generator, tails, path, n_features)
    if laws := n_laws("jumps"):
        noise = add_jumps(generator, noise, draw_jumps(generator, laws), path.states)
    if laws := n_laws("garch"):
        noise = cluster(generator, noise, draw_clustering(generator, laws), path.states)
    correlations = np.eye(n_features)[None]
    if n_features > 1 and (laws := n_laws("correlation")):
        correlations = draw_correlations(generator, laws, n_features)
        noise = correlate(noise, correlations, path)
    if laws := n_laws("dynamics"):
        goes_on = happens(generator, 0.5)
        # The matrices of a VAR correlate its channels, each in its own way.
        narrow = "correlation" in allowed and 1 < n_features <= WIDEST_VECTOR
        if narrow and happens(generator, 0.2):
            matrices = draw_matrices(generator, laws, n_features)
            return vector_autoregress(noise, matrices, correlations, path, goes_on)
        first, second = draw_coefficients(generator, laws, n_features)
        return autoregress(noise, first, second, path, goes_on)
    return noise
