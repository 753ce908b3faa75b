"""The comparison of two computations of the same windows, by the table of outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import ALL_OUTPUTS, OUTPUTS, Output
from regimetry.errors import ExportParityError

_BLOCK = 1 << 16  # windows compared at once


@dataclass(frozen=True, kw_only=True)
class ParityReport:
    """The result of a comparison.

    Attributes
    ----------
    windows : int
        Windows compared.
    differences : mapping of str to float
        Of each output that was compared, measured as :data:`regimetry.contract.ALL_OUTPUTS` says.
        For ``regime``: windows whose regime differs although the cheapest costs less than the next
        one by more than twice the tolerance of ``distance``. Closer calls are ties that rounding
        decides.
    ties : int
        Windows whose regime differs within that margin.
    """

    windows: int
    differences: Mapping[str, float]
    ties: int = 0

    def to_dict(self) -> dict[str, float | None]:
        """Return plain data; what was not compared or is not finite, which JSON lacks, is None."""
        names = dict.fromkeys([*(output.name for output in OUTPUTS), *self.differences])
        found = {name: self.differences.get(name, math.nan) for name in names}
        return {
            "windows": self.windows,
            **{name: value if math.isfinite(value) else None for name, value in found.items()},
            "ties": self.ties,
        }


def measure(
    found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]
) -> ParityReport:
    """Measure how far outputs lie from the expected ones.

    Parameters
    ----------
    found : mapping
        Any of the graph's outputs, N rows each.
    expected : mapping
        The same outputs; without ``regime``, the least ``distance`` stands for it.

    Returns
    -------
    ParityReport
    """
    differences = {
        output.name: _difference(output, found[output.name], expected[output.name])
        for output in ALL_OUTPUTS
        if output.name in found and output.name != "regime"
    }
    ties = 0
    if "regime" in found:
        regime = expected.get("regime", expected["distance"].argmin(axis=1))
        differs, close = found["regime"] != regime, close_calls(expected["distance"])
        differences["regime"], ties = int(np.sum(differs & ~close)), int(np.sum(differs & close))
    windows = len(next(iter(found.values())))
    return ParityReport(windows=windows, differences=differences, ties=ties)


def close_calls(costs: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows (N, K) have their two smallest entries within twice the tolerance."""
    if costs.shape[1] == 1:
        return np.zeros(len(costs), dtype=bool)
    nearest = np.partition(costs, 1, axis=1)
    (limit,) = (2 * output.tolerance for output in OUTPUTS if output.name == "distance")
    return np.asarray(nearest[:, 1] - nearest[:, 0] <= limit)


def excess(report: ParityReport) -> str | None:
    """Return what exceeds the tolerances, in words, or ``None`` if nothing does."""
    for output in ALL_OUTPUTS:
        value = report.differences.get(output.name, 0.0)
        if not value <= output.tolerance:  # a NaN fails too
            return f"{output.name} by {value:.3g}, where {output.tolerance:.3g} is allowed"
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
            "versions of numpy, onnx and onnxruntime."
        )
    return report


def _difference(output: Output, mine: NDArray[Any], theirs: NDArray[Any]) -> float:
    # A block at a time: the differences of a long series would take as much as its outputs.
    blocks = range(0, len(mine), _BLOCK)
    # np.max, not max: a NaN must come out whichever block holds it.
    largest = np.max([np.abs(mine[i : i + _BLOCK] - theirs[i : i + _BLOCK]).max() for i in blocks])
    if output.relative_to is None:
        return float(largest)
    return float(largest) / max(float(theirs.max()), -float(theirs.min()), output.relative_to)
