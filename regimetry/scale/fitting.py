"""A fit on a folder of Parquet files: passes over units, here or on Ray, and a sample in memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, DataError, DataWarning
from regimetry.fit.source import Embedder, Measured, Spans
from regimetry.parameters import require_integer
from regimetry.runtime.threads import available_threads
from regimetry.scale.chunks import in_order, rises, sorted_chunks
from regimetry.scale.columns import Columns
from regimetry.scale.folder import scan
from regimetry.scale.times import moments
from regimetry.scale.work_units import Unit, plan
from regimetry.series.column_statistics import ColumnStatistics
from regimetry.series.gaps import StepCounts
from regimetry.series.left_out import leave_out
from regimetry.series.matrix import require_finite
from regimetry.series.panel import Panel, read_panel
from regimetry.series.rules import PLAIN, ReadingRules, decided
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
    rules = ReadingRules.of(detector)
    if rules.resample is not None:
        raise ConfigError(
            f"resample is {rules.resample!r}, and folders gather no rows in bins. Write the bins "
            "to Parquet first, or leave resample out."
        )
    reading = rules.of_times(TimeOptions(**time))
    folder = scan(Path(source), schema, by=by, time=reading, keep_going=keep_going)
    made = FolderSource(folder.columns, plan(folder), reading=rules)
    if not (ray or actors is not None):
        return detector.fit(made.decided().looked_through(named=columns is not None))
    from regimetry.scale.tasks import mapping_on_ray

    with mapping_on_ray(actors) as mapped:
        made = replace(made, mapped=mapped).decided()
        return detector.fit(made.looked_through(named=columns is not None))


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
    reading : ReadingRules
        How rows are read.
    found : Measured or None
        What a pass over the files found.
    """

    columns: Columns
    units: list[Unit]
    mapped: Mapped = _map_here
    reading: ReadingRules = PLAIN
    found: Measured | None = None

    @property
    def schema(self) -> Schema:
        """The columns that the model reads."""
        return self.columns.schema

    @property
    def by(self) -> str | None:
        """The column that names the instruments; ``None`` where files do."""
        return self.columns.instrument

    def decided(self) -> FolderSource:
        """Return the same with the gap that "auto" means, by the steps of all instruments."""
        if self.reading.max_gap != "auto":
            return self
        found = self.mapped(partial(_unit_steps, columns=self.columns), self.units)
        dates = any(is_dates for _, is_dates in found)
        counts = StepCounts.together([counts for counts, _ in found])
        return replace(self, reading=decided(self.reading, counts, is_dates=dates))

    def looked_through(self, *, named: bool) -> FolderSource:
        """Return the same after a first pass, without columns that are constant throughout.

        Somebody who ``named`` the columns wants them.
        """
        found = self.measured()
        still = np.all([one.constant for one in found.statistics.values()], axis=0)
        if named or not still.any():
            return replace(self, found=found)
        constant = [self.schema.columns[i] for i in np.flatnonzero(still)]
        schema = leave_out(self.schema, constant, "are constant")
        return replace(self, columns=replace(self.columns, schema=schema))

    def measured(self) -> Measured:
        """Return what the columns of each instrument are like, by rising name."""
        if self.found is not None:
            return self.found
        found: dict[str, tuple[ColumnStatistics, NDArray[np.int64], int]] = {}
        work = partial(_unit_statistics, columns=self.columns, rules=self.reading)
        for part in self.mapped(work, self.units):
            found.update(part)
        if not found:
            raise DataError(
                "No row of any instrument is complete. Leave columns out (columns, --columns), or "
                "fill them forward (missing='ffill')."
            )
        names = sorted(found)
        left = sum(rows - one.rows for one, _, rows in found.values())
        if left > 0 and self.reading.resample is None:
            warnings.warn(f"left out {left} rows with missing values", DataWarning, stacklevel=2)
        return Measured(
            {name: found[name][0] for name in names}, {name: found[name][1] for name in names}
        )

    def sample(self, chosen: Mapping[str | None, Spans]) -> Panel:
        """Return the chosen stretches of each instrument, each a series of its own."""
        found: dict[str, list[tuple[Any, Any]]] = {}
        take = partial(_taken, columns=self.columns, rules=self.reading, chosen=chosen)
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
        work = partial(
            _sums, columns=self.columns, rules=self.reading, embedder=embedder, threads=threads
        )
        return reduce(add, self.mapped(work, self.units), embedder.zero())


def _unit_steps(unit: Unit, *, columns: Columns) -> tuple[StepCounts, bool]:
    """Return the steps between the times of each instrument, and whether these are dates."""
    found = [times for _, _, times in rows_of(unit, columns) if times is not None]
    return StepCounts.of(found), any(times.dtype.kind == "M" for times in found)


def _unit_statistics(
    unit: Unit, *, columns: Columns, rules: ReadingRules
) -> dict[str, tuple[ColumnStatistics, NDArray[np.int64], int]]:
    """Return of each instrument what its columns are like, its segments, and its rows as given."""
    return {
        name: (ColumnStatistics.of(read.values, read.offsets), read.offsets, rows)
        for name, read, rows in instruments_of(unit, columns, rules)
    }


def _taken(
    unit: Unit, *, columns: Columns, rules: ReadingRules, chosen: Mapping[str | None, Spans]
) -> dict[str, list[tuple[Any, Any]]]:
    return {
        name: [
            (read.values[a:b], None if read.timestamps is None else read.timestamps[a:b])
            for a, b in chosen[name]
        ]
        for name, read, _ in instruments_of(unit, columns, rules)
    }


def _sums(
    unit: Unit, *, columns: Columns, rules: ReadingRules, embedder: Embedder, threads: int
) -> LaggedSums:
    parts = (part for _, read, _ in instruments_of(unit, columns, rules) for part in read.named)
    return embedder.add(parts, threads=threads)


def instruments_of(
    unit: Unit, columns: Columns, rules: ReadingRules = PLAIN
) -> Iterator[tuple[str, Panel, int]]:
    """Yield each instrument of a unit by its name, read by the rules, and its rows as given.

    One without a complete row is left out. What else is left out is counted by
    :meth:`FolderSource.measured`, not said for each instrument.

    Raises
    ------
    DataError
        As for :func:`rows_of`, or a value is missing where the rules refuse it.
    """
    for name, values, times in rows_of(unit, columns):
        given = Panel(None, values, np.array([0, len(values)]), (name,), times)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            read = read_panel(given, columns.schema, rules)
        if len(read.values):
            yield name, read, len(values)


def rows_of(
    unit: Unit, columns: Columns
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[Any] | None]]:
    """Yield each instrument of a unit by its name: its rows (T, F) in rising time, and their times.

    Raises
    ------
    DataError
        A damaged file, two rows of one time, or a value that is infinite.
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
            require_finite(values, columns.schema.feature_names, stamps, with_missing=True)
        except DataError as error:
            raise DataError(f"Instrument {name!r}: {error}") from error
        yield name, values, stamps
