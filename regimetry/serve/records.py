"""What a record of the log says, in bytes: series that begin and end, and what a push changed."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.runtime.bank import Commit

_HEAD = struct.Struct("<9I")
"""Bytes of text; dropped series; shape of rows, bytes of a value; shapes of numbers and of held."""


class Record(NamedTuple):
    """One step of all series.

    Attributes
    ----------
    opened : sequence of (str, str, int)
        Client, name and number of each series that begins.
    dropped : ndarray of int64, shape (D,)
        Numbers of those that end.
    commit : Commit
        What the push changed in the bank.
    touched : ndarray of int64, shape (U,)
        Series to which rows came, ascending.
    held : ndarray of int64, shape (U, H)
        What else is held of these.
    """

    opened: Sequence[tuple[str, str, int]]
    dropped: NDArray[np.int64]
    commit: Commit
    touched: NDArray[np.int64]
    held: NDArray[np.int64]


def encode(record: Record) -> bytes:
    """Write a record; wide values first, so that all lie where their kind must."""
    ids, rows, series, numbers = record.commit
    text = json.dumps(record.opened).encode() if record.opened else b""
    head = _HEAD.pack(
        len(text), len(record.dropped), *rows.shape, rows.itemsize, *numbers.shape,
        *record.held.shape,
    )  # fmt: skip
    wide = [record.dropped, ids, series, record.touched, record.held, numbers]
    return b"".join([head, *(_little(array) for array in (*wide, rows)), text])


def decode(content: bytes) -> Record:
    """Read what :func:`encode` wrote.

    Raises
    ------
    DataError
        It is something else.
    """
    try:
        n_text, n_dropped, n_rows, columns, itemsize, n, s, u, h = _HEAD.unpack_from(content)
        place, arrays = _HEAD.size, []
        for kind, shape in (
            ("<i8", (n_dropped,)),
            ("<i8", (n_rows,)),
            ("<i8", (n,)),
            ("<i8", (u,)),
            ("<i8", (u, h)),
            ("<f8", (n, s)),
            (f"<f{itemsize}", (n_rows, columns)),
        ):
            count = int(np.prod(shape))
            dtype = np.dtype(kind)
            array = np.frombuffer(content, dtype, count, place).reshape(shape)
            arrays.append(array.astype(dtype.newbyteorder("="), copy=False))
            place += array.nbytes
        text = content[place:]
        opened = [(str(c), str(name), int(slot)) for c, name, slot in json.loads(text or "[]")]
        if len(text) != n_text:
            raise ValueError("its length is another")
    except (struct.error, ValueError, TypeError) as error:
        raise DataError(f"A record of the log cannot be read ({error}).") from error
    dropped, ids, series, touched, held, numbers, rows = arrays
    return Record(opened, dropped, Commit(ids, rows, series, numbers), touched, held)


def dropping(slots: NDArray[np.int64]) -> Record:
    """Return the record of series that end."""
    none, empty = np.empty(0, np.int64), np.empty((0, 0))
    return Record([], slots, Commit(none, empty, none, empty), none, np.empty((0, 0), np.int64))


def _little(array: NDArray[np.generic]) -> bytes:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
