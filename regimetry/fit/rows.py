"""Stage 1 of a fit: from a source of rows to common units and to the sample that is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, DataError
from regimetry.fit.encoder import encoder_reach
from regimetry.fit.options import FitOptions
from regimetry.fit.source import Embedder, Measured, PanelSource, Source
from regimetry.series.panel import Panel
from regimetry.series.preprocessing import Preprocessing, require_single_precision
from regimetry.series.scaling import InstrumentScaling
from regimetry.series.spans import segment_offsets, starts_of
from regimetry.series.units import fit_units
from regimetry.windows import Windows, balanced_counts, rolling_windows

if TYPE_CHECKING:
    from regimetry.fit.choose import Choice
    from regimetry.fit.fitted_encoder import FittedEncoder
    from regimetry.fit.known import KnownStates
    from regimetry.regimes.clustering.slow import SlowDirections


STRETCH = 1024
"""Windows of a stretch: long enough to hold whole spells of a regime."""


@dataclass(frozen=True)
class TrainingRows:
    """The rows of a source, in common units and sampled.

    Attributes
    ----------
    source : Source
    measured : Measured
    window_size : int
        W.
    preprocessing : Preprocessing
        Of rows in common units.
    scaling : InstrumentScaling or None
        What brings them there.
    sample, scaled : Panel
        The rows to look at, as they are and in common units.
    complete : bool
        Whether these hold every window there is.
    reach : int
        Rows before a window that the encoder reads.
    choice : Choice or None
        Of the window size and the number of regimes; ``None`` where a size was given.
    known : KnownStates or None
        Of some rows of ``scaled``, if any.
    """

    source: Source
    measured: Measured
    window_size: int
    preprocessing: Preprocessing
    scaling: InstrumentScaling | None
    sample: Panel
    scaled: Panel
    complete: bool
    reach: int
    choice: Choice | None = None
    known: KnownStates | None = None

    @property
    def window_rows(self) -> int:
        """Rows of the graph's input: W, the encoder's reach, one more for a difference."""
        return self.window_size + self.reach + self.preprocessing.rows_before

    def preprocessed(self) -> list[NDArray[np.float32]]:
        """Return the preprocessed rows (T - rows_before, F) of each part of the sample."""
        return [self.preprocessing.apply(part) for part in self.scaled.parts()]

    def windows(self) -> Windows:
        """Return the preprocessed windows (N, W + reach, F) of the sample, views."""
        size = self.window_size + self.reach
        return Windows([rolling_windows(part, size) for part in self.preprocessed()])


def training_rows(
    source: Source,
    measured: Measured,
    window_size: int,
    options: FitOptions,
    *,
    units: tuple[Preprocessing, InstrumentScaling | None] | None = None,
    reach: int | None = None,
) -> TrainingRows:
    """Choose the units of all rows, and take the sample.

    Parameters
    ----------
    source : Source
    measured : Measured
        What the source measured.
    window_size : int
        W.
    options : FitOptions
    units : tuple of Preprocessing and InstrumentScaling or None, or None
        Those of an earlier model; ``None`` fits them.
    reach : int or None
        Rows before a window that the encoder reads; ``None``: as the options say.

    Returns
    -------
    TrainingRows

    Raises
    ------
    DataError
        A column is constant or lost in float32, or no series holds two windows.
    """
    statistics, lengths = measured.statistics, measured.lengths
    # What has no window says little about units, and gets none.
    long = {name: one for name, one in statistics.items() if one.rows > window_size} or statistics
    own_units = measured.is_panel and options.scaling == "instrument"
    preprocessing, scaling = units or fit_units(
        list(long.values()),
        source.schema.feature_names,
        options.difference,
        instruments=list(map(str, long)) if own_units else None,
    )
    reach = encoder_reach(options, window_size) if reach is None else reach
    window_rows = window_size + reach + preprocessing.rows_before
    segments = list(measured.segments.values())
    if measured.longest <= window_rows:
        raise DataError(_too_few(measured, window_size, window_rows))
    n_windows = sum(len(starts_of(offsets, window_rows)) for offsets in segments)
    complete = n_windows <= options.max_windows
    spans = stretches(segments, window_rows, options.max_windows)
    sample = source.sample(dict(zip(lengths, spans, strict=True)))
    scaled = sample.scaled(scaling)
    require_single_precision(scaled.parts(), preprocessing.transforms, source.schema.feature_names)
    return TrainingRows(
        source, measured, window_size, preprocessing, scaling, sample, scaled, complete, reach
    )  # fmt: skip


def _too_few(measured: Measured, window_size: int, window_rows: int) -> str:
    """Say that no segment holds two windows, and what to do."""
    which = f"The longest of {len(measured.lengths)} instruments: " if measured.is_panel else ""
    needed = f"rows are too few for windows of {window_size}; at least {window_rows + 1} are needed"
    rows = max(measured.lengths.values())
    if rows > window_rows:
        parts = sum(len(offsets) - 1 for offsets in measured.segments.values())
        return (
            f"The rows fall into {parts} segments, between gaps and missing values. The longest: "
            f"{measured.longest} {needed}. Give a smaller window_size, a longer max_gap, or fill "
            "missing values forward (missing='ffill')."
        )
    return f"{which}{rows} {needed}. Give more rows or a smaller window_size."


def stretches(
    segments: Sequence[NDArray[np.int64]], rows: int, most: int
) -> list[list[tuple[int, int]]]:
    """Choose stretches of rows with at most ``most`` windows, equally from all instruments.

    Parameters
    ----------
    segments : sequence of ndarray of int64, shape (S + 1,)
        Of each of I instruments, where its segments begin, and its rows.
    rows : int
        R, of a window.
    most : int
        Windows in all; each instrument gives as many as another, or all it has.

    Returns
    -------
    list of list of tuple of int
        For each instrument, first row and end of its stretches, evenly spread over its windows,
        none across segments; all segments where it is given all its windows, none where it has no
        window.
    """
    windows = [segment_offsets(np.maximum(np.diff(one) - rows + 1, 0)) for one in segments]
    counts = np.array([bounds[-1] for bounds in windows])
    chosen = []
    for one, bounds, have, take in zip(
        segments, windows, counts.tolist(), balanced_counts(counts, most).tolist(), strict=True
    ):
        parts = max(1, round(take / STRETCH)) if take < have else 1
        starts = np.linspace(0, have - take // parts, parts).astype(np.int64).tolist()
        size = take // parts
        chosen.append(
            [span for a in starts for span in _rows_of(one, bounds, a, a + size, rows)]
            if size
            else []
        )
    return chosen


def _rows_of(
    segments: NDArray[np.int64], windows: NDArray[np.int64], first: int, end: int, rows: int
) -> list[tuple[int, int]]:
    """Return the rows, in each segment, of the windows numbered ``first`` to ``end``."""
    a, b = np.maximum(windows[:-1], first), np.minimum(windows[1:], end)
    begin = segments[:-1] + a - windows[:-1]
    return [(int(begin[i]), int(begin[i] + b[i] - a[i] + rows - 1)) for i in np.flatnonzero(b > a)]


def slow_directions_of(rows: TrainingRows, encoder: FittedEncoder) -> SlowDirections:
    """Return the slow directions of an encoder over all windows of a source, in one pass."""
    from regimetry.export.assemble import assemble_encoder
    from regimetry.regimes.clustering.slow import slow_directions

    longest = max(rows.scaled.parts(), key=len)
    size = rows.window_size + rows.reach
    some = encoder.embed(cut_windows(rows.preprocessing, longest, size))
    embedder = Embedder(
        assemble_encoder(encoder.part, rows.preprocessing).SerializeToString(),
        rows.scaling,
        some.mean(axis=0, dtype="float64"),  # any will do: sums about it do not cancel
        rows.window_size,
        encoder.halves,
    )
    sums = rows.source.lagged_sums(embedder)
    return slow_directions(sums.of_first(len(sums.centre) // 2) if encoder.halves else sums)


def cut_windows(
    preprocessing: Preprocessing, values: NDArray[np.floating], window_size: int
) -> NDArray[np.float32]:
    """Return the preprocessed rolling windows (N, W, F) of a series (T, F), a view."""
    return rolling_windows(preprocessing.apply(values), window_size)


def with_states(rows: TrainingRows, known: KnownStates | None) -> TrainingRows:
    """Return the rows of a fit with their states.

    Raises
    ------
    ConfigError
        The fit looks at a sample of the rows.
    """
    if known is not None and not rows.complete:
        raise ConfigError(
            "y is given, and the rows have more windows than max_windows, of which the fit takes a "
            "sample. Raise max_windows, or leave y out."
        )
    if known is None or not isinstance(rows.source, PanelSource):
        return replace(rows, known=known)
    # Segments without a window are no rows of the fit.
    offsets = rows.source.panel.offsets
    return replace(rows, known=known.of_long_segments(offsets, rows.window_rows))
