"""The comparison that stands between a graph and a file, and the tolerances it allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ExportParityError

EMBEDDING_TOLERANCE = 2e-5
"""Largest embedding difference, relative to the largest embedding entry."""

DISTANCE_TOLERANCE = 1e-3
"""Largest difference of distances: they lie between 0 and 2, of single bars between 0 and 20."""

NOVELTY_TOLERANCE = 1e-3
"""Largest difference of novelty, relative to the largest novelty, or to 1, which is typical."""

_BLOCK = 1 << 16  # windows compared at once

HALF_TOLERANCES = {"embedding": 2e-2, "distance": 5e-2, "novelty": 5e-2}
"""The same for a file that computes in float16, whose numbers have 11 bits instead of 24."""


def tolerances(precision: str = "float32") -> dict[str, float]:
    """Return the largest allowed difference of each output."""
    if precision == "float16":
        return HALF_TOLERANCES
    return {
        "embedding": EMBEDDING_TOLERANCE,
        "distance": DISTANCE_TOLERANCE,
        "novelty": NOVELTY_TOLERANCE,
    }


@dataclass(frozen=True, kw_only=True)
class ParityReport:
    """What the comparison found; ``None`` for an output that was not compared.

    Attributes
    ----------
    windows : int
        Windows compared.
    embedding, novelty : float or None
        Largest absolute difference, relative to the largest entry.
    distance : float or None
        Largest absolute difference.
    regimes : int or None
        Windows whose cheapest regime differs although it is cheaper than the next one by more
        than twice the tolerance. Closer calls are ties that rounding decides.
    ties : int or None
        Windows whose cheapest regime differs within that margin.
    """

    windows: int
    embedding: float | None = None
    distance: float | None = None
    novelty: float | None = None
    regimes: int | None = None
    ties: int | None = None

    @property
    def agreement(self) -> float | None:
        """Share of windows with the same regime, ties counted as different."""
        if self.regimes is None or self.ties is None:
            return None
        return 1.0 - (self.regimes + self.ties) / self.windows

    def to_dict(self) -> dict[str, float | None]:
        """Return the fields as plain data; what is not finite, which JSON lacks, is ``None``."""
        return {
            name: value if value is None or math.isfinite(value) else None
            for name, value in vars(self).items()
        }


def measure(
    found: Mapping[str, NDArray[Any]],
    expected: Mapping[str, NDArray[Any]],
    precision: str = "float32",
) -> ParityReport:
    """Measure how far outputs lie from the expected ones.

    Parameters
    ----------
    found : mapping
        Any of ``embedding`` (N, D), ``distance`` (N, K), ``novelty`` (N,), ``regime`` (N,).
    expected : mapping
        The same outputs; without ``regime``, the least ``distance`` stands for it.
    precision : {"float32", "float16"}
        What ``found`` was computed in, which decides what is a tie.

    Returns
    -------
    ParityReport
    """
    regimes, ties = None, None
    if "regime" in found:
        regime = expected.get("regime", expected["distance"].argmin(axis=1))
        differs = found["regime"] != regime
        clear = ~close_calls(expected["distance"], precision)
        regimes, ties = int(np.sum(differs & clear)), int(np.sum(differs & ~clear))
    return ParityReport(
        windows=len(next(iter(found.values()))),
        embedding=_relative("embedding", found, expected),
        distance=_largest("distance", found, expected),
        novelty=_relative("novelty", found, expected, at_least=1.0),
        regimes=regimes,
        ties=ties,
    )


def close_calls(costs: NDArray[Any], precision: str = "float32") -> NDArray[np.bool_]:
    """Return which rows (N, K) have their two smallest entries within twice the tolerance."""
    if costs.shape[1] == 1:
        return np.zeros(len(costs), dtype=bool)
    nearest = np.partition(costs, 1, axis=1)
    limit = 2 * tolerances(precision)["distance"]
    return np.asarray(nearest[:, 1] - nearest[:, 0] <= limit)


def excess(report: ParityReport, precision: str = "float32") -> str | None:
    """Return what exceeds the tolerances, in words, or ``None`` if nothing does."""
    for name, limit in {**tolerances(precision), "regimes": 0}.items():
        value = getattr(report, name)
        if value is not None and not value <= limit:  # a NaN fails too
            return f"{name} by {value:.3g}, where {limit:.3g} is allowed"
    return None


def compare(
    found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]
) -> ParityReport:
    """Compare outputs of a graph with those of the fitted model.

    Parameters
    ----------
    found, expected : mapping
        As for :func:`measure`.

    Returns
    -------
    ParityReport

    Raises
    ------
    ExportParityError
        A difference above its tolerance, a different regime, or a value that is not a number.
    """
    report = measure(found, expected)
    difference = excess(report)
    if difference is not None:
        raise ExportParityError(
            f"The exported graph differs from the fitted model: {difference}, over "
            f"{report.windows} windows. No file was written. Please report this with the "
            "versions of tensorflow, tf2onnx and onnx."
        )
    return report


def _largest(
    name: str, found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]
) -> float | None:
    if name not in found:
        return None
    mine, theirs = found[name], expected[name]
    # A block at a time: the differences of a long series would take as much as its outputs.
    blocks = range(0, len(mine), _BLOCK)
    # np.max, not max: a NaN must come out whichever block holds it.
    differences = [np.abs(mine[i : i + _BLOCK] - theirs[i : i + _BLOCK]).max() for i in blocks]
    return float(np.max(differences))


def _relative(
    name: str,
    found: Mapping[str, NDArray[Any]],
    expected: Mapping[str, NDArray[Any]],
    at_least: float = 1e-30,
) -> float | None:
    largest = _largest(name, found, expected)
    if largest is None:
        return None
    return largest / max(float(expected[name].max()), -float(expected[name].min()), at_least)
