"""A fit on a folder of Parquet files: passes over units, here or on Ray, and a sample in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.fit.source import Embedder, Measured, Spans
from regimetry.parameters import require_integer
from regimetry.runtime.threads import available_threads
from regimetry.scale.chunks import in_order, rises, sorted_chunks
from regimetry.scale.columns import Columns
from regimetry.scale.folder import scan
from regimetry.scale.times import moments
from regimetry.scale.work_units import Unit, plan
from regimetry.series.column_statistics import ColumnStatistics
from regimetry.series.matrix import require_finite
from regimetry.series.panel import Panel
from regimetry.series.schema import Schema
from regimetry.series.time_options import TimeKeywords, TimeOptions

if TYPE_CHECKING:
    from regimetry.detector import RegimeDetector
    from regimetry.regimes.clustering.slow import LaggedSums

_Found = TypeVar("_Found")
Mapped = Callable[[Callable[[Unit], Any], Sequence[Unit]], list[Any]]
"""Applies a function to units, somewhere, and gives what it returned in their order."""

_ROWS_AT_ONCE = 1 << 18


def fit(
    source: str | PathLike[str],
    detector: RegimeDetector,
    *,
    by: str | None = None,
    columns: Sequence[str] | None = None,
    keep_going: bool = False,
    ray: bool = False,
    actors: int | None = None,
    **time: Unpack[TimeKeywords],
) -> RegimeDetector:
    """Fit a detector on a Parquet file or a folder of them.

    Three passes over the files: what the columns of each instrument are like, the sample that the
    detector's ``max_windows`` allows, and, where that is not every window, sums over the embeddings
    of all. Memory holds the sample and the rows of one unit in each process: a file, or a 16th to a
    64th of the instruments where they span files. What is added up is added in one order, so that
    the model is the same whoever did the work.

    Parameters
    ----------
    source : path
    detector : RegimeDetector
    by, keep_going, **time
        As for :func:`~regimetry.scale.predict`.
    columns : sequence of str or None
        What the model reads; ``None`` takes every column of numbers but the time and the
        instrument.
    ray : bool
        Pass over the units on Ray: the cluster that is connected or that ``RAY_ADDRESS`` names,
        else one that is started here and stopped again.
    actors : int or None
        Processes at once on a Ray that is started here; implies ``ray``.

    Returns
    -------
    RegimeDetector
        ``detector``, fitted; without ``labels_``, which :func:`~regimetry.scale.predict` writes.

    Raises
    ------
    DataError
        Files that cannot be used, or values that are not finite; and as for
        :meth:`RegimeDetector.fit`.
    InstallError
        pyarrow, or Ray where it is asked for, is not installed.
    """
    if actors is not None:
        require_integer("actors", actors, 1, other="None or ")
    schema = None if columns is None else Schema.numeric(tuple(columns))
    folder = scan(Path(source), schema, by=by, time=TimeOptions(**time), keep_going=keep_going)
    made = FolderSource(folder.columns, plan(folder))
    if not (ray or actors is not None):
        return detector.fit(made)
    from regimetry.scale.tasks import mapping_on_ray

    with mapping_on_ray(actors) as mapped:
        return detector.fit(replace(made, mapped=mapped))


def _map_here(function: Callable[[Unit], _Found], units: Sequence[Unit]) -> list[_Found]:
    return [function(unit) for unit in units]


@dataclass(frozen=True)
class FolderSource:
    """The rows of a folder, as :class:`~regimetry.fit.source.Source` has them.

    Attributes
    ----------
    columns : Columns
    units : list of Unit
    mapped : callable
        Who does the work.
    """

    columns: Columns
    units: list[Unit]
    mapped: Mapped = _map_here

    @property
    def schema(self) -> Schema:
        """The columns that the model reads."""
        return self.columns.schema

    @property
    def by(self) -> str | None:
        """The column that names the instruments; ``None`` where files do."""
        return self.columns.instrument

    def measured(self) -> Measured:
        """Return what the columns of each instrument are like, by rising name."""
        found: dict[str, ColumnStatistics] = {}
        for part in self.mapped(partial(_unit_statistics, columns=self.columns), self.units):
            found.update(part)
        return Measured({name: found[name] for name in sorted(found)})

    def sample(self, chosen: Mapping[str | None, Spans]) -> Panel:
        """Return the chosen stretches of each instrument, each a series of its own."""
        found: dict[str, list[tuple[Any, Any]]] = {}
        take = partial(_taken, columns=self.columns, chosen=chosen)
        for part in self.mapped(take, self.units):
            found.update(part)
        parts = [(name, *one) for name in sorted(found) for one in found[name]]
        times = [stamps for _, _, stamps in parts if stamps is not None]
        return Panel(
            None,
            np.concatenate([rows for _, rows, _ in parts]),
            np.cumsum([0, *(len(rows) for _, rows, _ in parts)]),
            tuple(name for name, _, _ in parts),
            np.concatenate(times) if times else None,
        )

    def lagged_sums(self, embedder: Embedder) -> LaggedSums:
        """Return the sums over the embeddings of all windows of all instruments."""
        threads = available_threads() if self.mapped is _map_here else 1
        work = partial(_sums, columns=self.columns, embedder=embedder, threads=threads)
        return reduce(add, self.mapped(work, self.units), embedder.zero())


def _unit_statistics(unit: Unit, *, columns: Columns) -> dict[str, ColumnStatistics]:
    return {name: ColumnStatistics.of(rows) for name, rows, _ in instruments_of(unit, columns)}


def _taken(
    unit: Unit, *, columns: Columns, chosen: Mapping[str | None, Spans]
) -> dict[str, list[tuple[Any, Any]]]:
    return {
        name: [(rows[a:b], None if times is None else times[a:b]) for a, b in chosen[name]]
        for name, rows, times in instruments_of(unit, columns)
    }


def _sums(unit: Unit, *, columns: Columns, embedder: Embedder, threads: int) -> LaggedSums:
    parts = ((name, rows) for name, rows, _ in instruments_of(unit, columns))
    return embedder.add(parts, threads=threads)


def instruments_of(
    unit: Unit, columns: Columns
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[Any] | None]]:
    """Yield each instrument of a unit by its name: its rows (T, F) in rising time, and their times.

    Raises
    ------
    DataError
        A damaged file, two rows of one time, or a value that is not finite.
    """
    ordered = rises(unit, columns, _ROWS_AT_ONCE)
    rows: dict[str, list[NDArray[np.float64]]] = {}
    times: dict[str, list[NDArray[Any]]] = {}
    for chunk in (in_order if ordered else sorted_chunks)(unit, columns, _ROWS_AT_ONCE):
        stamps = None if chunk.times is None else moments(chunk.times, columns.reading)
        order = np.argsort(chunk.which, kind="stable")
        present, first = np.unique(chunk.which[order], return_index=True)
        for place, mine in zip(present.tolist(), np.split(order, first[1:]), strict=True):
            name = chunk.names[place]
            rows.setdefault(name, []).append(chunk.values[mine])
            if stamps is not None:
                times.setdefault(name, []).append(stamps[mine])
    for name in sorted(rows):
        values = np.concatenate(rows.pop(name))
        stamps = np.concatenate(times.pop(name)) if name in times else None
        try:
            require_finite(values, columns.schema.feature_names, stamps)
        except DataError as error:
            raise DataError(f"Instrument {name!r}: {error}") from error
        yield name, values, stamps
