"""The choices of a fit: landmarks, window size and number of regimes, names of an earlier model."""

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

    def __str__(self) -> str:
        return self.drawn


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A window size and a number of regimes, with the terms of its score.

    All of it looks at the whole training series. A file of an older release has other candidates,
    of which it keeps what is known here.

    Attributes
    ----------
    window_size : int or None
        W in bars; ``None`` in a file from before window and number were chosen together.
    n_regimes : int
        K.
    encoder : {"convolutions", "pretrained"} or None
        Where it was chosen too.
    score : float or None
        What the largest one of is chosen; 0 for one regime, ``None`` where nothing was compared.
    windows : float or None
        Windows side by side that the series holds, T / W.
    entropy : float or None
        Of the regimes' shares, in nats.
    recognised : float or None
        How well a classifier fitted at other times tells the regimes: the F1 measure.
    lasting : float or None
        The probability of the same label two windows away, less that of chance.
    tightness : float or None
        By how much the windows form K clusters better than those of a linear Gaussian process with
        the same spectrum, in logarithms.
    steps : float or None
        By how much steps between the regimes explain the windows better than a smooth curve with as
        many waves as the label has changes, as shares of the variance.
    stability : float or None
        In a file from before window and number were chosen together: mean adjusted Rand index of
        the labels with those of fits on resampled blocks.
    changes : int or None
        Of the label.
    segments : int or None
        Pieces that change points cut the series into, where regimes are kinds of these.
    reproduced : float or None
        Adjusted Rand index of the model's whole-series labels with those of the segments, where
        these were chosen.
    shortest_dwell : float or None
        Of the regime that lasts the shortest, in bars; see
        :func:`~regimetry.regimes.choice.candidates.shortest_dwell`.
    smallest_share : float or None
        Of the bars, in the smallest regime.
    landmarks : Landmarks
        Of the model, where this was chosen.
    chosen : bool
        Whether the model has this.
    refused : str or None
        Why not, where "auto" did not choose it.
    """

    window_size: int | None = None
    n_regimes: int
    encoder: str | None = None
    score: float | None = None
    windows: float | None = None
    entropy: float | None = None
    recognised: float | None = None
    lasting: float | None = None
    tightness: float | None = None
    steps: float | None = None
    stability: float | None = None
    changes: int | None = None
    segments: int | None = None
    reproduced: float | None = None
    shortest_dwell: float | None = None
    smallest_share: float | None = None
    landmarks: Landmarks = field(default_factory=Landmarks)
    chosen: bool = False
    refused: str | None = None

    @property
    def source(self) -> str:
        """Window and encoder in words, such as "windows of 20, pretrained"."""
        of = "" if self.encoder is None else f", {self.encoder}"
        return f"windows of {self.window_size}{of}"


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
