"""Where a fit gets its rows: from memory, or from folders and clusters larger than memory.

A fit asks a source for three things, each in one pass over all rows: statistics of the columns of
every instrument, a sample that fits in memory, and sums over the embeddings of all windows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, DataError
from regimetry.regimes.clustering.slow import LaggedSums
from regimetry.runtime.batch import run_windows
from regimetry.runtime.shared_session import SharedSession
from regimetry.runtime.threads import available_threads
from regimetry.series.column_statistics import ColumnStatistics
from regimetry.series.features import OhlcvFeatures
from regimetry.series.frames import columns_of
from regimetry.series.gaps import StepCounts
from regimetry.series.layout import layout_of
from regimetry.series.left_out import without_constant, without_empty
from regimetry.series.matrix import as_matrix
from regimetry.series.panel import Panel, given_panel, read_panel
from regimetry.series.plain_frames import is_frame, plain
from regimetry.series.rules import PLAIN, ReadingRules, decided
from regimetry.series.scaling import InstrumentScaling
from regimetry.series.schema import Schema
from regimetry.series.time_column import find_time
from regimetry.series.time_options import FOUND, TimeOptions

Spans = Sequence[tuple[int, int]]
"""First row and end of stretches of one instrument."""

_BLOCK = 1 << 14  # windows that are embedded at once


@dataclass(frozen=True)
class Measured:
    """What one pass over all rows found.

    Attributes
    ----------
    statistics : mapping
        Of the columns of each instrument, by its name; of one series without a name, by ``None``.
        The order is the same whoever did the work.
    segments : mapping
        For each, where its rows fall into segments: first rows and number of rows, (S + 1,).
    """

    statistics: Mapping[str | None, ColumnStatistics]
    segments: Mapping[str | None, NDArray[np.int64]]

    @classmethod
    def of(cls, found: Iterable[tuple[str | None, NDArray[Any], NDArray[np.int64]]]) -> Measured:
        """Measure instruments, each a name, its rows (T, F) and its segments (S + 1,)."""
        statistics, segments = {}, {}
        for name, rows, offsets in found:
            statistics[name], segments[name] = ColumnStatistics.of(rows, offsets), offsets
        return cls(statistics, segments)

    @property
    def lengths(self) -> dict[str | None, int]:
        """Rows of each instrument."""
        return {name: one.rows for name, one in self.statistics.items()}

    @property
    def longest(self) -> int:
        """Rows of the longest segment."""
        return max(int(np.diff(offsets).max()) for offsets in self.segments.values())

    @property
    def is_panel(self) -> bool:
        """Whether the rows are of instruments with names."""
        return None not in self.statistics


class Source(Protocol):
    """Rows of one series or of many instruments."""

    @property
    def schema(self) -> Schema:
        """The columns that the model reads."""

    @property
    def by(self) -> str | None:
        """The column that names the instruments; ``None`` if none does."""

    @property
    def reading(self) -> ReadingRules:
        """How the rows were read, with the gap that was decided."""

    def measured(self) -> Measured:
        """Pass over all rows, and return the statistics of each instrument's columns."""

    def sample(self, chosen: Mapping[str | None, Spans]) -> Panel:
        """Return the chosen stretches of each instrument, each a series of its own."""

    def lagged_sums(self, embedder: Embedder) -> LaggedSums:
        """Return the sums over the embeddings of all windows of all instruments."""


@dataclass(frozen=True)
class Embedder:
    """What turns the rows of an instrument into sums over its embeddings; pickles small.

    Attributes
    ----------
    graph : bytes
        Raw window to embedding, by :func:`regimetry.export.assemble.assemble_encoder`.
    scaling : InstrumentScaling or None
    centre : ndarray, shape (D,)
        The same for all parts.
    lag : int
        W, in windows.
    spread : bool
        As of :meth:`LaggedSums.of`.
    """

    graph: bytes
    scaling: InstrumentScaling | None
    centre: NDArray[np.float64]
    lag: int
    spread: bool = False

    def zero(self) -> LaggedSums:
        """Return the sums of nothing."""
        return LaggedSums.of(np.empty((0, len(self.centre))), self.lag, self.centre)

    def add(
        self, parts: Iterable[tuple[str | None, NDArray[np.floating]]], *, threads: int = 1
    ) -> LaggedSums:
        """Return the sums over segments, each the name of its instrument and its rows (T, F).

        Windows are embedded in blocks that overlap by two lags, so that memory holds one block.
        """
        session = SharedSession(self.graph, device="cpu")
        rows = session.input_shape[0]
        sums = self.zero()
        for name, values in parts:
            scaled = values
            if self.scaling is not None and name is not None:
                scaled = self.scaling.apply(values, name)
            count = len(scaled) - rows + 1
            for first in range(0, count, _BLOCK):
                own = min(_BLOCK, count - first)
                taken = scaled[first : first + own + 2 * self.lag + rows - 2]
                found = run_windows(session, taken, ("embedding",), threads=threads)["embedding"]
                sums += LaggedSums.of(found, self.lag, self.centre, own=own, spread=self.spread)
        return sums


