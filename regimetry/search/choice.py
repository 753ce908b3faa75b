"""Which point comes next: every one of the grid, or those that Optuna picks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from regimetry.errors import InstallError
from regimetry.search.grid import Grid, grid_size, key_of, points_of
from regimetry.search.ranking import CRITERIA

_PATIENCE = 100  # draws that may be repeats before the next new point of the grid is taken

Tell = Callable[[Mapping[str, Any]], None]
"""Takes the result of a point."""


def choose_points(
    grid: Grid, done: Mapping[str, Mapping[str, Any]], *, n_trials: int | None = None, seed: int = 0
) -> tuple[Iterator[dict[str, Any]], Tell]:
    """Return the points to evaluate, none twice, and who learns from their results.

    Parameters
    ----------
    grid : dict of str to list
    done : mapping
        Finished trials by the key of their point.
    n_trials : int or None
        Points that Optuna picks, those done included; ``None`` takes the whole grid, in order.
    seed : int
        Of Optuna's sampler.

    Raises
    ------
    InstallError
        Optuna is asked for and not installed.
    """
    if n_trials is None:
        return (p for p in points_of(grid) if key_of(p) not in done), lambda trial: None
    sampler = _Sampler(grid, seed + len(done))
    for trial in done.values():
        sampler.tell(trial)
    return sampler.points(set(done), min(n_trials, grid_size(grid))), sampler.tell


class _Sampler:
    """Optuna's multi-objective TPE sampler; its three objectives are the three scores."""

    def __init__(self, grid: Grid, seed: int) -> None:
        try:
            import optuna
        except ModuleNotFoundError as error:
            raise InstallError(
                "Optuna, which --trials needs, is not installed. "
                "Run: pip install 'regimetry[optuna]'."
            ) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._trial, self._grid = optuna.trial, grid
        self._asked: dict[str, Any] = {}
        self._study = optuna.create_study(
            directions=["maximize"] * len(CRITERIA), sampler=optuna.samplers.TPESampler(seed=seed)
        )
        # Numbers are drawn by their place in the list, which keeps their order; words have none.
        self._space: dict[str, Any] = {
            name: optuna.distributions.IntDistribution(0, len(values) - 1)
            if all(isinstance(value, int | float) for value in values)
            else optuna.distributions.CategoricalDistribution(range(len(values)))
            for name, values in grid.items()
        }

    def points(self, seen: set[str], most: int) -> Iterator[dict[str, Any]]:
        """Yield new points until ``most`` are seen."""
        while len(seen) < most:
            drawn = (self._drawn(seen) for _ in range(_PATIENCE))
            new = (p for p in chain(drawn, points_of(self._grid)) if key_of(p) not in seen)
            point = next(new)
            seen.add(key_of(point))
            yield point

    def _drawn(self, seen: set[str]) -> dict[str, Any]:
        asked = self._study.ask(self._space)
        point = {name: values[asked.params[name]] for name, values in self._grid.items()}
        if key_of(point) in seen:
            self._study.tell(asked, state=self._trial.TrialState.FAIL)
        else:
            self._asked[key_of(point)] = asked
        return point

    def tell(self, trial: Mapping[str, Any]) -> None:
        """Let the sampler learn from a result."""
        point, scores = trial["point"], trial.get("scores")
        values = [scores[name] for name in CRITERIA] if scores else None
        if asked := self._asked.pop(key_of(point), None):
            self._study.tell(asked, values, state=None if scores else self._trial.TrialState.FAIL)
        elif scores:
            places = {name: self._grid[name].index(point[name]) for name in self._grid}
            self._study.add_trial(
                self._trial.create_trial(params=places, distributions=self._space, values=values)
            )
