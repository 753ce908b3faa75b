"""The ceiling: a filter that knows the parameters that made the series.

It exists where the states are a Markov chain and a bar's distribution, given the state and the bar
before, is normal: S1 to S4, N1, N2 and H3. It reads the return alone and no nuisance channel.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import multivariate_normal, norm

from benchmarks.rivals.filtering import best_path, filtered, smoothed
from benchmarks.rivals.fitted import Fitted, Labels, Values
from regimetry.series.simulators import markets, signals
from regimetry.series.simulators.chains import stationary_shares, uniform_jumps
from regimetry.series.simulators.processes import equicorrelation

KINDS = ("s1", "s2", "s3", "s4", "n1", "n2", "h3", "h3-2000")


def fit(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Take the simulator's own parameters; nothing is fitted."""
    transition = transition_matrix(kind)
    start = stationary_shares(transition)

    def offline(rows: Values) -> Labels:
        likelihood = log_likelihood(kind, rows)
        if kind.startswith("h3"):  # as published
            return best_path(likelihood, start, transition)
        return smoothed(likelihood, start, transition).argmax(axis=1)

    def causal(rows: Values) -> Labels:
        return filtered(log_likelihood(kind, rows), start, transition).argmax(axis=1)

    return Fitted(len(transition), offline, causal)


def transition_matrix(kind: str) -> Values:
    """Return the matrix that the simulator draws its states from."""
    if kind.startswith("h3"):
        return markets.THREE_STATE_TRANSITION
    return uniform_jumps(
        {
            "s1": markets.BULL_BEAR_STAY,
            "s2": markets.VOLATILITY_STAY,
            "n1": markets.VOLATILITY_STAY,
            "s3": signals.DYNAMICS_STAY,
            "n2": signals.DYNAMICS_STAY,
            "s4": signals.CORRELATION_STAY,
        }[kind]
    )


def log_likelihood(kind: str, rows: Values) -> Values:
    """Return the log-likelihood of each row in each state: (T, K)."""
    if kind == "s1":
        return norm.logpdf(rows[:, :1], markets.BULL_BEAR_MEAN, markets.BULL_BEAR_DEVIATION)
    if kind.startswith("h3"):
        return norm.logpdf(rows[:, :1], markets.THREE_STATE_MEAN, markets.THREE_STATE_DEVIATION)
    if kind in ("s2", "n1"):
        correlation = equicorrelation(3, markets.ASSET_CORRELATION)
        parameters = zip(markets.VOLATILITY_MEAN, markets.VOLATILITY_DEVIATION, strict=True)
        return _normal(rows[:, :3], [(np.full(3, m), d**2 * correlation) for m, d in parameters])
    if kind in ("s3", "n2"):
        return _switching_autoregression(rows[:, :3], signals.DYNAMICS_COEFFICIENT)
    common = equicorrelation(4, signals.CORRELATION)
    flipped = common * np.outer(signals.CORRELATION_SIGNS, signals.CORRELATION_SIGNS)
    return _normal(rows, [(np.zeros(4), matrix) for matrix in (np.eye(4), common, flipped)])


def _normal(rows: Values, parameters: list[tuple[Values, Values]]) -> Values:
    return np.stack([multivariate_normal.logpdf(rows, *each) for each in parameters], axis=1)


def _switching_autoregression(rows: Values, coefficients: Values) -> Values:
    before = np.vstack([np.zeros((1, rows.shape[1])), rows[:-1]])
    result = np.stack(
        [norm.logpdf(rows, c * before, np.sqrt(1.0 - c**2)).sum(axis=1) for c in coefficients],
        axis=1,
    )
    result[0] = 0.0  # the first bar has no bar before it
    return result
