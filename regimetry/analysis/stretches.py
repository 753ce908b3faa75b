"""Stretches of labelled bars as counts, and how far two of them lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Bools, Floats, Labels, follows, require_labels
from regimetry.errors import DataError


@dataclass(frozen=True)
class Counts:
    """B stretches as counts: of bars (B, K), of transitions (B, K, K); mean log novelty (B,)."""

    bars: Floats
    transitions: Floats
    novelty: Floats


@dataclass(frozen=True)
class Stretch:
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
    ) -> Stretch:
        """Keep the bars that have a label; take the logarithm of their novelty.

        Raises
        ------
        DataError
            The labels cannot be read, or a label has no novelty.
        """
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

    def count(self, n_regimes: int) -> Counts:
        """Count the stretch, B = 1."""
        return count_stretches(
            self.labels[None],
            self.joined[None],
            None if self.novelty is None else self.novelty[None],
            n_regimes,
        )


def count_stretches(
    labels: NDArray[np.int64], joined: Bools, novelty: Floats | None, k: int
) -> Counts:
    """Count bars and transitions of B stretches of L bars.

    Parameters
    ----------
    labels : ndarray of int64, shape (B, L)
        None missing.
    joined : ndarray of bool, shape (B, L) or (1, L)
        Whether a bar follows the one before it.
    novelty : ndarray of float64, shape (B, L), or None
        Logarithms.
    k : int
        K.
    """
    n = len(labels)
    draw = np.arange(n)[:, None]
    bars = np.bincount((draw * k + labels).ravel(), minlength=n * k)
    pairs = (draw * k + labels[:, :-1]) * k + labels[:, 1:]
    pairs = pairs[np.broadcast_to(joined[:, 1:], pairs.shape)]
    moves = np.bincount(pairs, minlength=n * k * k)
    return Counts(
        bars.reshape(n, k).astype(np.float64),
        moves.reshape(n, k, k).astype(np.float64),
        np.full(n, np.nan) if novelty is None else novelty.mean(axis=1),
    )


def regime_shares(counts: Counts) -> Floats:
    """Return the share of each regime, (B, K)."""
    shares: Floats = counts.bars / counts.bars.sum(axis=1, keepdims=True)
    return shares


def bars_per_exit(counts: Counts) -> Floats:
    """Return bars per exit, half of one added to either, (B, K)."""
    return (counts.bars + 0.5) / (exits_of(counts) + 0.5)


def exits_of(counts: Counts) -> Floats:
    """Return how often each regime was left for another, (B, K)."""
    exits: Floats = counts.transitions.sum(axis=2) - np.einsum("bii->bi", counts.transitions)
    return exits


def stretch_distances(old: Counts, new: Counts, novelty: bool) -> dict[str, Floats]:
    """Return distances between two stretches, B of each.

    Occupancy: chi-square of the shares. Transitions: chi-square of the rows, by the bars that are
    left. Dwell: likelihood ratio of the exits seen against those that training's bars per exit
    promise (Poisson). Novelty: rise of the mean logarithm. Half a bar is added to each cell of
    training, so that what training never did counts much, not infinitely.
    """
    n_old, k = old.bars.sum(axis=1, keepdims=True), old.bars.shape[1]
    expected = (old.bars + 0.5) / (n_old + 0.5 * k)
    occupancy = ((regime_shares(new) - expected) ** 2 / expected).sum(axis=1)

    rows = (old.transitions + 0.5) / (old.transitions.sum(axis=2, keepdims=True) + 0.5 * k)
    totals = new.transitions.sum(axis=2, keepdims=True)
    moves = ((new.transitions - totals * rows) ** 2 / np.maximum(totals * rows, 1e-12)).sum(axis=2)
    transitions = np.where(totals[:, :, 0] > 0, moves, 0.0).sum(axis=1)

    exits = exits_of(new)
    usual = new.bars / bars_per_exit(old)
    surprise = exits * np.log(np.maximum(exits, 1.0) / np.maximum(usual, 1e-12)) - (exits - usual)
    dwell = 2.0 * np.where(new.bars > 0, surprise, 0.0).sum(axis=1)
    return {
        "novelty": new.novelty - old.novelty if novelty else np.full(len(occupancy), np.nan),
        "occupancy": occupancy,
        "transitions": transitions,
        "dwell": dwell,
    }
