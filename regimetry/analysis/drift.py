"""Whether a recent stretch still looks like training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.block_length import block_length
from regimetry.analysis.labels import Bools, Floats, Labels
from regimetry.analysis.plain import plain
from regimetry.analysis.resample import MatchedBlocks
from regimetry.analysis.shown import Shown
from regimetry.analysis.stretches import (
    Counts,
    Stretch,
    bars_per_exit,
    count_stretches,
    regime_shares,
    stretch_distances,
)
from regimetry.errors import ConfigError

LINES = ("novelty", "occupancy", "transitions", "dwell")

_CELLS = 2_000_000  # resampled bars that are held at once


@dataclass(frozen=True)
class DriftLine:
    """One line of the verdict.

    Attributes
    ----------
    name : str
        novelty, occupancy, transitions or dwell.
    statistic : float
        How far the recent stretch lies from training.
    typical : float
        The 95 % quantile of the statistic where nothing drifts.
    p_value : float
        Of this line alone; NaN where it was not tested.
    adjusted : float
        After Holm (1979) over all lines tested.
    verdict : {"drift", "no drift seen", "not tested"}
    """

    name: str
    statistic: float
    typical: float
    p_value: float
    adjusted: float
    verdict: str


@dataclass(frozen=True)
class Drift(Shown):
    """A recent stretch against training.

    Attributes
    ----------
    lines : tuple of DriftLine
    level : float
        The chance that any line says "drift" where nothing drifts.
    training_bars, recent_bars : int
        With a label.
    block : float
        Mean block length of the bootstrap, in bars.
    draws : int
    training_share, recent_share : ndarray of float64, shape (K,)
    training_dwell, recent_dwell : ndarray of float64, shape (K,)
        Bars per exit, (bars + 1/2) / (exits + 1/2).
    """

    lines: tuple[DriftLine, ...]
    level: float
    training_bars: int
    recent_bars: int
    block: float
    draws: int
    training_share: Floats
    recent_share: Floats
    training_dwell: Floats
    recent_dwell: Floats

    @property
    def drifted(self) -> bool:
        """Whether any line says "drift"."""
        return any(line.verdict == "drift" for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**plain(self), "drifted": self.drifted}


def detect_drift(
    training: Labels,
    recent: Labels,
    n_regimes: int,
    *,
    training_novelty: NDArray[np.floating] | None = None,
    recent_novelty: NDArray[np.floating] | None = None,
    training_breaks: Bools | None = None,
    recent_breaks: Bools | None = None,
    level: float = 0.05,
    draws: int = 999,
    seed: int = 0,
) -> Drift:
    """Test whether a recent stretch comes from the process that training came from.

    Both stretches are redrawn from training, at their own lengths, by a stationary bootstrap
    with matched blocks (:class:`MatchedBlocks`); a p-value is the share of redrawn pairs that lie
    as far apart. Blocks are as long as the longest that :func:`block_length` asks for, over the
    regimes' indicators and log novelty. Holm's procedure (1979) keeps the chance of any false
    alarm at ``level``, whatever the lines have to do with each other.

    Parameters
    ----------
    training, recent : ndarray of int, shapes (N,) and (M,)
        Causal labels, negative where missing.
    n_regimes : int
        K.
    training_novelty, recent_novelty : ndarray of float, shapes (N,) and (M,), or None
        Measured alike, as by :func:`comparable_novelty`; NaN only where the label is missing.
    training_breaks, recent_breaks : ndarray of bool or None
        True where a bar does not follow the one before it.
    level : float
        Chance of a false alarm, over all lines.
    draws : int
        B.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Drift
        It looks at the whole recent stretch, and uses nothing after it.

    Raises
    ------
    DataError
        No label in one of the two, or labels of another model.
    ConfigError
        ``level`` or ``draws`` out of range.
    """
    if not 0 < level < 1:
        raise ConfigError(f"level is {level}; it must lie between 0 and 1.")
    if draws < 4 / level:
        raise ConfigError(
            f"draws is {draws}; at level {level:g} it must be at least {int(np.ceil(4 / level))}."
        )
    old = Stretch.of("The training labels", training, n_regimes, training_novelty, training_breaks)
    new = Stretch.of("The recent labels", recent, n_regimes, recent_novelty, recent_breaks)
    tested = old.novelty is not None and new.novelty is not None
    block = _block(old, n_regimes)
    generator = np.random.default_rng(seed)
    blocks = MatchedBlocks(old.labels, old.joined, block)
    null_old, null_new = (
        _redraw(blocks, old, n_regimes, shape=(draws, len(stretch.labels)), generator=generator)
        for stretch in (old, new)
    )
    seen_old, seen_new = old.count(n_regimes), new.count(n_regimes)
    null = stretch_distances(null_old, null_new, tested)
    found = stretch_distances(seen_old, seen_new, tested)
    return Drift(
        lines=_verdicts(found, null, level),
        level=level,
        training_bars=len(old.labels),
        recent_bars=len(new.labels),
        block=block,
        draws=draws,
        training_share=regime_shares(seen_old)[0],
        recent_share=regime_shares(seen_new)[0],
        training_dwell=bars_per_exit(seen_old)[0],
        recent_dwell=bars_per_exit(seen_new)[0],
    )


def _block(stretch: Stretch, n_regimes: int) -> float:
    lengths = [
        block_length((stretch.labels == regime).astype(np.float64)) for regime in range(n_regimes)
    ]
    if stretch.novelty is not None:
        lengths.append(block_length(stretch.novelty))
    return max(lengths)


def _redraw(
    blocks: MatchedBlocks,
    stretch: Stretch,
    n_regimes: int,
    *,
    shape: tuple[int, int],
    generator: np.random.Generator,
) -> Counts:
    draws, length = shape
    parts = []
    at_once = max(1, _CELLS // length)
    joined = np.arange(length)[None] > 0
    for start in range(0, draws, at_once):
        rows = blocks.draw(min(at_once, draws - start), length, generator)
        novelty = None if stretch.novelty is None else stretch.novelty[rows]
        parts.append(count_stretches(stretch.labels[rows], joined, novelty, n_regimes))
    return Counts(
        np.concatenate([part.bars for part in parts]),
        np.concatenate([part.transitions for part in parts]),
        np.concatenate([part.novelty for part in parts]),
    )


def _verdicts(
    found: dict[str, Floats], null: dict[str, Floats], level: float
) -> tuple[DriftLine, ...]:
    p_values = {}
    for name in LINES:
        value, drawn = found[name][0], null[name]
        # One regime throughout, before and now: there is nothing that could differ.
        flat = np.isnan(value) or (np.ptp(drawn) == 0 and value <= drawn[0])
        # Rounding must not make a tie an excess.
        reached = drawn >= value - 1e-9 * max(abs(value), 1e-12)
        p_values[name] = np.nan if flat else (1 + reached.sum()) / (1 + len(drawn))
    adjusted = holm(np.array([p_values[name] for name in LINES]))
    lines = []
    for name, corrected in zip(LINES, adjusted, strict=True):
        if np.isnan(corrected):
            verdict = "not tested"
        else:
            verdict = "drift" if corrected <= level else "no drift seen"
        typical = float(np.quantile(null[name], 0.95))
        lines.append(
            DriftLine(
                name, float(found[name][0]), typical, p_values[name], float(corrected), verdict
            )
        )
    return tuple(lines)


def holm(p_values: Floats) -> Floats:
    """Adjust p-values for multiple testing (Holm 1979); NaN entries stay and do not count."""
    order = np.argsort(p_values)  # NaN last
    left = np.count_nonzero(~np.isnan(p_values)) - np.arange(len(order))
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(left * p_values[order]), 1.0)
    return adjusted
