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

_HEAD = struct.Struct("<9I4x")
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
    """Write a record; wide values first, so that each lies where its kind must."""
    ids, rows, series, numbers = record.commit
    text = json.dumps(record.opened).encode() if record.opened else b""
    head = _HEAD.pack(
        len(text), len(record.dropped), *rows.shape, rows.itemsize, *numbers.shape,
        *record.held.shape,
    )  # fmt: skip
    narrow = [array.astype("<i4") for array in (ids, series, record.touched, record.dropped)]
    arrays = (record.held, numbers, rows, *narrow)
    return b"".join([head, *(_little(array) for array in arrays), text])


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
            ("<i8", (u, h)),
            ("<f8", (n, s)),
            (f"<f{itemsize}", (n_rows, columns)),
            ("<i4", (n_rows,)),
            ("<i4", (n,)),
            ("<i4", (u,)),
            ("<i4", (n_dropped,)),
        ):
            count = int(np.prod(shape))
            array = np.frombuffer(content, kind, count, place).reshape(shape)
            arrays.append(array.astype("i8" if kind == "<i4" else kind[1:], copy=False))
            place += array.nbytes
        text = content[place:]
        opened = [(str(c), str(name), int(slot)) for c, name, slot in json.loads(text or "[]")]
        if len(text) != n_text:
            raise ValueError("its length is another")
    except (struct.error, ValueError, TypeError) as error:
        raise DataError(f"A record of the log cannot be read ({error}).") from error
    held, numbers, rows, ids, series, touched, dropped = arrays
    return Record(opened, dropped, Commit(ids, rows, series, numbers), touched, held)


def dropping(slots: NDArray[np.int64]) -> Record:
    """Return the record of series that end."""
    none, empty = np.empty(0, np.int64), np.empty((0, 0))
    return Record([], slots, Commit(none, empty, none, empty), none, np.empty((0, 0), np.int64))


def _little(array: NDArray[np.generic]) -> bytes:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
