"""Whether a recent stretch still looks like training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.blocks import block_length
from regimetry.analysis.labels import Bools, Floats, Labels, follows, require_labels
from regimetry.analysis.plain import plain
from regimetry.analysis.resample import MatchedBlocks
from regimetry.errors import ConfigError, DataError

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
class Drift:
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


@dataclass(frozen=True)
class _Counts:
    """B stretches as counts: of bars (B, K), of transitions (B, K, K); mean log novelty (B,)."""

    bars: Floats
    transitions: Floats
    novelty: Floats


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
    old = _Stretch.of("The training labels", training, n_regimes, training_novelty, training_breaks)
    new = _Stretch.of("The recent labels", recent, n_regimes, recent_novelty, recent_breaks)
    tested = old.novelty is not None and new.novelty is not None
    block = _block(old, n_regimes)
    generator = np.random.default_rng(seed)
    blocks = MatchedBlocks(old.labels, old.joined, block)
    null_old = _redraw(blocks, old, len(old.labels), draws, n_regimes, generator)
    null_new = _redraw(blocks, old, len(new.labels), draws, n_regimes, generator)
    seen_old, seen_new = old.count(n_regimes), new.count(n_regimes)
    null = _statistics(null_old, null_new, tested)
    found = _statistics(seen_old, seen_new, tested)
    return Drift(
        lines=_verdicts(found, null, level),
        level=level,
        training_bars=len(old.labels),
        recent_bars=len(new.labels),
        block=block,
        draws=draws,
        training_share=_share(seen_old)[0],
        recent_share=_share(seen_new)[0],
        training_dwell=_dwell(seen_old)[0],
        recent_dwell=_dwell(seen_new)[0],
    )


@dataclass(frozen=True)
class _Stretch:
    """The labelled bars of a stretch."""

    labels: NDArray[np.int64]
    joined: Bools
    novelty: Floats | None

    @classmethod
    def of(
        cls,
        what: str,
        labels: Labels,
        n_regimes: int,
        novelty: NDArray[np.floating] | None,
        breaks: Bools | None,
    ) -> _Stretch:
        checked = require_labels(labels, n_regimes, what)
        present = checked >= 0
        logs = None
        if novelty is not None:
            if np.shape(novelty) != checked.shape or np.isnan(novelty[present]).any():
                raise DataError(
                    f"{what} have {len(checked)} bars and {int(present.sum())} labels; each "
                    "label needs its novelty."
                )
            logs = np.log(np.maximum(np.asarray(novelty, dtype=np.float64)[present], 1e-12))
        return cls(checked[present], follows(checked, breaks)[present], logs)

    def count(self, n_regimes: int) -> _Counts:
        return _count(
            self.labels[None],
            self.joined[None],
            None if self.novelty is None else self.novelty[None],
            n_regimes,
        )


def _block(stretch: _Stretch, n_regimes: int) -> float:
    lengths = [
        block_length((stretch.labels == regime).astype(np.float64)) for regime in range(n_regimes)
    ]
    if stretch.novelty is not None:
        lengths.append(block_length(stretch.novelty))
    return max(lengths)


def _redraw(
    blocks: MatchedBlocks,
    stretch: _Stretch,
    length: int,
    draws: int,
    n_regimes: int,
    generator: np.random.Generator,
) -> _Counts:
    parts = []
    at_once = max(1, _CELLS // length)
    joined = np.ones((1, length), dtype=np.bool_)
    joined[:, 0] = False
    for start in range(0, draws, at_once):
        rows = blocks.draw(min(at_once, draws - start), length, generator)
        novelty = None if stretch.novelty is None else stretch.novelty[rows]
        parts.append(_count(stretch.labels[rows], joined, novelty, n_regimes))
    return _Counts(
        np.concatenate([part.bars for part in parts]),
        np.concatenate([part.transitions for part in parts]),
        np.concatenate([part.novelty for part in parts]),
    )


def _count(labels: NDArray[np.int64], joined: Bools, novelty: Floats | None, k: int) -> _Counts:
    n = len(labels)
    draw = np.arange(n)[:, None]
    bars = np.bincount((draw * k + labels).ravel(), minlength=n * k)
    pairs = (draw * k + labels[:, :-1]) * k + labels[:, 1:]
    pairs = pairs[np.broadcast_to(joined[:, 1:], pairs.shape)]
    moves = np.bincount(pairs, minlength=n * k * k)
    return _Counts(
        bars.reshape(n, k).astype(np.float64),
        moves.reshape(n, k, k).astype(np.float64),
        np.full(n, np.nan) if novelty is None else novelty.mean(axis=1),
    )


def _share(counts: _Counts) -> Floats:
    shares: Floats = counts.bars / counts.bars.sum(axis=1, keepdims=True)
    return shares


def _dwell(counts: _Counts) -> Floats:
    bars: Floats = (counts.bars + 0.5) / (_exits(counts) + 0.5)
    return bars


def _exits(counts: _Counts) -> Floats:
    exits: Floats = counts.transitions.sum(axis=2) - np.einsum("bii->bi", counts.transitions)
    return exits


def _statistics(old: _Counts, new: _Counts, novelty: bool) -> dict[str, Floats]:
    """Distances between two stretches, B of each.

    Occupancy: chi-square of the shares. Transitions: chi-square of the rows, by the bars that are
    left. Dwell: likelihood ratio of the exits seen against those that training's bars per exit
    promise (Poisson). Novelty: rise of the mean logarithm. Half a bar is added to each cell of training, so that what training never did
    counts much, not infinitely.
    """
    n_old, k = old.bars.sum(axis=1, keepdims=True), old.bars.shape[1]
    expected = (old.bars + 0.5) / (n_old + 0.5 * k)
    occupancy = ((_share(new) - expected) ** 2 / expected).sum(axis=1)

    rows = (old.transitions + 0.5) / (old.transitions.sum(axis=2, keepdims=True) + 0.5 * k)
    totals = new.transitions.sum(axis=2, keepdims=True)
    moves = ((new.transitions - totals * rows) ** 2 / np.maximum(totals * rows, 1e-12)).sum(axis=2)
    transitions = np.where(totals[:, :, 0] > 0, moves, 0.0).sum(axis=1)

    exits = _exits(new)
    usual = new.bars / _dwell(old)
    surprise = exits * np.log(np.maximum(exits, 1.0) / np.maximum(usual, 1e-12)) - (exits - usual)
    dwell = 2.0 * np.where(new.bars > 0, surprise, 0.0).sum(axis=1)
    return {
        "novelty": new.novelty - old.novelty if novelty else np.full(len(occupancy), np.nan),
        "occupancy": occupancy,
        "transitions": transitions,
        "dwell": dwell,
    }


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
    adjusted = np.full(len(p_values), np.nan)
    order = [i for i in np.argsort(p_values) if not np.isnan(p_values[i])]
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * float(p_values[i])))
        adjusted[i] = running
    return adjusted
