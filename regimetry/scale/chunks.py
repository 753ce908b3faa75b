"""The rows of a unit, in chunks: each instrument's in rising time, read as they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.scale.columns import Columns, is_text_type
from regimetry.scale.folder import TableFile, batches_of, import_pyarrow
from regimetry.scale.times import TimeOrder, moments
from regimetry.scale.work_units import Unit, part_of
from regimetry.series.frames import matrix_of
from regimetry.series.numbers import numbers_of_texts

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Chunk:
    """Some rows.

    Attributes
    ----------
    names : list of str
        Instruments.
    which : ndarray of int64, shape (n,)
        The instrument of each row, as a place in ``names``.
    times : pyarrow.Array or None
        As they stand in the files.
    values : ndarray of float64, shape (n, F)
    """

    names: list[str]
    which: NDArray[np.int64]
    times: Any
    values: NDArray[np.float64]


def rises(unit: Unit, columns: Columns, size: int) -> bool:
    """Return whether each instrument's rows come in rising time, reading those columns alone.

    Raises
    ------
    DataError
        A time is missing, or an instrument has two rows of one time.
    """
    if columns.time is None:
        return True
    order = TimeOrder(columns.reading)
    return all(
        order.goes_on(*_encoded(table), table[columns.time])
        for table in _arrow_tables(unit, columns, size, features=False)
    )


def in_order(unit: Unit, columns: Columns, size: int) -> Iterator[Chunk]:
    """Yield chunks of ``size`` rows as they lie in the files; the last may be shorter."""
    for table in _arrow_tables(unit, columns, size, features=True):
        yield _chunk(table, columns)


def sorted_chunks(unit: Unit, columns: Columns, size: int) -> Iterator[Chunk]:
    """Read the whole unit and yield it by instrument and time.

    Raises
    ------
    DataError
        An instrument has two rows of one time.
    """
    pa = import_pyarrow()
    assert columns.time is not None
    table = pa.concat_tables(list(_arrow_tables(unit, columns, size, features=True)))
    names, which = _encoded(table)
    times = moments(table[columns.time], columns.reading)
    rank = np.argsort(np.argsort(np.array(names)))
    order = pa.array(np.lexsort((times, rank[which])))
    TimeOrder(columns.reading).goes_on(
        names, which[order.to_numpy()], table[columns.time].take(order)
    )
    for first in range(0, len(order), size):
        yield _chunk(table.take(order.slice(first, size)), columns)


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """Yield the same, while a thread already fetches the next."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def _arrow_tables(unit: Unit, columns: Columns, size: int, *, features: bool) -> Iterator[Any]:
    """Yield tables of ``size`` rows that belong to the unit; the last may be shorter.

    Their first column is the instrument, as a dictionary.
    """
    pa = import_pyarrow()
    waiting: list[Any] = []
    count = 0
    wanted = columns.read if features else columns.keys
    named = [columns.instrument] if columns.instrument_in_file and columns.instrument else []
    for file in unit.files:
        for batch in batches_of(file.path, file.relative, wanted, size, named):
            table = _of_the_unit(pa, batch, unit, file, columns)
            waiting.append(table)
            count += len(table)
            if count >= size:
                joined = pa.concat_tables(waiting)
                for first in range(0, count - size + 1, size):
                    yield joined.slice(first, size)
                waiting = [joined.slice(count // size * size)]
                count %= size
    if count:
        yield pa.concat_tables(waiting)


def _of_the_unit(pa: Any, batch: Any, unit: Unit, file: TableFile, columns: Columns) -> Any:
    """Put the instrument first, as a dictionary of text, and keep the unit's instruments."""
    if columns.instrument_in_file:
        column = batch.column(columns.instrument)
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
    else:
        nothing = pa.array(np.zeros(len(batch), np.int32))
        column = pa.DictionaryArray.from_arrays(nothing, pa.array([file.instruments[0]]))
    names = column.dictionary.cast(pa.string())
    indices = column.indices.cast(pa.int32())
    first = pa.DictionaryArray.from_arrays(indices, names)
    rest = [
        _read(column, name, file, columns)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    table = pa.table([first, *rest], names=[_INSTRUMENT, *batch.schema.names])
    if unit.part is None or not columns.instrument_in_file:
        return table
    number, parts = unit.part
    mine = np.array([part_of(name, parts) == number for name in names.to_pylist()], np.bool_)
    return table.filter(pa.array(mine[indices.to_numpy()]))


def _read(column: Any, name: str, file: TableFile, columns: Columns) -> Any:
    """Return a column of a file, text as the numbers that a model reads of it."""
    numeric = [one.name for one in columns.schema.columns if one.categories is None]
    if name not in numeric or not is_text_type(column.type):
        return column
    texts = column.to_pylist()
    values, read = numbers_of_texts(texts)
    if not read.all():
        raise DataError(
            f"Column {name!r} of {file.relative} holds {texts[int(np.argmin(read))]!r}; the model "
            "reads numbers there. Write it as numbers."
        )
    return import_pyarrow().array(values)


_INSTRUMENT = "\0instrument"  # no column of a file has this name


def _encoded(table: Any) -> tuple[list[str], NDArray[np.int64]]:
    """Return the instruments and which each row is of."""
    column = table[_INSTRUMENT].unify_dictionaries().combine_chunks()
    names = column.dictionary.to_pylist()
    return names, column.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _chunk(table: Any, columns: Columns) -> Chunk:
    names, which = _encoded(table)
    times = None if columns.time is None else table[columns.time].combine_chunks()
    values = matrix_of(table.select(list(columns.schema.names)), columns.schema)
    return Chunk(names, which, times, values)
