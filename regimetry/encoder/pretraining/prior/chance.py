"""Draws of single numbers and names, cheaper than ``Generator.choice`` for a handful of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TypeVar

import numpy as np

Name = TypeVar("Name")


def pick(generator: np.random.Generator, weights: Mapping[Name, float]) -> Name:
    """Return a key, drawn in proportion to its weight; weights need not sum to 1."""
    left = generator.random() * sum(weights.values())
    for name, weight in weights.items():
        left -= weight
        if left < 0.0:
            return name
    return next(reversed(list(weights)))  # the sum was rounded


def pick_several(
    generator: np.random.Generator, weights: Mapping[Name, float], n: int
) -> list[Name]:
    """Return up to n different keys, drawn one after the other in proportion to their weights."""
    left = dict(weights)
    picked: list[Name] = []
    while left and len(picked) < n:
        name = pick(generator, left)
        del left[name]
        picked.append(name)
    return picked


def pick_laws(
    generator: np.random.Generator, weights: Mapping[Name, float], n: int, fixed: Collection[Name]
) -> list[Name]:
    """Return the families of n laws, drawn in proportion to their weights.

    A family of ``fixed`` has no parameters. It comes once at most: else two states were the same.
    """
    left = dict(weights)
    picked: list[Name] = []
    while len(picked) < n:
        name = pick(generator, left)
        if name in fixed:
            del left[name]
        picked.append(name)
    return picked


def happens(generator: np.random.Generator, share: float) -> bool:
    """Return True in this share of the calls."""
    return bool(generator.random() < share)


def log_uniform(generator: np.random.Generator, low: float, high: float) -> float:
    """Return a number whose logarithm is uniform between those of ``low`` and ``high``."""
    return low * math.exp(generator.random() * math.log(high / low))
