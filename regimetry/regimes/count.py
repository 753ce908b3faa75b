"""How many regimes: a rule that reads the table of candidates.

1. One regime, where the largest eigengap of the affinity (von Luxburg 2007, section 8.3) is the
   first: the windows form one cloud.
2. Otherwise the largest K whose regimes all last (median spell of at least ``min_dwell`` bars) and
   come back when blocks of the series are resampled (:data:`LEAST_STABILITY`). The windows that
   straddle two regimes make clusters of their own, which last for about two windows: the bound on
   the dwell refuses those, where the eigengap alone does not.
3. One regime, where no K is left.
"""

from __future__ import annotations

from dataclasses import replace

from regimetry.regimes.candidates import Candidate

MOST_REGIMES = 8
"""The largest number of regimes that "auto" considers."""

LEAST_STABILITY = 0.7
"""Mean adjusted Rand index under resampling that a number of regimes needs."""

DWELL_WINDOWS = 3
"""Window sizes that a regime's median spell lasts at least, unless told."""


def default_min_dwell(window_size: int) -> int:
    """Return the shortest plausible median spell in bars: three windows that share no bar."""
    return DWELL_WINDOWS * window_size


def choose(table: tuple[Candidate, ...], min_dwell: float) -> tuple[Candidate, ...]:
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
    reasons = [_objection(candidate, largest, min_dwell) for candidate in table]
    plausible = [
        candidate.n_regimes
        for candidate, reason in zip(table, reasons, strict=True)
        if reason is None
    ]
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


def _objection(candidate: Candidate, largest: Candidate, min_dwell: float) -> str | None:
    if candidate.n_regimes == 1:
        if largest.n_regimes == 1:
            return None
        return f"the largest gap lies behind {largest.n_regimes} regimes"
    if largest.n_regimes == 1:
        return "the largest gap lies behind one regime"
    if candidate.shortest_dwell < min_dwell:
        return f"a regime lasts {candidate.shortest_dwell:g} bars, less than {min_dwell:g}"
    if candidate.stability is not None and candidate.stability < LEAST_STABILITY:
        return f"resampling agrees by {candidate.stability:.2f}, less than {LEAST_STABILITY:g}"
    return None
