"""Whether the density of the next row is right: probability integral transforms out of sample.

Run: python -m benchmarks.densities [--seeds 60 61 62] [--image FILE]
Every series is fitted on its first 60 %, window and number of regimes chosen; each row of the rest
gets the probability, given all rows before it, of one at most as high. Where the densities are
right, these are uniform: a share q of them lies below q. Series of one column: simulated returns,
noise, autoregressions, GARCH, and two indices of the sample extra. Prints a Markdown table, and
draws a histogram of each kind.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

import regimetry as rg
from benchmarks.machine import describe_machine
from regimetry.series.samples import market_sample

Floats = NDArray[np.float64]
KINDS = {
    "s1": "two volatilities (S1, return)",
    "noise": "noise",
    "ar90": "AR(1) of .9",
    "garch": "GARCH",
}
INDICES = {"sp500": "S&P 500", "nasdaq": "NASDAQ Composite"}
SHARE = 0.6
LEVELS = (0.01, 0.05, 0.95, 0.99)
BINS = 20


def series(seeds: list[int]) -> Iterator[tuple[str, list[Floats]]]:
    """Yield the title of each kind and its series (T, 1)."""
    for kind, title in KINDS.items():
        yield title, [rg.simulate(kind, seed=seed).values[:, :1] for seed in seeds]
    for name, title in INDICES.items():
        yield title, [market_sample(name)[["close"]].to_numpy(dtype=np.float64)]


def transforms(values: Floats) -> Floats:
    """Return the transforms of the rows behind the first 60 %, by a model of these."""
    cut = int(SHARE * len(values))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = rg.RegimeDetector(random_state=0).fit(values[:cut]).model_
    return np.asarray(model.pit(values))[cut:]


def distance(found: Floats) -> float:
    """Return how far the shares below q are from q, at most: Kolmogorov's distance."""
    ordered = np.sort(found)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))


def row(title: str, found: Floats) -> str:
    """Return a line of the table."""
    shares = [f"{np.mean(found < level):.3f}" for level in LEVELS]
    critical = 1.36 / np.sqrt(len(found))
    cells = [title, str(len(found)), *shares, f"{distance(found):.3f}", f"{critical:.3f}"]
    return f"| {' | '.join(cells)} |"


def draw(found: dict[str, Floats], path: str) -> None:
    """Draw a histogram of each kind."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(9, 4.5), sharex=True, sharey=True)
    for ax, (title, values) in zip(axes.flat, found.items(), strict=True):
        ax.hist(values, bins=BINS, range=(0, 1), density=True, color="#4c72b0")
        ax.axhline(1.0, color="black", linewidth=0.8)
        ax.set_title(title, fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[60, 61, 62])
    parser.add_argument("--image")
    options = parser.parse_args(arguments)
    found = {
        title: np.concatenate([transforms(values) for values in several])
        for title, several in series(options.seeds)
    }
    below = " | ".join(f"below {level:g}" for level in LEVELS)
    print(f"| series | rows | {below} | largest distance | 5 % of right ones exceed |")
    print(f"|{'---|' * (len(LEVELS) + 4)}")
    for title, values in found.items():
        print(row(title, values))
    print(f"\nSeeds {', '.join(map(str, options.seeds))}. {describe_machine()}")
    if options.image:
        draw(found, options.image)


if __name__ == "__main__":
    main()
