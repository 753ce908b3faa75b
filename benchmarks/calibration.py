"""Whether causal probabilities of regimes mean what they say, beside a hidden Markov model's.

Run: python -m benchmarks.calibration [--seeds 20 21 22] [--kinds s1 s2 s3 s4 s5] [--image FILE]
Every method is fitted on the first 60 % of a series, which also fixes what each regime stands for;
the probabilities of the rest, filtered, are compared with the states that made the bars. Prints a
Markdown table, and draws the reliability diagram of all series.
"""

import argparse
import os
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

import regimetry as rg
from benchmarks.machine import describe_machine
from regimetry.series.simulators import Simulation

SEEDS = (20, 21, 22, 23, 24)
STATES = {"s1": 2, "s2": 3, "s3": 3, "s4": 3, "s5": 4}
RETURN_ALONE = ("s1",)  # its other columns are made of the first
TRAINING_SHARE = 0.6
BINS = 10
LEAST_BARS = 20  # in a bin that is drawn

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reliability:
    """Confidence in the likeliest regime against how often it is right.

    Attributes
    ----------
    bars : ndarray of int, shape (10,)
        In each tenth of confidence.
    confidence, accuracy : ndarray, shape (10,)
        Means over those bars; 0 in an empty bin.
    """

    bars: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats

    @property
    def error(self) -> float:
        """Expected calibration error: mean over bars of |accuracy - confidence| of their bin."""
        return float(self.bars @ np.abs(self.accuracy - self.confidence) / self.bars.sum())


def brier(probability: Floats, states: NDArray[np.integer]) -> float:
    """Return the mean over bars of the squared distance (0 to 2) to the state's indicator."""
    return float(((probability - np.eye(probability.shape[1])[states]) ** 2).sum(axis=1).mean())


def reliability(probability: Floats, states: NDArray[np.integer]) -> Reliability:
    """Sort bars into ten bins by the probability (T, K) of their likeliest regime."""
    confidence, right = probability.max(axis=1), probability.argmax(axis=1) == states
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    bars = np.bincount(place, minlength=BINS)
    count = np.maximum(bars, 1)
    return Reliability(
        bars,
        np.bincount(place, confidence, BINS) / count,
        np.bincount(place, right, BINS) / count,
    )


def matched(probability: Floats, states: NDArray[np.integer], n_training: int) -> Floats:
    """Put columns in the order of the states: the best matching of the labels of training."""
    n_states = probability.shape[1]
    table = np.zeros((n_states, n_states))
    np.add.at(table, (states[:n_training], probability[:n_training].argmax(axis=1)), 1.0)
    return probability[:, linear_sum_assignment(table, maximize=True)[1]]


def of_regimetry(kind: str, series: Simulation, n_training: int, seed: int) -> Floats:
    """Return filtered probabilities (T, K) of a fit on the first bars; NaN for the very first."""
    detector = rg.RegimeDetector(n_regimes=STATES[kind], objective=None, random_state=seed)
    return detector.fit(series.values[:n_training]).predict_proba(series.values)


def of_hmm(kind: str, series: Simulation, n_training: int, seed: int) -> Floats:
    """Return the forward pass (T, K) of hmmlearn's Gaussian model, the best of five starts."""
    from benchmarks.rivals.filtering import filtered
    from benchmarks.rivals.hmm import best_start, log_likelihood

    rows = series.values[:, :1] if kind in RETURN_ALONE else series.values
    rows = (rows - rows[:n_training].mean(axis=0)) / rows[:n_training].std(axis=0)
    model = best_start(rows[:n_training], STATES[kind], seed)
    return filtered(log_likelihood(model, rows), model.startprob_, model.transmat_)


def of_shares(kind: str, series: Simulation, n_training: int, seed: int) -> Floats:
    """Return the states' shares in training for every bar: the score without any knowledge."""
    shares = np.bincount(series.states[:n_training], minlength=STATES[kind]) / n_training
    return np.tile(shares, (len(series.states), 1))


METHODS = {"regimetry": of_regimetry, "HMM, filtered": of_hmm, "shares of training": of_shares}


def out_of_sample(kind: str, seed: int, method: str) -> tuple[Floats, NDArray[np.int64]]:
    """Return matched probabilities and states of the bars after training."""
    series = rg.simulate(kind, seed=seed)
    n_training = int(TRAINING_SHARE * len(series.states))
    probability = METHODS[method](kind, series, n_training, seed)
    if method != "shares of training":
        usable = np.isfinite(probability).all(axis=1)
        first = int(usable.argmax())
        probability[first:] = matched(
            probability[first:], series.states[first:], n_training - first
        )
    return probability[n_training:], series.states[n_training:]


def draw(found: dict[str, Reliability], path: str) -> None:
    """Draw the reliability diagram."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, entry in found.items():
        drawn = entry.bars >= LEAST_BARS
        axes.plot(entry.confidence[drawn], entry.accuracy[drawn], marker="o", label=name)
    axes.set(xlabel="probability of the likeliest regime", ylabel="share of bars where it is right")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Print the table and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--kinds", nargs="+", choices=list(STATES), default=list(STATES))
    parser.add_argument("--image", help="where to draw the reliability diagram (.png)")
    options = parser.parse_args()
    print("| family | method | Brier score | expected calibration error |\n|---|---|---|---|")
    pooled: dict[str, list[Reliability]] = {}
    for kind in options.kinds:
        for method in METHODS:
            series = [out_of_sample(kind, seed, method) for seed in options.seeds]
            score = np.mean([brier(*entry) for entry in series])
            curve = reliability(
                np.concatenate([p for p, _ in series]), np.concatenate([s for _, s in series])
            )
            pooled.setdefault(method, []).append(curve)
            print(f"| {kind.upper()} | {method} | {score:.3f} | {curve.error:.3f} |", flush=True)
    curves = {name: join(parts) for name, parts in pooled.items()}
    for name, curve in curves.items():
        print(f"| all | {name} | | {curve.error:.3f} |")
    print(f"\nSeeds {', '.join(map(str, options.seeds))}. {describe_machine()}")
    if options.image:
        draw({name: curves[name] for name in list(METHODS)[:2]}, options.image)


def join(parts: list[Reliability]) -> Reliability:
    """Add up the bins of several."""
    bars = np.sum([part.bars for part in parts], axis=0)
    count = np.maximum(bars, 1)
    confidence = np.sum([part.bars * part.confidence for part in parts], axis=0) / count
    accuracy = np.sum([part.bars * part.accuracy for part in parts], axis=0) / count
    return Reliability(bars, confidence, accuracy)


if __name__ == "__main__":
    main()
