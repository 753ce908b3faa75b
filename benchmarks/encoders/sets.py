"""The sets of series, and how each is scored."""

from __future__ import annotations

from functools import cache

import numpy as np

from benchmarks.outside.scores import filled, scores
from benchmarks.outside.sets import Series
from benchmarks.outside.sets import series_of as outside
from benchmarks.protocol import score_in_sample, score_out_of_sample
from benchmarks.rivals.fitted import Labels, Values
from regimetry.encoder.pretraining.prior import draw_series

SIMULATORS = ("s1", "s2", "s3", "s4", "s5", "s6", "n1", "n2")
RECORDINGS = ("tssb", "utsa", "skab", "synthetic", "actrectut")
SETS = ("simulators", "nulls", "prior", *RECORDINGS, "toys", "toys without")
TASKS = ("offline", "causal", "out of sample")

PRIOR_SEED = 2_000_003
"""Of the generators of fresh series of the prior, with that of the series: no pretraining, and no
validation of one, draws from these."""

PRIOR_ROWS = 2048

_EDGED = ("simulators", "prior")  # the first and the last bars are not scored
_BY_ARI = (*_EDGED, "synthetic", "toys")


def series_of(name: str, seeds: tuple[int, ...], every: int = 1) -> list[Series]:
    """List the series of a set: one for each seed, or every nth recording."""
    if name == "simulators":
        return [Series(name, each, seed) for each in SIMULATORS for seed in seeds]
    if name == "prior":
        return [Series(name, name, seed) for seed in seeds]
    return outside(name, seeds)[:: every if name in RECORDINGS else 1]


@cache
def n_states(series: Series) -> int:
    """Return the number of states of a series."""
    return len(np.unique(load(series)[1]))


def load(series: Series) -> tuple[Values, Labels]:
    """Return the rows (T, F) of a series, without columns that are constant, and its states."""
    if series.set == "prior":
        generator = np.random.default_rng((PRIOR_SEED, series.seed))
        drawn = draw_series(generator, PRIOR_ROWS)
        values, states = drawn.rows.astype(np.float64), drawn.states
    else:
        values, states = series.load()
    varies = np.ptp(values, axis=0) > 1e-6 * np.abs(values).max(axis=0)
    return np.ascontiguousarray(values[:, varies]), states


def column_of(series: Series) -> str:
    """Return under which name a series is counted: that of the simulator, or of the set."""
    return series.name if series.set == "simulators" else series.set


def tasks_of(series: Series) -> tuple[str, ...]:
    """Return the tasks of a series.

    Out of sample, every state must occur in both parts: the simulators take care of that. States
    of recordings and of the prior often occur once.
    """
    return TASKS if series.set == "simulators" else TASKS[:2]


def score(series: Series, states: Labels, labels: Labels, task: str) -> dict[str, float]:
    """Return the score of a set, and the detection delay in bars where the edges are dropped.

    Parameters
    ----------
    series : Series
    states, labels : ndarray of int, shape (T,)
        -1 where there is no label.
    task : {"offline", "causal", "out of sample"}

    Returns
    -------
    dict of str to float
        ``score``, adjusted Rand index or, of recordings, adjusted mutual information; and
        ``delay``.
    """
    if series.set in _EDGED:
        if task == "out of sample":
            found = score_out_of_sample(states, labels)
        else:
            found = score_in_sample(states, filled(labels) if task == "offline" else labels)
        return {"score": found.ari, "delay": found.delay}
    measure = "ari" if series.set in _BY_ARI else "ami"
    return {"score": scores(states, filled(labels))[measure], "delay": float("nan")}
