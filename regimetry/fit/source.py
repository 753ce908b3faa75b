"""Where a fit gets its rows from: memory, or folders and clusters that hold more than memory does.

A fit asks a source for three things, each a pass over all rows: what the columns of every
instrument are like, a sample that fits in memory, and sums over the embeddings of all windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.fit.sample import stretches
from regimetry.regimes.clustering.slow import LaggedSums
from regimetry.runtime.batch import run_windows
from regimetry.runtime.shared_session import SharedSession
from regimetry.runtime.threads import available_threads
from regimetry.series.columns import ColumnStatistics
from regimetry.series.frames import is_frame, layout_of, time_of
from regimetry.series.panel import Panel, as_panel
from regimetry.series.scaling import InstrumentScaling
from regimetry.series.schema import Schema
from regimetry.series.series import as_matrix

Spans = Sequence[tuple[int, int]]
"""First row and end of stretches of one instrument."""

_BLOCK = 1 << 14  # windows that are embedded at once


class Source(Protocol):
    """Rows of one series or of many instruments, in an order that does not change."""

    @property
    def schema(self) -> Schema:
        """The columns that the model reads."""

    @property
    def by(self) -> str | None:
        """The column that names the instruments; ``None`` if none does."""

    @property
    def instruments(self) -> tuple[str, ...] | None:
        """The I names; ``None`` of one series."""

    def statistics(self) -> list[ColumnStatistics]:
        """Return what the columns of each instrument are like, (I,)."""

    def sample(self, chosen: Sequence[Spans]) -> Panel:
        """Return the chosen stretches (I,) of each instrument, each a series of its own."""

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

    @property
    def instruments(self) -> tuple[str, ...] | None:
        """The I names; ``None`` of one series."""
        return self.panel.instruments

    def statistics(self) -> list[ColumnStatistics]:
        """Return what the columns of each instrument are like, (I,)."""
        return [ColumnStatistics.of(rows) for rows in self.panel.parts()]

    def sample(self, chosen: Sequence[Spans]) -> Panel:
        """Return the chosen stretches (I,) of each instrument, each a series of its own."""
        lengths = self.panel.lengths.tolist()
        if [list(spans) for spans in chosen] == [[(0, length)] for length in lengths]:
            return self.panel
        names = self.panel.instruments or ("",)
        found = [
            (name, first + a, first + b)
            for name, first, spans in zip(names, self.panel.offsets.tolist(), chosen, strict=False)
            for a, b in spans
        ]
        rows = np.concatenate([np.arange(a, b) for _, a, b in found])
        times = self.panel.timestamps
        return Panel(
            None,
            self.panel.values[rows],
            np.cumsum([0, *(b - a for _, a, b in found)]),
            None if self.panel.instruments is None else tuple(name for name, _, _ in found),
            None if times is None else times[rows],
        )

    def lagged_sums(self, embedder: Embedder) -> LaggedSums:
        """Return the sums over the embeddings of all windows of all instruments."""
        names = self.panel.instruments or (None,)
        spans = pairwise(self.panel.offsets.tolist())
        parts = ((n, self.panel.values[a:b]) for n, (a, b) in zip(names, spans, strict=True))
        return embedder.add(parts, threads=self.threads)


def panel_source(data: Any, by: str | None, categorical: Sequence[str] = ()) -> PanelSource:
    """Read arrays, frames, or a mapping of them.

    Parameters
    ----------
    data : array, frame, or mapping of names to these
    by : str or None
        Column of a frame that names the instrument of each row.
    categorical : sequence of str
        Columns of frames whose values are names.

    Raises
    ------
    DataError
        There is no column ``by``, and as for :func:`~regimetry.series.panel.as_panel`.
    """
    first = next(iter(data.values()), None) if isinstance(data, Mapping) else data
    if by is not None and not (is_frame(data) and by in data.columns):
        there = "a mapping names its instruments itself"
        if not isinstance(data, Mapping):
            names = ", ".join(map(str, getattr(data, "columns", ())))
            there = f"the columns are {names}" if names else "an array has no names"
        raise DataError(f"by is {by!r}, and there is no such column: {there}.")
    if first is not None and is_frame(first):
        time_name, _ = time_of(first)
        schema = layout_of(first, categorical=categorical, exclude=(time_name, by)).schema
    else:
        width = as_matrix([[0.0]] if first is None else first).shape[1]
        schema = Schema.numeric(tuple(f"x{i}" for i in range(width)))
    return PanelSource(as_panel(data, schema, by=by), schema, by, available_threads())


def choose_sample(
    statistics: Sequence[ColumnStatistics], window_rows: int, max_windows: int
) -> tuple[list[list[tuple[int, int]]], bool]:
    """Choose what to look at in memory.

    Parameters
    ----------
    statistics : sequence of ColumnStatistics
        Of each instrument.
    window_rows : int
        R.
    max_windows : int

    Returns
    -------
    chosen : list of list of tuple of int
        See :func:`~regimetry.fit.sample.stretches`.
    complete : bool
        Whether that is every window there is.
    """
    lengths = [one.rows for one in statistics]
    chosen = stretches(lengths, window_rows, max_windows)
    windows = sum(max(0, length - window_rows + 1) for length in lengths)
    taken = sum(b - a - window_rows + 1 for spans in chosen for a, b in spans)
    return chosen, taken == windows
