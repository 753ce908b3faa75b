"""How many regimes: a rule that reads the table of candidates.

1. One regime if the largest eigengap of the affinity (von Luxburg 2007, section 8.3) is the first:
   the windows form one cloud.
2. Otherwise K rises from 2 as long as every regime lasts at least ``min_dwell`` bars. Windows that
   cover parts of two regimes form clusters of their own, which last only a few windows. The bound
   stops there; the eigengap alone often does not.
3. Of these, the largest K with a large enough eigengap (:data:`LEAST_GAP`) that is stable when
   blocks of the series are resampled (:data:`LEAST_STABILITY`). One regime if there is none.
"""

from __future__ import annotations

from dataclasses import replace

from regimetry.contract import Candidate

MOST_REGIMES = 8
"""The largest number of regimes that "auto" considers."""

LEAST_GAP = 1 / 3
"""Share of the largest gap that a number of regimes needs behind it."""

LEAST_STABILITY = 0.6
"""Mean adjusted Rand index under resampling that a number of regimes needs."""

DWELL_WINDOWS = 5
"""Window sizes that a regime's dwell is at least, unless told.

The dwell is weighted by bars: five windows are what spells of three windows in the mean have, if
their lengths are geometric.
"""


def choose_count(table: tuple[Candidate, ...], min_dwell: float) -> tuple[Candidate, ...]:
    """Choose a number of regimes by the rule above.

    Parameters
    ----------
    table : tuple of Candidate
        In rising order of K, the first of K = 1.
    min_dwell : float
        In bars.

    Returns
    -------
    tuple of Candidate
        The same, one of them chosen and a reason at every other.
    """
    largest = max(table, key=lambda candidate: candidate.gap)
    reasons: list[str | None] = []
    brief: Candidate | None = None  # the first whose regimes do not last
    for candidate in table:
        if brief is None and candidate.n_regimes > 1 and candidate.shortest_dwell < min_dwell:
            brief = candidate
        reasons.append(_objection_to_count(candidate, largest, brief, min_dwell))
    plausible = [entry.n_regimes for entry, why in zip(table, reasons, strict=True) if why is None]
    chosen = max(plausible, default=1)
    return tuple(
        replace(candidate, chosen=True)
        if candidate.n_regimes == chosen
        else replace(candidate, refused=reason or f"{chosen} regimes are plausible too")
        for candidate, reason in zip(table, reasons, strict=True)
    )


def mark(table: tuple[Candidate, ...], n_regimes: int) -> tuple[Candidate, ...]:
    """Return the table with the number that the user asked for as the chosen one."""
    return tuple(replace(entry, chosen=entry.n_regimes == n_regimes) for entry in table)


def _objection_to_count(
    candidate: Candidate, largest: Candidate, brief: Candidate | None, min_dwell: float
) -> str | None:
    if (candidate.n_regimes == 1) != (largest.n_regimes == 1):
        return f"the largest gap lies behind {largest.n_regimes}"
    if candidate.n_regimes == 1:
        return None
    if brief is not None:
        which = "a regime" if brief is candidate else f"with {brief.n_regimes}, a regime"
        return f"{which} lasts {brief.shortest_dwell:g} bars, less than {min_dwell:g}"
    if candidate.gap < LEAST_GAP * largest.gap:
        return f"its gap is under a third of that behind {largest.n_regimes}"
    if candidate.stability is not None and candidate.stability < LEAST_STABILITY:
        return f"resampling agrees by {candidate.stability:.2f}, less than {LEAST_STABILITY:g}"
    return None
