"""The same head on other features, and with other evidence: the gain of each part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.protocol import at_centre, at_last_bar
from benchmarks.rivals.fitted import Fitted, Labels, Values
from benchmarks.rivals.statistics import window_statistics
from regimetry.encoder.config import DEFAULT_ENCODER
from regimetry.fit.choose import Compared, compare
from regimetry.fit.learn import learn, measured_rows, refined, with_hindsight
from regimetry.fit.learned import penalties_of
from regimetry.fit.options import FitOptions
from regimetry.fit.rows import cut_windows
from regimetry.fit.source import panel_source
from regimetry.regimes.clustering.head import Head, fit_head
from regimetry.regimes.evidence.newest import NewestBars
from regimetry.regimes.evidence.refine import Refinement
from regimetry.runtime.recursion import Recursion, jump_path
from regimetry.series.preprocessing import Preprocessing
from regimetry.series.units import fit_preprocessing
from regimetry.windows import Windows, rolling_windows

DEFAULTS = FitOptions(window_size=10, encoder=replace(DEFAULT_ENCODER, convolutions=None))
"""Of what is compared here: features of windows of 10, without convolutions."""


def fit_vamp2(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Fit the detector with an encoder trained by VAMP-2."""
    return fit_encoder(values, n_regimes, seed, objective="vamp2").fitted()


def fit_windows(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Fit the detector, untrained, and let whole windows tell the regimes apart."""
    return fit_encoder(values, n_regimes, seed, objective=None, evidence="window").fitted()


def fit_statistics(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Fit the head on window statistics: the same preprocessing and windows, no network."""
    names = [f"x{i}" for i in range(values.shape[1])]
    preprocessing = fit_preprocessing(values, names, DEFAULTS.difference)

    def features(rows: Values) -> Values:
        return window_statistics(cut_windows(preprocessing, rows, DEFAULTS.window_size))

    windows = cut_windows(preprocessing, values, DEFAULTS.window_size)
    statistics = features(values)
    head = fit_head(
        statistics,
        windows.std(axis=1).mean(axis=1),
        n_regimes=n_regimes or _count(preprocessing.apply(values), seed),
        lag=DEFAULTS.window_size,
        n_landmarks=DEFAULTS.n_landmarks,
        seed=seed,
    )
    rows = Windows.of(windows)
    labels = with_hindsight(head, rows, statistics)
    newest = NewestBars.of(
        rows, labels, len(head.centroids), (False,) * windows.shape[2], seed=seed
    )
    head, refinement = refined(head, rows, statistics, newest)
    return Labelled(preprocessing, head, refinement, features).fitted()


def _count(rows: Values, seed: int) -> int:
    """Return the number of regimes that a fit on window statistics would choose."""

    def embed(series: Any, size: int, step: int) -> list[Values]:
        return [window_statistics(rolling_windows(part, size)[::step]) for part in series]

    options = replace(DEFAULTS, seed=seed)
    return compare(
        [rows], [Compared(None, {DEFAULTS.window_size: 0}, embed)], options
    ).chosen.n_regimes


def fit_encoder(values: Values, n_regimes: int | None, seed: int, **parameters: Any) -> Labelled:
    """Fit preprocessing, encoder and head as the detector does, without making a file."""
    options = replace(DEFAULTS, n_regimes=n_regimes or "auto", seed=seed, **parameters)
    learned = learn(measured_rows(panel_source(values), options), options)

    def features(rows: Values) -> Values:
        return learned.encoder.embed(cut_windows(learned.preprocessing, rows, DEFAULTS.window_size))

    return Labelled(learned.preprocessing, learned.head, learned.refinement, features)


@dataclass(frozen=True)
class Labelled:
    """A fitted head with the features that it reads: rows (T, F) to labels (T,)."""

    preprocessing: Preprocessing
    head: Head
    refinement: Refinement | None
    features: Callable[[Values], Values]

    def fitted(self) -> Fitted:
        """Return it as a method of the benchmark."""
        return Fitted(len(self.head.centroids), self.offline, self.causal)

    def distance(self, rows: Values) -> Values:
        """Return the cost of each regime at each window (N, K)."""
        if self.refinement is None:
            return self.head.outputs(self.features(rows))["distance"]
        windows = cut_windows(self.preprocessing, rows, DEFAULTS.window_size)
        return self.refinement.emission.costs(windows)

    def offline(self, rows: Values) -> Labels:
        """Label with hindsight."""
        labels = jump_path(self.distance(rows), penalties_of(self.head, self.refinement)[1])
        if self.refinement is None:
            return at_centre(labels, len(rows), DEFAULTS.window_size)
        return at_last_bar(labels, len(rows))

    def causal(self, rows: Values) -> Labels:
        """Label bar t by the bars up to t."""
        found, _ = Recursion(penalties_of(self.head, self.refinement)[0])(self.distance(rows))
        return at_last_bar(found.regime, len(rows))
