"""From scores to an order: the mean of three ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

CRITERIA = ("stability", "separation", "predictability")


def ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the rank of each value, the highest 1; equal values share the mean of their ranks."""
    above = (values[None, :] > values[:, None]).sum(axis=1)
    equal = (values[None, :] == values[:, None]).sum(axis=1)
    return above + (equal + 1) / 2


def ranked(trials: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Order trials by the mean of their ranks in :data:`CRITERIA`, the best first.

    Parameters
    ----------
    trials : sequence of mapping
        Each with ``point`` and either ``scores`` or ``failure``.

    Returns
    -------
    list of dict
        The trials with a ``rank``, the mean, which is ``None`` for those that failed; they come
        last. Of equal means the more stable one comes first, then the one that came first.
    """
    scored = [trial for trial in trials if trial.get("scores")]
    if scored:
        table = np.array([[trial["scores"][name] for name in CRITERIA] for trial in scored])
        means = np.mean([ranks(column) for column in table.T], axis=0)
    else:
        means = np.empty(0)
    best_first = sorted(
        ({**trial, "rank": float(mean)} for trial, mean in zip(scored, means, strict=True)),
        key=lambda trial: (trial["rank"], -trial["scores"]["stability"]),
    )
    return best_first + [{**trial, "rank": None} for trial in trials if not trial.get("scores")]
