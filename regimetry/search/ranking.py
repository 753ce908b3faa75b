"""From scores to an order: the mean of three ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CRITERIA = ("stability", "separation", "predictability")


def ranked(trials: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Order trials by the mean of their ranks in :data:`CRITERIA`, the best first.

    The highest score has rank 1; equal ones share the mean of their ranks.

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
    import pandas as pd

    scored = [trial for trial in trials if trial.get("scores")]
    table = pd.DataFrame([trial["scores"] for trial in scored], columns=list(CRITERIA))
    means = table.rank(ascending=False).mean(axis=1)
    best_first = sorted(
        ({**trial, "rank": float(mean)} for trial, mean in zip(scored, means, strict=True)),
        key=lambda trial: (trial["rank"], -trial["scores"]["stability"]),
    )
    return best_first + [{**trial, "rank": None} for trial in trials if not trial.get("scores")]
