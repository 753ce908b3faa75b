"""The test of spells: ``python -m benchmarks.spells [--series N]``.

Counts how often it says that spells are not geometric: of Markov chains, and of simulators whose
spells last otherwise.
"""

import argparse
from collections.abc import Callable

import numpy as np

from benchmarks.analysis import chain
from benchmarks.machine import describe_machine
from regimetry import simulate
from regimetry.analysis import geometric_test, spells_of

LEVELS = (0.01, 0.05, 0.25, 0.5)


def mixed(generator: np.random.Generator) -> np.ndarray:
    """Return spells of which every second is short, of geometric lengths of mean 5 and 60."""
    count = 100
    lengths = generator.geometric(np.where(generator.random(count) < 0.5, 1 / 5, 1 / 60))
    return np.repeat(np.arange(count) % 3, lengths)


def main() -> None:
    """Print one line a scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=500, help="of each kind (%(default)s)")
    n_series = parser.parse_args().series
    kinds: list[tuple[str, Callable[[int], np.ndarray]]] = [
        *(
            (
                f"Markov, stay {stay}",
                lambda s, stay=stay: chain(2500, stay, np.random.default_rng(s)),
            )
            for stay in (0.9, 0.97, 0.99)
        ),
        ("S5, spells of 60 to 139 bars", lambda s: simulate("s5", seed=s).states),
        ("short and long spells mixed", lambda s: mixed(np.random.default_rng(s))),
    ]
    print(describe_machine())
    print("\n| labels | tested | " + " | ".join(f"p below {a:g}" for a in LEVELS) + " | any |")
    print("|---|---|" + "---|" * (len(LEVELS) + 1))
    for name, labels in kinds:
        found = [
            geometric_test(spells_of(one), int(one.max()) + 1)
            for one in map(labels, range(n_series))
        ]
        p = np.concatenate([one.p_value for one in found])
        told = np.mean([one.not_geometric.any() for one in found])
        tested = p[np.isfinite(p)]
        shares = " | ".join(f"{np.mean(tested <= a):.1%}" for a in LEVELS)
        print(f"| {name} | {len(tested) / len(p):.0%} | {shares} | {told:.1%} |")


if __name__ == "__main__":
    main()
