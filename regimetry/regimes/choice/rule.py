"""Which window size and which number of regimes: one score over all candidates.

``score = H^(3/4) F P^2 - (K - 1) ln n / n``: the entropy H of the labels, how well they are
recognised at other times (F), how well they last (P), and a price of each regime where the series
holds n windows side by side, as in the Bayesian information criterion. One regime has 0.
Labels of anything that wanders last and are recognised. So a candidate must be one of jumps: steps
explain its windows better than a smooth curve with as many waves. And it must be tighter than what
is found in the same way in a linear Gaussian series of the same spectrum, the more so the lower it
scores. Kinds of segments (:mod:`~regimetry.regimes.choice.segments`) compete by the same score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import log

from regimetry.contract import Candidate
from regimetry.regimes.choice.candidates import LEAST_WINDOWS

ENTROPY_EXPONENT, LASTING_EXPONENT = 0.75, 2.0

LEAST_EVIDENCE = 0.025
"""Score times tightness that a candidate needs."""

LEAST_STEPS = 0.07
"""Share of the windows' variance that steps must explain beyond a smooth curve."""

LEAST_RECOGNISED = 0.6
"""What kinds of segments need in its place: their change points have been tested."""


def choose(
    candidates: Sequence[Candidate],
    *,
    window_size: int,
    n_regimes: int | None = None,
    min_dwell: float | None = None,
) -> tuple[Candidate, ...]:
    """Choose the candidate of the largest score.

    Parameters
    ----------
    candidates : sequence of Candidate
        Without scores.
    window_size : int
        Of one regime, or where there are no candidates.
    n_regimes : int or None
        K, if it was given: then there are such regimes. Windows that meet the conditions come
        first; where none does, they do not count.
    min_dwell : float or None
        Bars that each regime must last, see :attr:`Candidate.shortest_dwell`.

    Returns
    -------
    tuple of Candidate
        The same by window size and number of regimes, with scores; one is chosen, and every other
        says why not. One regime stands first, unless ``n_regimes`` was given.
    """
    table = [replace(entry, score=score(entry)) for entry in candidates]
    if n_regimes is None or not table:
        one = Candidate(window_size=window_size, n_regimes=n_regimes or 1, score=0.0)
        objections = [None, *(objection(entry, min_dwell) for entry in table)]
        table.insert(0, one)
    else:
        objections = _of_given(table, min_dwell)
    open_ = [i for i, reason in enumerate(objections) if reason is None]
    best = max(open_, key=lambda i: table[i].score or 0.0)
    winner = table[best]
    beaten = f"{_called(winner)} scores {winner.score:.2f}"
    return tuple(
        replace(entry, chosen=True) if i == best else replace(entry, refused=reason or beaten)
        for i, (entry, reason) in enumerate(zip(table, objections, strict=True))
    )


def _of_given(table: Sequence[Candidate], min_dwell: float | None) -> list[str | None]:
    """Return the objections where the number of regimes is given: there are such regimes.

    Windows that show them come first; where none does, all that the series holds often enough.
    """
    for strict in (partial(objection, min_dwell=min_dwell), _too_few_windows):
        found = [strict(entry) for entry in table]
        if not all(found):
            return found
    return [None] * len(table)


def score(entry: Candidate) -> float:
    """Return the score of a candidate, in nats of what its labels say."""
    gain = _known(entry.entropy) ** ENTROPY_EXPONENT * _known(entry.recognised)
    gain *= max(_known(entry.lasting), 0.0) ** LASTING_EXPONENT
    windows = max(_known(entry.windows), 1.0)
    return gain - (entry.n_regimes - 1) * log(windows) / windows


def objection(entry: Candidate, min_dwell: float | None = None) -> str | None:
    """Return why a candidate is out of the question, in words; ``None`` if it is not."""
    dwell = _known(entry.shortest_dwell)
    if (reason := _too_few_windows(entry)) is not None:
        return reason
    if min_dwell is not None and dwell < min_dwell:
        return f"a regime lasts {dwell:g} rows, less than {min_dwell:g}"
    if score(entry) <= 0:
        return "one regime scores more"
    if (steps := _known(entry.steps)) < LEAST_STEPS:
        return f"a smooth curve explains the windows as well as steps ({steps:+.2f})"
    return _chance(entry) if entry.segments is None else _confusion(entry)


def _chance(entry: Candidate) -> str | None:
    tight = _known(entry.tightness)
    if score(entry) * max(tight, 0.0) >= LEAST_EVIDENCE:
        return None
    return f"noise of the same spectrum forms hardly looser regimes (tightness {tight:+.2f})"


def _confusion(entry: Candidate) -> str | None:
    told = _known(entry.recognised)
    if told >= LEAST_RECOGNISED:
        return None
    return f"other times do not tell such segments apart ({told:.2f})"


def _too_few_windows(entry: Candidate) -> str | None:
    windows = _known(entry.windows)
    if windows >= LEAST_WINDOWS:
        return None
    return f"the series holds {windows:.0f} such windows side by side, less than {LEAST_WINDOWS}"


def _called(entry: Candidate) -> str:
    of = f" by {entry.segments} segments" if entry.segments else ""
    return f"K = {entry.n_regimes} with {entry.source}{of}"


def _known(value: float | None) -> float:
    return 0.0 if value is None else float(value)
