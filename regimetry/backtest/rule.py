"""From regimes to positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from regimetry.analysis.labels import Floats, Labels
from regimetry.errors import ConfigError

Rule = Mapping[str, float]
"""Position by the name of a regime: 1 holds the instrument, 0 nothing, -1 sells it short."""

LONG = 1.0


def require_rule(rule: Rule | None) -> None:
    """Raise :class:`ConfigError` unless a rule gives a finite position to one regime or more."""
    if rule is None:
        return
    if not rule:
        raise ConfigError(
            "The rule names no regime; give positions such as {'regime_1': 0}, or leave it out."
        )
    for name, position in rule.items():
        if isinstance(position, bool) or not np.isfinite(position):
            raise ConfigError(
                f"The rule's position in {name} is {position!r}; it must be a finite number, such "
                "as 0."
            )


def require_known(rule: Rule | None, names: Sequence[str]) -> None:
    """Raise :class:`ConfigError` where a rule names what no refit has found."""
    unknown = [name for name in rule or () if name not in names]
    if unknown:
        raise ConfigError(
            f"The rule names {', '.join(map(repr, unknown))}; the regimes of this walk are "
            f"{', '.join(names)}. Name one of these."
        )


def positions_of(rule: Rule | None, names: Sequence[str], means: Floats) -> Floats:
    """Return the position in each regime of a refit, (K,).

    Without a rule: out of the regime with the lowest mean of next returns in training, else long;
    one regime alone is held. Regimes that a rule does not name are held.

    Parameters
    ----------
    rule : mapping of str to float, or None
    names : sequence of str
        Of the K regimes.
    means : ndarray of float64, shape (K,)
        NaN where a regime has too few bars for one.
    """
    if rule is not None:
        return np.array([float(rule.get(name, LONG)) for name in names])
    positions = np.full(len(names), LONG)
    if np.isfinite(means).sum() > 1:
        positions[np.nanargmin(means)] = 0.0
    return positions


def means_of(labels: Labels, following: Floats, n_regimes: int, least: int) -> Floats:
    """Return the mean return that followed the bars of each regime, (K,).

    Parameters
    ----------
    labels : ndarray of int, shape (R,)
        Of training bars; negative where missing.
    following : ndarray of float64, shape (R,)
        Return of the bar after; NaN where training has none.
    n_regimes : int
        K.
    least : int
        Bars that a regime needs for a mean; NaN with fewer.
    """
    usable = (labels >= 0) & np.isfinite(following)
    counts = np.bincount(labels[usable], minlength=n_regimes)
    sums = np.bincount(labels[usable], following[usable], minlength=n_regimes)
    enough = counts >= least
    return np.divide(sums, counts, out=np.full(n_regimes, np.nan), where=enough)
