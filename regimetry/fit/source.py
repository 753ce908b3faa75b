"""Where a fit gets its rows: from memory, or from folders and clusters larger than memory.

A fit asks a source for three things, each in one pass over all rows: statistics of the columns of
every instrument, a sample that fits in memory, and sums over the embeddings of all windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from regimetry.series.layout import layout_of
from regimetry.series.matrix import as_matrix
from regimetry.series.panel import Panel, as_panel
from regimetry.series.plain_frames import is_frame, plain
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
    """

    statistics: Mapping[str | None, ColumnStatistics]

    @property
    def lengths(self) -> dict[str | None, int]:
        """Rows of each instrument."""
        return {name: one.rows for name, one in self.statistics.items()}

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
    """

    graph: bytes
    scaling: InstrumentScaling | None
    centre: NDArray[np.float64]
    lag: int

    def zero(self) -> LaggedSums:
        """Return the sums of nothing."""
        return LaggedSums.of(np.empty((0, len(self.centre))), self.lag, self.centre)

    def add(
        self, parts: Iterable[tuple[str | None, NDArray[np.floating]]], *, threads: int = 1
    ) -> LaggedSums:
        """Return the sums over instruments, each a name and its rows (T, F).

        Windows are embedded in blocks that overlap by the lag, so that memory holds one block.
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
                taken = scaled[first : first + own + self.lag + rows - 1]
                found = run_windows(session, taken, ("embedding",), threads=threads)["embedding"]
                sums += LaggedSums.of(found, self.lag, self.centre, own=own)
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
    """

    panel: Panel
    schema: Schema
    by: str | None = None
    threads: int = 1

    def measured(self) -> Measured:
        """Return the statistics of each instrument's columns."""
        return Measured({name: ColumnStatistics.of(rows) for name, rows in self._named()})

    def sample(self, chosen: Mapping[str | None, Spans]) -> Panel:
        """Return the chosen stretches of each instrument, each a series of its own."""
        if chosen == {name: [(0, len(rows))] for name, rows in self._named()}:
            return self.panel
        found = [
            (name, first + a, first + b)
            for (name, _), first in zip(self._named(), self.panel.offsets.tolist(), strict=False)
            for a, b in chosen[name]
        ]
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
        return embedder.add(self._named(), threads=self.threads)

    def _named(self) -> Iterator[tuple[str | None, NDArray[np.floating]]]:
        return zip(self.panel.instruments or (None,), self.panel.parts(), strict=True)


def panel_source(
    data: Any,
    by: str | None = None,
    categorical: Sequence[str] = (),
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
    time : TimeOptions
        Of frames.

    Raises
    ------
    DataError
        There is no column ``by``, and as for :func:`~regimetry.series.panel.as_panel`.
    """
    data = plain(data)
    first = next(iter(data.values()), None) if isinstance(data, Mapping) else data
    if by is not None and not (is_frame(data) and by in columns_of(data)):
        there = "a mapping names its instruments itself"
        if not isinstance(data, Mapping):
            names = ", ".join(columns_of(data) if is_frame(data) else ())
            there = f"the columns are {names}" if names else "an array has no names"
        raise DataError(f"by is {by!r}, and there is no such column: {there}.")
    if first is not None and is_frame(first):
        found = find_time(first, by=by, options=time, besides=categorical)
        schema = layout_of(first, categorical=categorical, exclude=(found.name, *found.others, by))
    else:
        width = as_matrix([[0.0]] if first is None else first).shape[1]
        schema = Schema.numeric(tuple(f"x{i}" for i in range(width)))
    return PanelSource(as_panel(data, schema, by=by, time=time), schema, by, available_threads())


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
