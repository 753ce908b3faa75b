"""A table's causal labels as arrays, for the verbs that count them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from regimetry.cli.output import when
from regimetry.runtime.labelling import MISSING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from regimetry.runtime.model import RegimeModel


class Labelled(NamedTuple):
    """Causal labels (T,), -1 where missing; probabilities (T, K) and novelty (T,)."""

    labels: NDArray[np.int64]
    probability: NDArray[np.float64]
    novelty: NDArray[np.float64]


def label_table(model: RegimeModel, table: Any) -> Labelled:
    """Label every row of a pandas frame, causally."""
    from regimetry.cli.progress import progress

    with progress(len(table), "labelling", "bar") as advance:
        found = model.label(table, advance=advance)
    return Labelled(
        found.regime.fillna(MISSING).to_numpy(dtype=np.int64),
        found.probability.to_numpy(dtype=np.float64),
        found.novelty.to_numpy(dtype=np.float64),
    )


def breaks_of(index: Any, max_gap: str | None) -> NDArray[np.bool_] | None:
    """Say of each bar whether it comes later than ``max_gap`` after the one before.

    Raises
    ------
    ConfigError
        The gap is no duration (no number where the index counts), or not positive.
    """
    import pandas as pd

    from regimetry.errors import ConfigError

    if max_gap is None:
        return None
    try:
        limit: Any = (
            pd.Timedelta(max_gap) if isinstance(index, pd.DatetimeIndex) else float(max_gap)
        )
    except ValueError as error:
        kind = "a duration such as 5D" if isinstance(index, pd.DatetimeIndex) else "a number"
        raise ConfigError(f"max-gap is {max_gap!r}; it must be {kind}.") from error
    if not limit > limit * 0:
        raise ConfigError(f"max-gap is {max_gap!r}; it must be above 0.")
    breaks = np.zeros(len(index), dtype=np.bool_)
    breaks[1:] = (index[1:] - index[:-1]) > limit
    return breaks


def span(index: Any) -> dict[str, Any]:
    """Return rows, first and last time of an index; the times are text."""
    return {"rows": len(index), "start": when(index[0]), "end": when(index[-1])}
