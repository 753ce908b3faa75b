"""The sets of series, and what each may be used for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.outside.toys import TOYS, WITHOUT_REGIMES
from benchmarks.rivals.fitted import Labels, Values
from regimetry.series.simulators import NULLS, simulate

RECORDINGS = ("tssb", "utsa", "skab")
SIMULATORS = ("s1", "s2", "s3", "s4", "s5", "n1", "n2")
MADE = ("toys", "toys without", "nulls", "simulators")
SETS = (*RECORDINGS, "synthetic", "actrectut", *MADE)

_STATE_DETECTION = ("synthetic", "actrectut")


@dataclass(frozen=True)
class Series:
    """One series with its true states: a name within a set, and a seed where it is made."""

    set: str
    name: str
    seed: int = 0

    def load(self) -> tuple[Values, Labels]:
        """Return the rows (T, F) and their states (T,)."""
        if self.set in RECORDINGS:
            file = _recordings(self.set)
            values, states = file[f"{self.name}/values"], file[f"{self.name}/states"]
        elif self.set in _STATE_DETECTION:
            with np.load(_folder("state_detection") / f"{self.name}.npz") as file:
                values, states = file["values"], file["states"]
        elif self.set in ("nulls", "simulators"):
            found = simulate(self.name, seed=self.seed)
            values, states = found.values, found.states
        else:
            makers = TOYS if self.set == "toys" else WITHOUT_REGIMES
            kind = list(makers).index(self.name)
            values, states = makers[self.name](np.random.default_rng((self.seed, kind)))
        return np.asarray(values, np.float64).reshape(len(states), -1), states.astype(np.int64)


def series_of(name: str, seeds: tuple[int, ...]) -> list[Series]:
    """List the series of a set; recordings that are not there are none. Toys have two seeds."""
    if name in RECORDINGS:
        names = {key.rsplit("/", 1)[0] for key in _recordings(name)}
        return [Series(name, each) for each in sorted(names)]
    if name in _STATE_DETECTION:
        folder = _folder("state_detection")
        files = sorted(folder.glob(f"{name}_*.npz")) if folder.exists() else []
        return [Series(name, file.stem) for file in files]
    made = {"toys": TOYS, "toys without": WITHOUT_REGIMES, "nulls": NULLS, "simulators": SIMULATORS}
    taken = seeds[:2] if name.startswith("toys") else seeds
    return [Series(name, each, seed) for each in made[name] for seed in taken]


@cache
def _recordings(name: str) -> dict[str, np.ndarray]:
    path = _folder("recordings") / f"{name}.npz"
    if not path.exists():
        return {}
    with np.load(path) as file:
        return dict(file)


def _folder(name: str) -> Path:
    return Path(os.environ.get("REGIMETRY_DATA", "data"), name)
