"""The series that methods are judged on."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import NDArray

from benchmarks.rivals.fitted import Labels, Values
from regimetry.series.simulators import NULLS, simulate

SIX = ("s1", "s2", "s3", "s4", "s5", "s6")
NUISANCE = {"n1": "s2", "n2": "s3"}
PUBLISHED = {"h3": 1000, "h3-2000": 2000}

PROBLEMS = (*SIX, *NUISANCE, *PUBLISHED, *NULLS)
"""All that can be simulated."""


@dataclass(frozen=True)
class Problem:
    """One series with its true states."""

    values: Values
    states: Labels

    @property
    def n_regimes(self) -> int:
        """K."""
        return int(self.states.max()) + 1


def load_problem(name: str, seed: int) -> Problem:
    """Simulate."""
    simulation = simulate(name.partition("-")[0], n_rows=PUBLISHED.get(name), seed=seed)
    values: NDArray = simulation.values
    return Problem(values, simulation.states)
