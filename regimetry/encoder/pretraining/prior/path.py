"""Paths of states: how long stays are, how often a state comes back, how rare it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform, pick
from regimetry.encoder.pretraining.prior.drawn import States, Values

_N_STATES = {2: 0.32, 3: 0.3, 4: 0.2, 5: 0.1, 6: 0.08}
_MANNERS = {"often": 0.73, "once": 0.15, "rare": 0.12}
SHORTEST_MEAN = 25  # rows
LEAST_SHARE = 0.04
LONG_STAY = 500  # rows


@dataclass(frozen=True)
class Path:
    """The state of each row.

    Attributes
    ----------
    states : ndarray of int64, shape (T,)
    n_states : int
        K.
    """

    states: States
    n_states: int

    @cached_property
    def first_rows(self) -> States:
        """The first row of each stay."""
        return np.flatnonzero(np.diff(self.states, prepend=-1))

    @property
    def mean_stay(self) -> float:
        """The mean number of rows of a stay."""
        return len(self.states) / len(self.first_rows)

    @property
    def shortest_stay(self) -> int:
        """The number of rows of the shortest stay."""
        return int(np.diff(self.first_rows, append=len(self.states)).min())

    @cached_property
    def rows(self) -> tuple[States, ...]:
        """The rows of each state."""
        return tuple(np.flatnonzero(self.states == state) for state in range(self.n_states))

    def repeated(self, times: int) -> Path:
        """Return the path of a series sampled so many times as finely."""
        return self if times == 1 else Path(np.repeat(self.states, times), self.n_states)


def one_state(n_rows: int) -> Path:
    """Return the path of a series of one regime."""
    return Path(np.zeros(n_rows, dtype=np.int64), 1)


def draw_path(generator: np.random.Generator, n_rows: int) -> Path:
    """Draw a path of 2 to 6 states.

    15 % of the paths visit each state once or twice, 12 % hold a rare state with 2 to 5 % of the
    rows, the others come back to each state as often as stays of 25 to T / 5 rows allow.
    """
    most = max(2, int(n_rows / (2.5 * SHORTEST_MEAN)))
    n_states = pick(generator, {k: weight for k, weight in _N_STATES.items() if k <= most})
    manner = pick(generator, _MANNERS)
    if manner == "once":
        return _few_visits(generator, n_rows, n_states)
    if manner == "rare" and n_rows >= 20 * SHORTEST_MEAN:
        return _with_a_rare_state(generator, n_rows, n_states)
    return Path(_coming_back(generator, n_rows, n_states), n_states)


def draw_long_path(generator: np.random.Generator, n_rows: int) -> Path:
    """Draw a path of 2 or 3 states whose stays hold 500 rows, or a quarter of a short series."""
    shortest = min(LONG_STAY, n_rows // 4)
    n_stays = int(generator.integers(2, max(2, n_rows // shortest - 1) + 1))
    n_states = min(2 + int(generator.integers(2)), n_stays)
    spare = n_rows - n_stays * shortest
    stays = shortest + np.diff(_cuts(generator, n_stays, spare))
    return Path(np.repeat(_visiting_all(generator, n_states, n_stays), stays), n_states)


def _cuts(generator: np.random.Generator, n: int, total: int) -> States:
    """Return 0, n - 1 ordered uniform numbers and the total."""
    inside = np.sort(generator.integers(0, total + 1, n - 1))
    return np.concatenate([[0], inside, [total]])


def _visiting_all(generator: np.random.Generator, n_states: int, n_stays: int) -> States:
    """Return the states of successive stays: first each state in turn, then any other."""
    order = generator.permutation(n_states)
    more = n_stays - n_states
    steps = generator.integers(1, n_states, more)
    return np.concatenate([order, (order[-1] + np.cumsum(steps)) % n_states])


def _dwell(generator: np.random.Generator, means: Values, law: int) -> States:
    """Return a number of rows for each stay: geometric, uniform or gamma, of these means."""
    if law == 0:
        return generator.geometric(1.0 / np.maximum(means, 1.0))
    if law == 1:
        return (means * generator.uniform(0.5, 1.5, len(means))).astype(np.int64) + 2
    return generator.gamma(3.0, means / 3.0).astype(np.int64) + 2


def _coming_back(generator: np.random.Generator, n_rows: int, n_states: int) -> States:
    longest = max(SHORTEST_MEAN + 1.0, min(0.2 * n_rows, n_rows / (2.5 * n_states)))
    while True:
        mean = log_uniform(generator, SHORTEST_MEAN, longest)
        means = mean * np.exp(generator.normal(0.0, 0.35, n_states))
        n_stays = 3 * int(n_rows / mean) + 10
        steps = generator.integers(1, n_states, n_stays) if n_states > 1 else np.zeros(n_stays, int)
        order = (generator.integers(n_states) + np.cumsum(steps)) % n_states
        stays = _dwell(generator, means[order], int(generator.integers(3)))
        states = np.repeat(order, stays)[:n_rows]
        enough = np.bincount(states, minlength=n_states).min() >= LEAST_SHARE * n_rows
        if len(states) == n_rows and enough:
            return states


def _few_visits(generator: np.random.Generator, n_rows: int, n_states: int) -> Path:
    again = int(generator.integers(0, n_states + 1)) if happens(generator, 0.5) else 0
    order = generator.permutation(n_states)
    if again:  # some states come a second time, none right after itself
        second = generator.permutation(n_states)[:again]
        order = np.concatenate([order, second])
        order = order[np.diff(order, prepend=-1) != 0]
    shortest = max(int(LEAST_SHARE * n_rows), 8)
    spare = n_rows - len(order) * shortest
    if spare < 0:
        return _few_visits(generator, n_rows, n_states)
    stays = shortest + np.diff(_cuts(generator, len(order), spare))
    return Path(np.repeat(order, stays), n_states)


def _with_a_rare_state(generator: np.random.Generator, n_rows: int, n_states: int) -> Path:
    """Put one to three stays of one more state into a path of the others."""
    states = _coming_back(generator, n_rows, n_states - 1)
    n_visits = int(generator.integers(1, 4))
    length = max(6, int(generator.uniform(0.021, 0.049) * n_rows / n_visits))
    room = n_rows // n_visits - length
    for visit in range(n_visits):
        start = visit * (n_rows // n_visits) + int(generator.integers(1, room))
        states[start : start + length] = n_states - 1
    if np.bincount(states, minlength=n_states).min() < 0.02 * n_rows:
        return _with_a_rare_state(generator, n_rows, n_states)
    return Path(generator.permutation(n_states)[states], n_states)
