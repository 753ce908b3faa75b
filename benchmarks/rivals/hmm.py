"""hmmlearn's Gaussian hidden Markov model: full covariance, the best of five starts."""

from __future__ import annotations

import logging

import numpy as np
from hmmlearn.hmm import GaussianHMM
from scipy.stats import multivariate_normal

from benchmarks.rivals.filtering import filtered
from benchmarks.rivals.fitted import Fitted, Labels, Values

STARTS = 5
MOST_STATES = 5
RETURN_ALONE = ("s1", "h3", "h3-2000")
"""Series whose first column, the return, made the others."""


def fit(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Fit; where K is not given, the least Bayesian information criterion of 1 to 5 states."""
    logging.getLogger("hmmlearn").setLevel(logging.ERROR)  # it reports each last step of EM

    def columns(rows: Values) -> Values:
        return rows[:, :1] if kind in RETURN_ALONE else rows

    mean, deviation = columns(values).mean(axis=0), columns(values).std(axis=0)

    def scaled(rows: Values) -> Values:
        return (columns(rows) - mean) / deviation

    training = scaled(values)
    if n_regimes is None:
        candidates = [best_start(training, k, seed) for k in range(1, MOST_STATES + 1)]
        model = min(candidates, key=lambda candidate: candidate.bic(training))
    else:
        model = best_start(training, n_regimes, seed)

    def causal(rows: Values) -> Labels:
        likelihood = log_likelihood(model, scaled(rows))
        return filtered(likelihood, model.startprob_, model.transmat_).argmax(axis=1)

    return Fitted(
        model.n_components, lambda rows: model.predict(scaled(rows)).astype(np.int64), causal
    )


def best_start(training: Values, n_regimes: int, seed: int) -> GaussianHMM:
    """Return the most likely of five fits, each from its own k-means."""
    models = [
        GaussianHMM(
            n_regimes,
            covariance_type="full",
            algorithm="map",  # the likeliest state of each bar: .01 above the likeliest path
            n_iter=200,
            tol=1e-3,
            random_state=STARTS * seed + start,
        ).fit(training)
        for start in range(STARTS)
    ]
    return max(models, key=lambda model: model.score(training))


def log_likelihood(model: GaussianHMM, rows: Values) -> Values:
    """Return the log-likelihood of each row in each state: (T, K)."""
    return np.stack(
        [
            multivariate_normal.logpdf(rows, mean, covariance)
            for mean, covariance in zip(model.means_, model.covars_, strict=True)
        ],
        axis=1,
    )
