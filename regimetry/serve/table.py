"""Which series there are: names of clients to numbers of the bank, and what is held of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from regimetry.runtime.changes import ChangeRule
from regimetry.serve.tensors import RequestError

NAME_LENGTH = 256
"""Characters of the longest name of a series."""

CAME = 3
"""The column of ``held`` that counts rows; those before it are the state of the change rule."""

_NOTHING = "", (), np.empty(0, np.int64)


class SeriesTable:
    """Names and numbers of series.

    Parameters
    ----------
    capacity : int
        The most series of all clients.
    per_client : int
        The most of one.

    Attributes
    ----------
    held : ndarray of int64, shape (capacity, 4)
        State of the change rule, and rows that came, by number.
    used : ndarray of float64, shape (capacity,)
        When the last row came, by number.
    """

    def __init__(self, capacity: int, per_client: int) -> None:
        self._capacity, self._per_client = capacity, per_client
        self._numbers: dict[str, dict[str, int]] = {}
        self._keys: dict[int, tuple[str, str]] = {}
        self.held = held_at_first(capacity)
        self.used = np.zeros(capacity)
        self._found: tuple[str, Sequence[str], NDArray[np.int64]] = _NOTHING

    def __len__(self) -> int:
        return len(self._keys)

    def number(self, client: str, name: str) -> int:
        """Return the number of a series.

        Raises
        ------
        RequestError
            There is none of this name: 404.
        """
        require_name(name)
        found = self._numbers.get(client, {}).get(name)
        if found is None:
            raise RequestError(
                f"There is no series {name[:80]!r}; a push makes one, and an idle one is dropped.",
                404,
            )
        return found

    def find(self, client: str, names: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
        """Return the number of each name, -1 of new ones, and these, each once.

        Raises
        ------
        RequestError
            A new name is none, or there is no room for all.
        """
        if self._found[:2] == (client, names):  # the same series again, as of a feed
            return self._found[2], []
        mine = self._numbers.get(client, {})
        numbers = np.array([mine.get(name, -1) for name in names], np.int64)
        missing = np.flatnonzero(numbers < 0).tolist()
        if not missing:
            self._found = client, names, numbers
            return numbers, []
        new = [*dict.fromkeys(names[row] for row in missing)]
        for name in new:
            require_name(name)
        for what, there, limit in (
            ("server", len(self), self._capacity),
            ("client", len(mine), self._per_client),
        ):
            if there + len(new) > limit:
                raise RequestError(
                    f"The push begins {len(new)} series; this {what} has {there}, and {limit} are "
                    "allowed. Drop some, or push to those that exist.",
                    429,
                )
        return numbers, new

    def open(self, client: str, name: str, number: int) -> None:
        """Take a series in."""
        self._numbers.setdefault(client, {})[name] = number
        self._keys[number] = client, name

    def close(self, numbers: Iterable[int]) -> None:
        """Forget series."""
        self._found = _NOTHING
        for number in numbers:
            client, name = self._keys.pop(number)
            self.held[number] = held_at_first(1)
            del self._numbers[client][name]
            if not self._numbers[client]:
                del self._numbers[client]

    def key(self, number: int) -> tuple[str, str]:
        """Return client and name of a number."""
        return self._keys[number]

    def idle_since(self, moment: float) -> NDArray[np.int64]:
        """Return the numbers of series whose last row came before a moment, ascending."""
        numbers = np.array(sorted(self._keys), np.int64)
        return numbers[self.used[numbers] < moment]


def held_at_first(count: int) -> NDArray[np.int64]:
    """Return what is held of series without rows, (count, 4)."""
    return np.column_stack([ChangeRule.begin(count), np.zeros(count, np.int64)])


def require_name(name: str) -> None:
    """Raise :class:`RequestError` unless a series may have this name."""
    if not name or len(name) > NAME_LENGTH or not name.isprintable() or "/" in name:
        raise RequestError(
            f"The name of a series is {name[:40]!r}, of {len(name)} characters; it must be 1 to "
            f"{NAME_LENGTH} printable ones, and no slash."
        )
