"""The product's fit with any features: preprocessing, choice, head and evidence of bars.

It follows :func:`regimetry.fit.learn.learn` step by step; a test holds it against the detector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.encoders.features import Embed, Features
from benchmarks.protocol import at_bar
from benchmarks.rivals.fitted import Labels, Values
from regimetry.encoder.convolutions import label_offset
from regimetry.fit.choose import Choice, Compared, compare, given
from regimetry.fit.learn import BARS_A_REGIME, refined, volatility, with_hindsight
from regimetry.fit.learned import penalties_of
from regimetry.fit.options import FitOptions
from regimetry.regimes.choice.candidates import SIZES
from regimetry.regimes.clustering.head import Head, fit_head
from regimetry.regimes.evidence.newest import NewestBars
from regimetry.regimes.evidence.refine import Refinement
from regimetry.runtime.recursion import Recursion, jump_path
from regimetry.series.preprocessing import Preprocessing, log_columns, require_positive
from regimetry.series.units import fit_preprocessing
from regimetry.windows import Windows, rolling_windows


@dataclass(frozen=True)
class Labelled:
    """A fitted head, or the evidence of bars, with the features that it reads.

    Attributes
    ----------
    window_size, reach : int
        Rows of a window, and those before it that the features read.
    preprocessing : Preprocessing
    embed : callable
    head : Head
    refinement : Refinement or None
        ``None`` where whole windows tell the regimes.
    """

    window_size: int
    reach: int
    preprocessing: Preprocessing
    embed: Embed
    head: Head
    refinement: Refinement | None = None

    @property
    def n_regimes(self) -> int:
        """K."""
        return len(self.head.centroids)

    def offline(self, values: Values) -> Labels:
        """Label the rows (T, F) with hindsight; -1 at the ends where there is none.

        Raises
        ------
        DataError
            A column whose logarithms are taken is not positive, here and in :meth:`causal`: the
            product refuses such rows too.
        """
        costs = self._costs(values)
        path = jump_path(
            costs.get("hindsight", costs["distance"]), penalties_of(self.head, self.refinement)[1]
        )
        before = label_offset(self.window_size, self.reach) if self.refinement is None else 0
        return at_bar(path, len(values), before)

    def causal(self, values: Values) -> Labels:
        """Label every row by the rows up to it; -1 before the first full window."""
        recursion = Recursion(penalties_of(self.head, self.refinement)[0])
        return at_bar(recursion.labels(self._costs(values)["distance"]), len(values), 0)

    def _costs(self, values: Values) -> dict[str, NDArray[np.float64]]:
        """Return the costs (N, K) of each regime at each window, as the outputs of a model."""
        names = [f"x{i}" for i in range(values.shape[1])]
        require_positive(values, log_columns(self.preprocessing.transforms), names)
        rows = self.preprocessing.apply(values)
        if self.refinement is None:
            return self.head.outputs(self.embed(rows, 1))
        windows = windows_of(rows, self.window_size, self.reach)
        return {"distance": windows.map(self.refinement.emission.costs)}


def windows_of(rows: Values, window_size: int, reach: int) -> Windows:
    """Return the windows (N, W, F) that have ``reach`` rows before them."""
    return Windows.of(rolling_windows(rows[reach:], window_size))


def fit(
    features: Features, values: Values, options: FitOptions, *, bars: bool
) -> dict[str, Labelled]:
    """Fit everything to the rows (T, F), and to nothing else.

    Parameters
    ----------
    features : Features
    values : ndarray of float64, shape (T, F)
    options : FitOptions
        Window size, number of regimes and seed; its encoder is not looked at.
    bars : bool
        Let single bars tell the regimes too, where they can.

    Returns
    -------
    dict of str to Labelled
        "window": whole windows alone; with ``bars``, "bars": as the product decides.
    """
    names = [f"x{i}" for i in range(values.shape[1])]
    preprocessing = fit_preprocessing(values, names, options.difference)
    rows = preprocessing.apply(values)
    choice = _choice(features, rows, options)
    if features.either:
        features = features.either[choice.chosen.encoder or "convolutions"]
    size = int(choice.chosen.window_size or SIZES[0])
    reach = features.reach(size)
    embed = features.fit([rows], size, options.seed)
    embeddings, windows = embed(rows, 1), windows_of(rows, size, reach)
    labels = None
    if choice.segments is not None:
        first = size + reach - 1 - label_offset(size, reach)
        labels = choice.segments.labels(first + np.arange(len(embeddings)))
    head = fit_head(
        embeddings,
        volatility(windows),
        n_regimes=choice.chosen.n_regimes,
        lag=size,
        n_landmarks=options.n_landmarks,
        seed=options.seed,
        offsets=windows.offsets,
        labels=labels,
        halves=features.halves,
    )
    found = {"window": Labelled(size, reach, preprocessing, embed, head)}
    if bars:
        refinement = None
        if labels is None and len(windows) >= BARS_A_REGIME * len(head.centroids):
            told = with_hindsight(head, windows, embeddings)
            newest = NewestBars.of(
                windows, told, len(head.centroids), preprocessing.prices,
                seed=options.seed, reach=reach,
            )  # fmt: skip
            head, refinement = refined(head, windows, embeddings, newest)
        found["bars"] = Labelled(size, reach, preprocessing, embed, head, refinement)
    return found


def _choice(features: Features, rows: Values, options: FitOptions) -> Choice:
    """Choose what the options leave open, as the product does."""
    if options.window_size != "auto" and options.n_regimes != "auto" and not features.either:
        return given(options)
    sizes = SIZES if options.window_size == "auto" else (int(options.window_size),)
    compared = [
        Compared(
            name,
            {size: one.reach(size) for size in sizes},
            partial(_embed_anew, one, options.seed),
            one.halves,
        )
        for name, one in (features.either or {None: features}).items()
    ]
    return compare([rows], compared, options)


def _embed_anew(
    features: Features, seed: int, series: Sequence[Values], size: int, step: int
) -> list[NDArray[np.floating]]:
    """Embed series by features that are fitted to them."""
    embed = features.fit(series, size, seed)
    return [embed(part, step) for part in series]
