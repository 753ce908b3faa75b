"""The comparison that stands between a graph and a file, and the tolerances it allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ExportParityError

EMBEDDING_TOLERANCE = 2e-5
"""Largest embedding difference, relative to the largest embedding entry."""

DISTANCE_TOLERANCE = 1e-3
"""Largest difference of distances, which lie between 0 and 2."""

NOVELTY_TOLERANCE = 1e-3
"""Largest difference of novelty, relative to the largest novelty."""

HALF_EMBEDDING_TOLERANCE = 2e-2
"""The same as :data:`EMBEDDING_TOLERANCE` for a float16 file, whose numbers have 11 bits."""

HALF_AGREEMENT = 0.995
"""Least share of windows whose regime a float16 file must keep; its distances are not judged."""


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
        Windows whose nearest centroid differs although it is nearer than the next one by more
        than twice the tolerance. Closer calls are ties that rounding decides.
    ties : int or None
        Windows whose nearest centroid differs within that margin.
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


def measure(
    found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]
) -> ParityReport:
    """Measure how far outputs lie from the expected ones.

    Parameters
    ----------
    found : mapping
        Any of ``embedding`` (N, D), ``distance`` (N, K), ``novelty`` (N,), ``regime`` (N,).
    expected : mapping
        The same outputs; without ``regime``, the nearest centroid by ``distance`` stands for it.

    Returns
    -------
    ParityReport
    """
    regimes, ties = None, None
    if "regime" in found:
        nearest = np.sort(expected["distance"], axis=1)[:, :2]
        one = nearest.shape[1] == 1
        margin = np.full(len(nearest), 2.0) if one else nearest[:, 1] - nearest[:, 0]
        regime = expected.get("regime", expected["distance"].argmin(axis=1))
        differs = found["regime"] != regime
        clear = margin > 2 * DISTANCE_TOLERANCE
        regimes, ties = int(np.sum(differs & clear)), int(np.sum(differs & ~clear))
    return ParityReport(
        windows=len(next(iter(found.values()))),
        embedding=_relative("embedding", found, expected),
        distance=_largest("distance", found, expected),
        novelty=_relative("novelty", found, expected),
        regimes=regimes,
        ties=ties,
    )


def excess(report: ParityReport) -> str | None:
    """Return what exceeds the float32 tolerances, in words, or ``None`` if nothing does."""
    limits = {
        "embedding": EMBEDDING_TOLERANCE,
        "distance": DISTANCE_TOLERANCE,
        "novelty": NOVELTY_TOLERANCE,
        "regimes": 0,
    }
    for name, limit in limits.items():
        value = getattr(report, name)
        if value is not None and not value <= limit:  # a NaN fails too
            return f"{name} by {value:.3g}, where {limit:.3g} is allowed"
    return None


def half_excess(report: ParityReport) -> str | None:
    """Return what exceeds the tolerances of a float16 file, or ``None`` if nothing does."""
    if report.embedding is not None and not report.embedding <= HALF_EMBEDDING_TOLERANCE:
        return (
            f"embedding by {report.embedding:.3g}, where {HALF_EMBEDDING_TOLERANCE:.3g} is allowed"
        )
    if report.agreement is not None and not report.agreement >= HALF_AGREEMENT:
        return (
            f"{1 - report.agreement:.1%} of the regimes, where {1 - HALF_AGREEMENT:.1%} is allowed"
        )
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
    return float(np.abs(found[name] - expected[name]).max()) if name in found else None


def _relative(
    name: str, found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]
) -> float | None:
    largest = _largest(name, found, expected)
    return None if largest is None else largest / max(float(np.abs(expected[name]).max()), 1e-30)
