"""The rivals: each fits on the bars of training and answers for all bars it is given."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.market.answer import (
    Answer,
    Floats,
    by_chain,
    by_labels,
    without_regimes,
)
from benchmarks.rivals.filtering import filtered
from benchmarks.rivals.hmm import best_start
from regimetry.backtest.bars import Bars

Known = NDArray[np.bool_]


def one_t(bars: Bars, known: Known) -> Answer:
    """One Student t of all returns of training."""
    whole = np.ones((len(known), 1))
    return Answer({"own": by_labels(bars, whole, known)}, whole)


def ewma(bars: Bars, known: Known, *, decay: float = 0.94, freedom: float = 6.0) -> Answer:
    """RiskMetrics' moving variance under a Student t."""
    returns = np.nan_to_num(bars.log_returns)
    away = returns - returns[known].mean()
    variance = np.full(len(away), away[known].var())
    for row in range(1, len(away)):
        variance[row] = decay * variance[row - 1] + (1 - decay) * away[row - 1] ** 2
    return _student(away, variance, freedom)


def garch(bars: Bars, known: Known) -> Answer:
    """GJR-GARCH(1, 1) with Student t errors and a constant mean (arch)."""
    from arch import arch_model

    returns = 100 * np.nan_to_num(bars.log_returns)  # in percent, as arch asks for
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = arch_model(returns[known], p=1, o=1, q=1, dist="t").fit(disp="off")
    p = fit.params
    away = returns - p["mu"]
    variance = np.empty(len(away))
    variance[: known.sum()] = fit.conditional_volatility**2
    for row in range(int(known.sum()), len(away)):
        shock = (p["alpha[1]"] + p["gamma[1]"] * (away[row - 1] < 0)) * away[row - 1] ** 2
        variance[row] = p["omega"] + shock + p["beta[1]"] * variance[row - 1]
    return _student(away / 100, variance / 1e4, p["nu"])


def _student(away: Floats, variance: Floats, freedom: float) -> Answer:
    from scipy.stats import t

    scale = np.sqrt(variance * (freedom - 2) / freedom)
    return without_regimes(t.logpdf(away, freedom, 0, scale), t.cdf(away, freedom, 0, scale))


def hmm(bars: Bars, known: Known, *, n_regimes: int) -> Answer:
    """Gaussian hidden Markov model of returns (hmmlearn), the best of five starts."""
    logging.getLogger("hmmlearn").setLevel(logging.ERROR)  # it reports each last step of EM
    returns = np.nan_to_num(bars.log_returns)
    mean, deviation = returns[known].mean(), returns[known].std()
    # Its prior is made for values of unit size.
    model = best_start(((returns[known] - mean) / deviation)[:, None], n_regimes, seed=0)
    means = mean + deviation * model.means_[:, 0]
    deviations = deviation * np.sqrt(model.covars_[:, 0, 0])
    return _chain(bars, known, (model.startprob_, model.transmat_), means, deviations)


def switching(bars: Bars, known: Known, *, n_regimes: int) -> Answer:
    """Markov switching regression (statsmodels): mean and variance of each regime."""
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

    returns = 100 * np.nan_to_num(bars.log_returns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MarkovRegression(returns[known], k_regimes=n_regimes, switching_variance=True)
        fit = model.fit(em_iter=20, disp=False)
    params = pd.Series(fit.params, model.param_names)
    means = np.array([params[f"const[{k}]"] for k in range(n_regimes)]) / 100
    deviations = np.sqrt([params[f"sigma2[{k}]"] for k in range(n_regimes)]) / 100
    transition = model.regime_transition_matrix(fit.params)[:, :, 0].T
    start = model.initial_probabilities(fit.params)
    return _chain(bars, known, (start, transition), means, deviations)


def _chain(
    bars: Bars, known: Known, chain: tuple[Floats, Floats], means: Floats, deviations: Floats
) -> Answer:
    from scipy.stats import norm

    rows = np.nan_to_num(bars.log_returns)[:, None]
    states = filtered(norm.logpdf(rows, means, deviations), *chain)
    own = by_chain(bars, states, chain[1], means, deviations)
    return Answer({"own": own, "labels": by_labels(bars, states, known)}, states)


def jump(bars: Bars, known: Known, *, n_regimes: int = 2, penalty: float = 50.0) -> Answer:
    """Statistical jump model (jumpmodels) on downside deviation and Sortino ratios."""
    from jumpmodels.jump import JumpModel

    returns = pd.Series(np.nan_to_num(bars.log_returns))
    down = np.minimum(returns, 0) ** 2
    columns = [np.log(np.sqrt(down.ewm(halflife=10).mean()) + 1e-6)]
    for half in (20, 60):
        risk = np.sqrt(down.ewm(halflife=half).mean()) + 1e-6
        columns.append(returns.ewm(halflife=half).mean() / risk)
    table = np.column_stack(columns)
    table = np.clip((table - table[known].mean(0)) / table[known].std(0), -3, 3)
    model = JumpModel(n_components=n_regimes, jump_penalty=penalty, random_state=0)
    model.fit(table[known], returns[known].to_numpy(), sort_by="cumret")
    labels = np.asarray(model.predict_online(table), dtype=np.int64)
    probability = np.eye(n_regimes)[labels]
    return Answer({"labels": by_labels(bars, probability, known)}, probability)
