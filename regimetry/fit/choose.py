"""Window size and number of regimes of a fit, chosen before anything is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from regimetry.contract import Candidate, Landmarks
from regimetry.encoder.pretraining.config import AUTO, ENCODERS, PretrainedEncoder
from regimetry.fit.encoder import embed_series, encoder_reach
from regimetry.fit.options import FitOptions
from regimetry.regimes.choice.candidates import (
    COUNTS,
    SIZES,
    Sample,
    candidates_of,
    sizes_for,
    stride_for,
)
from regimetry.regimes.choice.rule import choose
from regimetry.regimes.choice.segments import Segments, segment_candidates
from regimetry.regimes.choice.terms import surrogate

if TYPE_CHECKING:
    from regimetry.fit.fitted_encoder import FittedEncoder

MOST_ROWS = 40_000
"""Rows that are looked at: of many instruments some, evenly; of a long one the last."""

_SURROGATES = 3

Series = Sequence[NDArray[np.floating]]

Embed = Callable[[Series, int, int], list[NDArray[np.float32]]]
"""Takes series (T, F), a window size and a step; returns embeddings of the windows of each that end
every step rows."""


@dataclass(frozen=True)
class Choice:
    """Window size and number of regimes of a fit.

    Attributes
    ----------
    table : tuple of Candidate
        One of them chosen.
    segments : Segments or None
        Of the preprocessed rows, where regimes are kinds of these.
    """

    table: tuple[Candidate, ...]
    segments: Segments | None = None

    @property
    def chosen(self) -> Candidate:
        """The candidate that was chosen."""
        return next(entry for entry in self.table if entry.chosen)

    def described(
        self, landmarks: Landmarks, reproduced: float | None = None
    ) -> tuple[Candidate, ...]:
        """Return the table with what a fit found out about the chosen candidate."""
        found = replace(self.chosen, landmarks=landmarks, reproduced=reproduced)
        return tuple(found if entry.chosen else entry for entry in self.table)


@dataclass(frozen=True)
class Compared:
    """An encoder whose windows are compared.

    Attributes
    ----------
    name : str or None
        Where there is more than one.
    reach : mapping of int to int
        The rows before a window that it reads, for each size of window that is compared.
    embed : callable
    halves : bool
        Embeddings have two halves, of which the first one is compared.
    """

    name: str | None
    reach: Mapping[int, int]
    embed: Embed
    halves: bool = False


def choose_window(series: Series, options: FitOptions) -> Choice:
    """Compare window sizes, numbers of regimes and encoders, as far as they are not given.

    An encoder is drawn or folded anew for each size, and not trained.

    Parameters
    ----------
    series : sequence of ndarray, shape (T, F)
        Preprocessed training rows.
    options : FitOptions
    """
    untrained = replace(options, objective=None)
    sizes = SIZES if options.window_size == "auto" else (int(options.window_size),)
    compared = []
    for name, one in ENCODERS.items() if options.encoder == AUTO else [(None, options.encoder)]:
        own = replace(untrained, encoder=one)
        reach = {size: encoder_reach(own, size) for size in sizes}
        halves = isinstance(one, PretrainedEncoder)
        compared.append(Compared(name, reach, partial(embed_series, own), halves))
    return compare(series, compared, options)


def decided(options: FitOptions, choice: Choice | None) -> FitOptions:
    """Return the options with the encoder that was chosen; convolutions for one regime."""
    if options.encoder != AUTO:
        return options
    chosen = None if choice is None else choice.chosen.encoder
    return replace(options, encoder=ENCODERS[chosen or "convolutions"])


def choose_count(
    series: Series, encoder: FittedEncoder, window_size: int, reach: int, options: FitOptions
) -> Choice:
    """Compare numbers of regimes for the encoder of a fit, which reads ``reach`` rows before W."""

    def embed(series: Series, size: int, step: int) -> list[NDArray[np.float32]]:
        return [encoder.embed_series(part, size + reach, step) for part in series]

    compared = Compared(None, {window_size: reach}, embed, encoder.halves)
    return compare(series, [compared], options)


def given(options: FitOptions) -> Choice:
    """Return the choice where window size and number of regimes are given: one row."""
    size, count = int(options.window_size), int(options.n_regimes)
    return Choice((Candidate(window_size=size, n_regimes=count, chosen=True),))


def compare(series: Series, encoders: Sequence[Compared], options: FitOptions) -> Choice:
    """Compare what the windows of encoders make of series."""
    compared = [
        (replace(entry, encoder=one.name), source)
        for one in encoders
        for entry, source in candidates(series, one, options)
    ]
    table = [entry for entry, _ in compared]
    known = None if options.n_regimes == "auto" else int(options.n_regimes)
    least = min(min(one.reach) for one in encoders)
    judged = choose(table, window_size=least, n_regimes=known, min_dwell=options.min_dwell)
    added = len(judged) - len(table)  # one regime, before them
    place = next(i for i, entry in enumerate(judged) if entry.chosen) - added
    source = compared[place][1] if place >= 0 else None
    return Choice(judged, source if isinstance(source, Segments) else None)


# Many small steps: threads that share them wait for each other longer than these take.
@threadpool_limits.wrap(limits=1)
def candidates(
    series: Series, encoder: Compared, options: FitOptions
) -> list[tuple[Candidate, Sample | Segments]]:
    """Return every candidate, with the windows or the segments whose labels it describes."""
    some, reach = looked_at(series), encoder.reach
    n_rows, seed = sum(map(len, some)), options.seed
    likes = [
        [surrogate(part, np.random.default_rng((seed, number))) for part in some]
        for number in range(_SURROGATES)
    ]
    counts = COUNTS if options.n_regimes == "auto" else (int(options.n_regimes),)
    found: list[tuple[Candidate, Sample | Segments]] = []
    samples: list[Sample] = []
    surrogates: list[list[Sample]] = [[] for _ in likes]
    longest = max(map(len, some))
    asked = sizes_for(n_rows) if len(reach) > 1 else tuple(reach)
    for size in [size for size in asked if size + reach[size] < longest]:
        stride, read = stride_for(size, n_rows), size + reach[size]
        embedded = (
            encoder.embed([part for part in one if len(part) > read], size, stride)
            for one in (some, *likes)
        )
        own, *others = (
            Sample.of(each, size, stride, reach[size], halves=encoder.halves) for each in embedded
        )
        possible = [count for count in counts if 1 < count < len(own.embeddings)]
        described = candidates_of(own, others, n_rows, possible, seed=seed)
        found += [(entry, own) for entry in described]
        samples.append(own)
        for sizes, other in zip(surrogates, others, strict=True):
            sizes.append(other)
    open_ = len(reach) > 1 or options.n_regimes == "auto"  # else it is a question of encoders
    if open_ and len(series) == 1 and len(some[0]) == len(series[0]):
        for entry, segments in segment_candidates(samples, n_rows, surrogates, seed=seed):
            if options.n_regimes in ("auto", entry.n_regimes):
                found.append((entry, segments))
    return found


def looked_at(series: Series) -> list[NDArray[np.floating]]:
    """Return about :data:`MOST_ROWS` rows: the longest series and every nth, each at its end."""
    every = max(1, round(sum(map(len, series)) / MOST_ROWS))
    by_length = sorted(series, key=len, reverse=True)
    return [part[-MOST_ROWS:] for part in by_length[::every]]
