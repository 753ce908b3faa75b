"""The choices of a fit: landmarks, number of regimes, window size, names of an earlier model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Landmarks:
    """Which landmarks the map uses, and the figures by which they were chosen.

    It looks at the whole training series.

    Attributes
    ----------
    drawn : {"even", "spread"}
        Even in time, or spread over the space.
    explained_even, explained_spread : float or None
        Share of the variance in the slow directions that lies between the regimes, where both were
        fitted.
    stability_even, stability_spread : float or None
        Mean adjusted Rand index under resampling, where spread ones explain more.
    """

    drawn: Literal["even", "spread"] = "even"
    explained_even: float | None = None
    explained_spread: float | None = None
    stability_even: float | None = None
    stability_spread: float | None = None


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One number of regimes, with the figures for and against it.

    All of it looks at the whole training series.

    Attributes
    ----------
    n_regimes : int
        K.
    eigenvalue : float
        The Kth of the normalised affinity, 1 for K = 1.
    gap : float
        To the next eigenvalue; 0 where there is none.
    stability, stability_deviation : float or None
        Mean and standard deviation over resamples of the adjusted Rand index with the labels of
        the whole series; ``None`` for K = 1, which every resample agrees with.
    landmarks : Landmarks
        Those that these regimes use.
    shortest_dwell : float
        Of the regime that lasts the shortest, in bars; see
        :func:`~regimetry.regimes.choice.candidates.shortest_dwell`.
    smallest_share : float
        Of the bars, in the smallest regime.
    chosen : bool
        Whether the model has this many.
    refused : str or None
        Why not, where "auto" did not choose it.
    """

    n_regimes: int
    eigenvalue: float
    gap: float
    stability: float | None = None
    stability_deviation: float | None = None
    landmarks: Landmarks = field(default_factory=Landmarks)
    shortest_dwell: float
    smallest_share: float
    chosen: bool = False
    refused: str | None = None


@dataclass(frozen=True, kw_only=True)
class WindowCandidate:
    """One window size, and how well the labels of its windows predict those of the next windows.

    It looks at the whole training series.

    Attributes
    ----------
    window_size : int
        W in bars.
    agreement : float or None
        Adjusted Rand index between the labels of windows and those of the windows after them,
        mean over 2 to 5 regimes; ``None`` where it was not tried.
    chosen : bool
        Whether the model has this size.
    refused : str or None
        Why not.
    """

    window_size: int
    agreement: float | None = None
    chosen: bool = False
    refused: str | None = None


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How the regimes of a refit correspond to those of an earlier model.

    With K old and L new regimes. New regimes are numbered as the refit numbers them in the end:
    those that have an old counterpart in the old order, then the born ones in canonical order.

    Attributes
    ----------
    to : str
        Fingerprint of the earlier model's contract.
    over : {"shared", "all"}
        Bars that were compared: those that the earlier model was fitted on too, or, where the two
        fits share no bars or it cannot be told which, all of the refit's.
    bars : int
        Of them, that both models label.
    counts : tuple of tuple of int
        Bars by old (row) and new (column) regime, K by L.
    overlap : tuple of tuple of float
        Bars of both regimes divided by bars of either (Jaccard 1912), K by L.
    mapping : tuple of int
        For each new regime the old one that it continues, or -1; length L.
    names : tuple of str
        Of the new regimes: the old one's, or the next free one.
    born : tuple of str
        Names of new regimes without an old one.
    dead : tuple of str
        Names of old regimes without a new one.
    retired : tuple of str
        Names that this and earlier refits gave up. They are not used again.
    looks : tuple of int
        Number of the colour and line of each new regime in reports: the old one's, or the first
        that no other has. Empty in a file of before them: 0 to L - 1.
    """

    to: str
    over: Literal["shared", "all"]
    bars: int
    counts: tuple[tuple[int, ...], ...]
    overlap: tuple[tuple[float, ...], ...]
    mapping: tuple[int, ...]
    names: tuple[str, ...]
    born: tuple[str, ...]
    dead: tuple[str, ...]
    retired: tuple[str, ...]
    looks: tuple[int, ...] = ()
