"""Which point comes next: every one of the grid, or those that Optuna picks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from regimetry.errors import InstallError
from regimetry.search.grid import Grid, grid_size, key_of, points_of
from regimetry.search.ranking import CRITERIA

_PATIENCE = 100  # draws that may be repeats before the next new point of the grid is taken


class Choice(Protocol):
    """An order of points."""

    def next(self) -> dict[str, Any] | None:
        """Return a point that is neither done nor running; ``None`` when the search is over."""

    def tell(self, trial: Mapping[str, Any]) -> None:
        """Take the result of a point."""


class Everything:
    """Every point of a grid that is not done, in order."""

    def __init__(self, grid: Grid, done: Mapping[str, Any]) -> None:
        self._points = (point for point in points_of(grid) if key_of(point) not in done)

    def next(self) -> dict[str, Any] | None:
        """Return the next point."""
        return next(self._points, None)

    def tell(self, trial: Mapping[str, Any]) -> None:
        """Learn nothing."""


class Sampled:
    """Points that Optuna's multi-objective TPE sampler picks, until ``n_trials`` are done.

    Its three objectives are the three scores. A point is never evaluated twice.
    """

    def __init__(
        self, grid: Grid, done: Mapping[str, Mapping[str, Any]], *, n_trials: int, seed: int
    ) -> None:
        try:
            import optuna
        except ModuleNotFoundError as error:
            raise InstallError(
                "Optuna, which --trials needs, is not installed. "
                "Run: pip install 'regimetry[optuna]'."
            ) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._grid = optuna, grid
        self._left = min(n_trials, grid_size(grid)) - len(done)
        self._study = optuna.create_study(
            directions=["maximize"] * len(CRITERIA),
            sampler=optuna.samplers.TPESampler(seed=seed + len(done)),
        )
        # Numbers are drawn by their place in the list, which keeps their order; words have none.
        self._space: dict[str, Any] = {
            name: optuna.distributions.IntDistribution(0, len(values) - 1)
            if all(isinstance(value, int | float) for value in values)
            else optuna.distributions.CategoricalDistribution(range(len(values)))
            for name, values in grid.items()
        }
        self._seen: set[str] = set()
        self._asked: dict[str, Any] = {}
        for trial in done.values():
            self._seen.add(key_of(trial["point"]))
            self._add(trial)

    def next(self) -> dict[str, Any] | None:
        """Return the next point."""
        if self._left <= 0:
            return None
        self._left -= 1
        for _ in range(_PATIENCE):
            asked = self._study.ask(self._space)
            point = {name: self._grid[name][asked.params[name]] for name in self._grid}
            if key_of(point) not in self._seen:
                self._asked[key_of(point)] = asked
                break
            self._study.tell(asked, state=self._optuna.trial.TrialState.FAIL)
        else:
            point = next(p for p in points_of(self._grid) if key_of(p) not in self._seen)
        self._seen.add(key_of(point))
        return point

    def tell(self, trial: Mapping[str, Any]) -> None:
        """Let the sampler learn from a result."""
        asked = self._asked.pop(key_of(trial["point"]), None)
        if asked is None:
            self._add(trial)
        elif trial.get("scores"):
            self._study.tell(asked, [trial["scores"][name] for name in CRITERIA])
        else:
            self._study.tell(asked, state=self._optuna.trial.TrialState.FAIL)

    def _add(self, trial: Mapping[str, Any]) -> None:
        """Add a result that the sampler did not ask for."""
        if not trial.get("scores"):
            return
        point = trial["point"]
        self._study.add_trial(
            self._optuna.trial.create_trial(
                params={name: self._grid[name].index(point[name]) for name in self._grid},
                distributions=self._space,
                values=[trial["scores"][name] for name in CRITERIA],
            )
        )
