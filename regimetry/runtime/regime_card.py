"""What each regime says of its rows, in the units of the columns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from regimetry.runtime.row_model import RowModel


@dataclass(frozen=True)
class RegimeCard:
    """The density of rows in one regime.

    Attributes
    ----------
    name : str
    columns : tuple of str, length C
    share : float
        Of the training rows.
    mean : ndarray, shape (C,)
        Where rows of the regime lie in the long run; the intercept, where its autoregression is
        not stable.
    mean_error : ndarray, shape (C,)
        Standard error of the mean: of as many independent steps as the regime has rows.
    covariance : ndarray, shape (C, C)
        Of a row given those before it, at the mean scale of the regime's training rows.
    autoregression : ndarray, shape (P, C, C)
        How a row follows from those 1 to P before: entry (p, i, j) is what a unit of column i adds
        to column j.
    degrees_of_freedom : float
        Of the tails.
    skew : ndarray, shape (C,)
        1 for none; the upper half is stretched by it, the lower by its inverse.
    shock, memory : float
        What a row's square adds to the scale of the next one, and how much of its own a scale
        keeps; both 0 where scales do not move.
    leverage : ndarray, shape (C,)
        What the square of a fall adds besides.
    fall_memory : float
        How much of that is kept.
    """

    name: str
    columns: tuple[str, ...]
    share: float
    mean: Any
    mean_error: Any
    covariance: Any
    autoregression: Any
    degrees_of_freedom: float
    skew: Any
    shock: float
    memory: float
    leverage: Any
    fall_memory: float

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain data."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in asdict(self).items()
        }


def cards(model: RowModel) -> tuple[RegimeCard, ...]:
    """Return a card of each regime."""
    density, contract, size = model.density, model.contract, model.density.n_channels
    unit = model.deviation
    shift, spread = density.unit_moments
    found = []
    for regime, summary in enumerate(contract.regimes):
        table = density.coefficients[regime]
        slopes = table[1:].reshape(density.order, size, size)
        spans = np.sqrt(density.typical[regime])
        covariance = spread[regime] * np.outer(spans, spans)
        intercept = table[0] + spans * shift[regime]
        reach = _long_run(slopes)
        long_run = intercept if reach is None else intercept @ reach
        steps = covariance if reach is None else reach.T @ covariance @ reach
        rows = max(summary.share * contract.training.windows, 1.0)
        found.append(
            RegimeCard(
                name=summary.name,
                columns=tuple(model.columns),
                share=summary.share,
                mean=long_run * unit + model.mean,
                mean_error=np.sqrt(np.diagonal(steps) / rows) * unit,
                covariance=covariance * np.outer(unit, unit),
                autoregression=slopes * unit[None, None, :] / unit[None, :, None],
                degrees_of_freedom=float(density.freedom[regime]),
                skew=density.skew.copy(),
                shock=float(density.shock[regime]),
                memory=float(density.memory[regime]),
                leverage=density.leverage[regime].copy(),
                fall_memory=float(density.fall_memory[regime]),
            )
        )
    return tuple(found)


def _long_run(slopes: np.ndarray) -> np.ndarray | None:
    """Return ``(I - sum of slopes)^-1`` (C, C), or nothing where rows do not settle."""
    order, size, _ = slopes.shape
    if not order:
        return np.eye(size)
    companion = np.zeros((order * size, order * size))
    companion[:, :size] = slopes.reshape(order * size, size)
    companion[: (order - 1) * size, size:] = np.eye((order - 1) * size)
    if np.abs(np.linalg.eigvals(companion)).max() >= 1:
        return None
    return np.asarray(np.linalg.inv(np.eye(size) - slopes.sum(axis=0)))
