"""Which points a search takes, and in which order."""

from itertools import islice

import pytest

from regimetry.configuration import Configuration
from regimetry.configuration.reading import validated
from regimetry.errors import ConfigError
from regimetry.search.choice import choose_points
from regimetry.search.grid import (
    at,
    checked_grid,
    grid_size,
    horizon_of,
    key_of,
    points_of,
    rows_needed,
    values_of,
)

GRID = {"window_size": [5, 10, 20, 40], "objective": ["none", "masked"], "jump_penalty": [0.5, 1.0]}


def test_values_of_a_flag():
    for name, text, values in (
        ("window_size", "10,20,30", [10, 20, 30]),
        ("n_regimes", "2-6", [2, 3, 4, 5, 6]),
        ("n_regimes", "2-3, auto ,7,3", [2, 3, "auto", 7]),
        ("n_regimes", "6-2", []),
        ("objective", "none,masked", ["none", "masked"]),
        ("jump_penalty", "0.5,1,2", [0.5, 1.0, 2.0]),
        ("jump_penalty", "1-2", ["1-2"]),  # refused below: a range is of whole numbers
        ("columns", "a,b", [["a", "b"]]),
        ("rename", "a=b,c=d", [["a=b", "c=d"]]),
        ("decimal", ",", [","]),
        ("seed", "", []),
    ):
        assert values_of(name, text) == values


def test_a_grid_is_checked_value_by_value():
    base = Configuration()
    assert list(checked_grid(base, dict(reversed(GRID.items()))).items()) == list(GRID.items())
    for flags, message in (
        ({"window_size": [5, 1]}, "window_size is 1; it must be 'auto' or an integer of at least"),
        ({"jump_penalty": ["1-2", 3.0]}, "jump_penalty is '1-2'; it must be 'auto' or a finite"),
        ({"n_regimes": []}, "n_regimes has no value"),
        ({"n_regimes": [2]}, "nothing to choose from"),
        ({}, "nothing to choose from"),
        ({"seed": list(range(200)), "epochs": list(range(1, 200))}, "39800 configurations"),
    ):
        with pytest.raises(ConfigError, match=message):
            checked_grid(base, flags)


def test_points_are_configurations_on_top_of_the_base():
    base = validated({"encoder": {"num_heads": 1}, "columns": ["a"]})
    points = list(points_of(GRID))
    assert len(points) == grid_size(GRID) == len({key_of(point) for point in points}) == 16
    found = at(base, points[-1])
    assert (found.window_size, found.objective, found.jump_penalty) == (40, "masked", 1.0)
    assert (found.encoder.num_heads, found.columns) == (1, ("a",))


def test_the_horizon_is_that_of_the_largest_window_that_fits():
    base = validated({"window_size": 10})
    assert horizon_of(base, GRID, 10_000) == 73  # 40 bars, 32 before them, a difference
    assert horizon_of(base, {}, 10_000) == 19
    alone = validated({"window_size": 40, "encoder": {"convolutions": None}})
    assert horizon_of(alone, {}, 10_000) == 41
    assert horizon_of(alone, {"encoder": ["pretrained", "auto"]}, 10_000) == 73  # reads 32 before
    assert horizon_of(base, GRID, 2 * rows_needed(72)) == 73
    assert horizon_of(base, GRID, 2 * rows_needed(72) - 1) == 37
    assert horizon_of(base, GRID, 5) == 14
    # "auto" takes sizes of which a half holds 20 side by side
    assert horizon_of(base, {"window_size": [5, "auto"]}, 10_000) == 289
    assert horizon_of(base, {"window_size": [200, "auto"]}, 10_000) == 329
    assert horizon_of(Configuration(), {}, 3_000) == 73


def result_of(point):
    """Scores that are best at window 20, penalty 1."""
    score = -abs(point["window_size"] - 20) - abs(point["jump_penalty"] - 1)
    names = ("stability", "separation", "predictability")
    if point["window_size"] == 40:
        return {"point": point, "failure": "too few rows"}
    return {"point": point, "scores": dict.fromkeys(names, float(score))}


def walk(done=(), grid=GRID, **options):
    """Take points to their end, two at a time; return the results, by key."""
    points, tell = choose_points(grid, dict(done), **options)
    taken, running = {}, list(islice(points, 2))
    while running:
        key = key_of(point := running.pop(0))
        assert key not in {**taken, **dict(done)}
        taken[key] = result_of(point)
        tell(taken[key])
        running += islice(points, 1)
    return taken


def test_nothing_is_repeated_and_optuna_stops_at_its_number():
    taken = walk()
    assert [entry["point"] for entry in taken.values()] == list(points_of(GRID))
    first = dict(list(taken.items())[:5])
    assert walk(first).keys() == taken.keys() - first.keys()
    taken = walk(n_trials=6)
    assert len(taken) == 6
    assert walk(n_trials=6) == taken
    assert len(walk(taken, n_trials=10)) == 4
    assert walk(taken, n_trials=6) == {}
    assert len(walk(n_trials=99)) == 16


def test_optuna_learns_where_the_scores_are():
    """More of its later draws than of its first lie next to the best point of a long list."""
    grid = {"window_size": list(range(2, 300)), "jump_penalty": [1.0, 2.0]}
    taken = walk(grid=grid, n_trials=60, seed=1)
    near = [abs(trial["point"]["window_size"] - 20) < 15 for trial in taken.values()]
    assert sum(near[30:]) > 2 * sum(near[:10]) + 5
