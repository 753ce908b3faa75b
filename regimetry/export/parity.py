"""The comparison that stands between a graph and a file: ONNX against Keras and the numpy head."""

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


@dataclass(frozen=True, kw_only=True)
class ParityReport:
    """What the comparison found.

    Attributes
    ----------
    windows : int
        Windows compared: all training windows.
    embedding, novelty : float
        Largest absolute difference, relative to the largest entry.
    distance : float
        Largest absolute difference.
    regimes : int
        Windows whose nearest centroid differs although it is nearer than the next one by more
        than twice the tolerance. Closer calls are ties that rounding decides.
    ties : int
        Windows whose nearest centroid differs within that margin.
    """

    windows: int
    embedding: float
    distance: float
    novelty: float
    regimes: int
    ties: int


def compare(
    found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]
) -> ParityReport:
    """Compare outputs of the graph with those of the fitted model.

    Parameters
    ----------
    found, expected : mapping
        ``embedding`` (N, D), ``distance`` (N, K), ``novelty`` (N,); ``found`` also ``regime`` (N,).

    Returns
    -------
    ParityReport

    Raises
    ------
    ExportParityError
        A difference above its tolerance, a different regime, or a value that is not a number.
    """
    nearest = np.sort(expected["distance"], axis=1)[:, :2]
    margin = nearest[:, 1] - nearest[:, 0] if nearest.shape[1] == 2 else np.full(len(nearest), 2.0)
    differs = found["regime"] != expected["distance"].argmin(axis=1)
    clear = margin > 2 * DISTANCE_TOLERANCE
    report = ParityReport(
        windows=len(differs),
        embedding=_relative(found["embedding"], expected["embedding"]),
        distance=float(np.abs(found["distance"] - expected["distance"]).max()),
        novelty=_relative(found["novelty"], expected["novelty"]),
        regimes=int(np.sum(differs & clear)),
        ties=int(np.sum(differs & ~clear)),
    )
    limits = {
        "embedding": EMBEDDING_TOLERANCE,
        "distance": DISTANCE_TOLERANCE,
        "novelty": NOVELTY_TOLERANCE,
        "regimes": 0,
    }
    for name, limit in limits.items():
        value = getattr(report, name)
        if not value <= limit:  # a NaN fails too
            raise ExportParityError(
                f"The exported graph differs from the fitted model: {name} by {value:.3g}, where "
                f"{limit:.3g} is allowed, over {report.windows} training windows. No file was "
                "written. Please report this with the versions of tensorflow, tf2onnx and onnx."
            )
    return report


def _relative(found: NDArray[Any], expected: NDArray[Any]) -> float:
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))