@dataclass(frozen=True)
class PanelSource:
    """A panel in memory.

    Attributes
    ----------
    panel : Panel
    schema : Schema
    by : str or None
    threads : int
        That embed.
    reading : ReadingRules
        How the panel was read.
    """

    panel: Panel
    schema: Schema
    by: str | None = None
    threads: int = 1
    reading: ReadingRules = PLAIN

    def measured(self) -> Measured:
        """Return the statistics of each instrument's columns."""
        return Measured.of(
            (name, self.panel.values[offsets[0] : offsets[-1]], offsets - offsets[0])
            for name, offsets in self._segments().items()
        )

    def sample(self, chosen: Mapping[str | None, Spans]) -> Panel:
        """Return the chosen stretches of each instrument, each a series of its own."""
        segments = self._segments()
        found = [
            (name, first + a, first + b)
            for name, first in ((name, int(offsets[0])) for name, offsets in segments.items())
            for a, b in chosen[name]
        ]
        if [(a, b) for _, a, b in found] == list(pairwise(self.panel.offsets.tolist())):
            return self.panel
        rows = np.concatenate([np.arange(a, b) for _, a, b in found])
        times = self.panel.timestamps
        return Panel(
            None,
            self.panel.values[rows],
            np.cumsum([0, *(b - a for _, a, b in found)]),
            tuple(name for name, _, _ in found if name is not None) or None,
            None if times is None else times[rows],
        )

    def lagged_sums(self, embedder: Embedder) -> LaggedSums:
        """Return the sums over the embeddings of all windows of all instruments."""
        return embedder.add(self.panel.named, threads=self.threads)

    def _segments(self) -> dict[str | None, NDArray[np.int64]]:
        """Return where the segments of each instrument begin and end among all rows."""
        found: dict[str | None, list[int]] = {}
        for (name, _), (a, b) in zip(
            self.panel.named, pairwise(self.panel.offsets.tolist()), strict=True
        ):
            found.setdefault(name, [a]).append(b)
        return {name: np.array(offsets) for name, offsets in found.items()}


def panel_source(
    data: Any,
    by: str | None = None,
    categorical: Sequence[str] = (),
    *,
    rules: ReadingRules = PLAIN,
    named: Collection[str] = (),
    time: TimeOptions = FOUND,
) -> PanelSource:
    """Read arrays, frames, or a mapping of them.

    Parameters
    ----------
    data : array, frame, or mapping of names to these
    by : str or None
        Column of a frame that names the instrument of each row.
    categorical : sequence of str
        Columns of frames whose values are names.
    rules : ReadingRules
        How rows are read; an automatic gap is decided here.
    named : collection of str
        Columns that somebody asked for, and that are not left out.
    time : TimeOptions
        Of frames.

    Raises
    ------
    DataError
        There is no column ``by``, and as for :func:`~regimetry.series.panel.as_panel`.

    Warns
    -----
    DataWarning
        Columns of a frame are left out, and as for :func:`~regimetry.series.panel.as_panel`.
    """
    data = plain(data)
    first = next(iter(data.values()), None) if isinstance(data, Mapping) else data
    if by is not None and not (is_frame(data) and by in columns_of(data)):
        there = "a mapping names its instruments itself"
        if not isinstance(data, Mapping):
            names = ", ".join(columns_of(data) if is_frame(data) else ())
            there = f"the columns are {names}" if names else "an array has no names"
        raise DataError(f"by is {by!r}, and there is no such column: {there}.")
    time = rules.of_times(time)
    if first is None or not is_frame(first):
        width = as_matrix([[0.0]] if first is None else first).shape[1]
        schema = Schema.numeric(tuple(f"x{i}" for i in range(width)))
        panel, rules = _read(data, schema, by, rules, time)
        return PanelSource(panel, schema, by, available_threads(), rules)
    found = find_time(first, by=by, options=time, besides=categorical)
    schema = layout_of(first, categorical=categorical, exclude=(found.name, *found.others, by))
    named = (*categorical, *named)
    schema = without_empty(data, schema, named)
    panel, rules = _read(data, schema, by, rules, time)
    panel, schema = without_constant(panel, schema, named)
    return PanelSource(panel, schema, by, available_threads(), rules)


def _read(
    data: Any, schema: Schema, by: str | None, rules: ReadingRules, time: TimeOptions
) -> tuple[Panel, ReadingRules]:
    """Read rows, and decide what an automatic gap is."""
    given = given_panel(data, schema, by=by, time=time)
    if rules.max_gap == "auto":
        times, spans = given.timestamps, pairwise(given.offsets.tolist())
        counts = StepCounts.of([] if times is None else (times[a:b] for a, b in spans))
        rules = decided(rules, counts, is_dates=times is not None and times.dtype.kind == "M")
    return read_panel(given, schema, rules), rules


def require_columns_of_options(
    schema: Schema, difference: Sequence[str], features: OhlcvFeatures | None
) -> None:
    """Raise :class:`ConfigError` unless a source has the columns that the options name.

    Parameters
    ----------
    schema : Schema
    difference : sequence of str
        As for :class:`~regimetry.fit.options.FitOptions`.
    features : OhlcvFeatures or None
        What made all of them.
    """
    names = schema.feature_names
    unknown = () if isinstance(difference, str) else sorted(set(difference) - set(names))
    if unknown:
        raise ConfigError(
            f"difference names {', '.join(unknown)}, which the data do not have; "
            f"the columns are {', '.join(names)}."
        )
    if features is not None and schema.names != features.names:
        raise ConfigError(
            f"features makes {', '.join(features.names)}; the data to fit have "
            f"{', '.join(schema.names)}. Fit on what features.frame gives."
        )
