"""How well labels of every row agree with the states."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from benchmarks.rivals.fitted import Labels


def covering(states: Labels, labels: Labels) -> float:
    """Return the mean overlap of each true segment with the best found one, weighted by length.

    Overlap is the Jaccard index (Arbelaez et al. 2011; van den Burg, Williams 2020).
    """
    edges = [_edges(states), _edges(labels)]
    (begins, ends), (own_begins, own_ends) = ((e[:-1, None], e[1:, None]) for e in edges)
    both = np.minimum(ends, own_ends.T) - np.maximum(begins, own_begins.T)
    either = np.maximum(ends, own_ends.T) - np.minimum(begins, own_begins.T)
    best = (np.maximum(both, 0) / either).max(axis=1)
    return float((best * np.diff(edges[0])).sum() / len(states))


def _edges(labels: Labels) -> Labels:
    return np.concatenate([[0], np.flatnonzero(np.diff(labels)) + 1, [len(labels)]])


def scores(states: Labels, labels: Labels) -> dict[str, float]:
    """Return AMI, ARI and covering of labels (T,)."""
    return {
        "ami": float(adjusted_mutual_info_score(states, labels)),
        "ari": float(adjusted_rand_score(states, labels)),
        "covering": covering(states, labels),
    }


def filled(labels: Labels) -> Labels:
    """Give rows without a label, -1, that of the nearest row with one."""
    known = np.flatnonzero(labels >= 0)
    after = np.clip(np.searchsorted(known, np.arange(len(labels))), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    rows = np.arange(len(labels))
    nearer = np.abs(known[before] - rows) < np.abs(known[after] - rows)
    return labels[np.where(nearer, known[before], known[after])]


def equal_pieces(n_rows: int, count: int) -> Labels:
    """Return labels that know nothing but the number of states: pieces of equal length."""
    return np.arange(n_rows) * count // n_rows
