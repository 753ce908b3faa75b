"""What a search goes through: values by field, and the configurations they make."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import product
from math import prod
from typing import Any

from regimetry.configuration.fields import Configuration, from_text
from regimetry.configuration.reading import validated
from regimetry.configuration.writing import plain_fields
from regimetry.encoder.pretraining.config import ENCODERS
from regimetry.errors import ConfigError
from regimetry.parameters import allowed_of

Grid = dict[str, list[Any]]
"""Values by field, in the order in which they were given."""

_RANGE = re.compile(r"(\d+)-(\d+)")
_MOST = 10_000
"""Configurations of a grid; more is a slip of the keyboard."""


def values_of(name: str, text: str) -> list[Any]:
    """Read the values of one flag: ``10,20,30``, ``2-6`` or ``none,masked``.

    A field that holds a list takes one value, the whole text, as :func:`from_text` reads it; so is
    a comma alone a value, of what separates or of the decimal sign.
    """
    kinds = allowed_of(Configuration)[name].kinds
    if tuple in kinds or text == ",":
        return [from_text(name, text)]
    values: list[Any] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        span = _RANGE.fullmatch(part) if int in kinds else None
        if span is None:
            values.append(from_text(name, part))
        else:
            first, last = int(span[1]), int(span[2])
            values += range(first, min(last, first + _MOST) + 1)
    return list(dict.fromkeys(values))


def checked_grid(base: Configuration, flags: Mapping[str, Sequence[Any]]) -> Grid:
    """Check every value of a grid by itself on top of ``base``.

    Raises
    ------
    ConfigError
        A value is not allowed, a field has none, there is nothing to choose from, or too much.
    """
    plain_base = plain_fields(base)
    for name, values in flags.items():
        if not values:
            raise ConfigError(f"{name} has no value; give one or more, such as 10,20 or 2-6.")
        for value in values:
            validated({**plain_base, name: value})
    grid = {entry.name: list(flags[entry.name]) for entry in fields(Configuration)
            if entry.name in flags}  # fmt: skip
    size = grid_size(grid)
    if size < 2:
        raise ConfigError(
            "There is nothing to choose from; give a field two values or more, such as "
            "--n-regimes 2-6."
        )
    if size > _MOST:
        raise ConfigError(f"The grid has {size} configurations; at most {_MOST} are taken.")
    return grid


def grid_size(grid: Grid) -> int:
    """Return how many configurations a grid has."""
    return prod(map(len, grid.values()))


def points_of(grid: Grid) -> Iterator[dict[str, Any]]:
    """Yield the points of a grid, the last field fastest."""
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def at(base: Configuration, point: Mapping[str, Any]) -> Configuration:
    """Return the configuration of a point."""
    return validated({**plain_fields(base), **point})


def most_read(configuration: Configuration, window_size: int | str, rows: int) -> int:
    """Return what a window reads, W and the rows before it; of "auto", the largest for so many."""
    from regimetry.regimes.choice.candidates import sizes_for

    size = sizes_for(rows)[-1] if isinstance(window_size, str) else window_size
    trained, given = configuration.objective != "none", configuration.encoder
    encoders = ENCODERS.values() if isinstance(given, str) else (given,)
    return size + max(encoder.reach_of(size, trained=trained) for encoder in encoders)


def rows_needed(read: int, horizon: int = 0) -> int:
    """Return the rows that a half must have for windows that read so many, ``horizon`` bars apart.

    One row more is read where a column is differenced. A fit needs two windows; beyond its own
    half, the first window that counts and one pair of labels must fit.
    """
    return 2 * (read + 1) + max(horizon, read + 1)


def horizon_of(base: Configuration, grid: Grid, rows: int) -> int:
    """Return the bars between the two labels of a pair, the same for a whole search.

    Parameters
    ----------
    base : Configuration
    grid : Grid
    rows : int
        T.

    Returns
    -------
    int
        Rows that the largest window reads, of the windows for which a half has enough rows.
    """
    windows = grid.get("window_size", [base.window_size])
    encoders = grid.get("encoder", [plain_fields(base)["encoder"]])
    asked = [at(base, {"encoder": encoder}) for encoder in encoders]
    sizes = sorted(max(most_read(one, size, rows // 2) for one in asked) for size in windows)
    fitting = [size for size in sizes if rows_needed(size) <= rows // 2]
    return (fitting[-1] if fitting else sizes[0]) + 1


def key_of(point: Mapping[str, Any]) -> str:
    """Return a short name of a point, the same in every run."""
    text = json.dumps(dict(sorted(point.items())), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
