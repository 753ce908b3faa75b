"""What live series are remembered by: each step in a log, and at times a snapshot of all."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.runtime.bank import RegimeBank
from regimetry.runtime.snapshots import entry
from regimetry.serve.folder import StateFolder
from regimetry.serve.records import Record, decode, encode
from regimetry.serve.table import SeriesTable
from regimetry.serve.tensors import RequestError

_LOGGER = logging.getLogger("regimetry")
_BANK = "bank."


class Memory:
    """Remembers the steps of a bank and its table, in a folder or, without one, not at all.

    Parameters
    ----------
    folder : StateFolder or None

    Attributes
    ----------
    is_ready : bool
        Whether what was remembered has been restored.
    snapshots, failed : int
        Written, and not written since the disk is full or the like.
    """

    def __init__(self, folder: StateFolder | None) -> None:
        self._folder = folder
        self.is_ready = folder is None
        self.snapshots = self.failed = 0

    @property
    def log_bytes(self) -> int:
        """Of the log."""
        return self._folder.journal.size if self._folder is not None and self.is_ready else 0

    def require_ready(self) -> None:
        """Raise :class:`RequestError` (503) while nothing can be taken."""
        if not self.is_ready:
            raise RequestError("The series are being restored. Try again.", 503)
        if self._folder is not None and self._folder.journal.is_broken:
            raise RequestError(
                "The log cannot be written any more, so nothing is taken. Start the service again: "
                "it restores all that was answered.",
                503,
            )

    def restore(self, bank: RegimeBank, table: SeriesTable) -> str | None:
        """Take up what the folder holds; return what there is to say.

        Raises
        ------
        DataError
            It is of another model, or damaged.
        """
        if self._folder is None:
            return None
        found = self._folder.restore(
            lambda state: _put_back(state, bank, table),
            lambda content: _redo(decode(content), bank, table),
        )
        self.is_ready = True
        cut = f"; {found.cut} bytes of a record that was not complete are cut off"
        return (
            f"restored {len(table)} series, {found.records} steps of them from the log"
            f"{cut if found.cut else ''}"
        )

    def write(self, record: Record) -> None:
        """Put a step into the log; :class:`RequestError` (507) leaves the log as it was."""
        if self._folder is None:
            return
        try:
            self._folder.journal.append(encode(record))
        except OSError as error:
            raise _full("log", error) from error

    def take_back(self) -> None:
        """Remove the step that was written last."""
        if self._folder is not None:
            self._folder.journal.take_back()

    def begin_anew(self, bank: RegimeBank, table: SeriesTable, held: NDArray[np.int64]) -> None:
        """Write a snapshot of a bank of another model; :class:`RequestError` (507) if it cannot."""
        if self._folder is None:
            return
        try:
            self._folder.snapshot(_state(bank, table, held), bank.model)
        except (OSError, DataError) as error:
            raise _full("snapshot", error) from error
        self.snapshots += 1

    def keep_short(self, bank: RegimeBank, table: SeriesTable) -> None:
        """Write a snapshot where the log has grown long; if that fails, the log goes on."""
        if self._folder is not None and self._folder.is_due:
            self._snapshot(self._folder, bank, table)

    def close(self, bank: RegimeBank, table: SeriesTable) -> None:
        """Write a snapshot, if anything has changed, and give the folder back."""
        if self._folder is None:
            return
        if self.is_ready and self._folder.journal.records:
            self._snapshot(self._folder, bank, table)
        self._folder.close()

    def _snapshot(self, folder: StateFolder, bank: RegimeBank, table: SeriesTable) -> None:
        try:
            folder.snapshot(_state(bank, table, table.held))
        except (OSError, DataError) as error:
            self.failed += 1
            _LOGGER.warning("%s", _full("snapshot", error))
        else:
            self.snapshots += 1


def _full(what: str, error: Exception) -> RequestError:
    reason = getattr(error, "strerror", None) or str(error).rstrip(".")
    return RequestError(
        f"The {what} cannot be written ({reason}); the series are as they were. Make room.", 507
    )


def _state(bank: RegimeBank, table: SeriesTable, held: NDArray[np.int64]) -> dict[str, Any]:
    """Return all that is known of the series as arrays."""
    state = bank.snapshot()
    names = json.dumps([table.key(number) for number in state["ids"].tolist()]).encode()
    return {
        **{_BANK + name: value for name, value in state.items()},
        "names": np.frombuffer(names, np.uint8),
        "held": held[state["ids"]],
    }


def _put_back(state: Mapping[str, Any], bank: RegimeBank, table: SeriesTable) -> None:
    """Take up what :func:`_state` returned."""
    bank.restore({k.removeprefix(_BANK): v for k, v in state.items() if k.startswith(_BANK)})
    ids = state[_BANK + "ids"]
    for (client, name), number in zip(
        json.loads(entry(state, "names").tobytes()), ids.tolist(), strict=True
    ):
        table.open(client, name, number)
    table.held[ids] = entry(state, "held")


def _redo(record: Record, bank: RegimeBank, table: SeriesTable) -> None:
    """Make a step again."""
    if len(record.dropped):
        table.close(record.dropped.tolist())
        bank.drop(record.dropped)
    if record.opened:
        numbers = bank.add(len(record.opened)).tolist()
        if numbers != [number for _, _, number in record.opened]:
            raise DataError(
                "The log names other series than it began. Bring back a copy of the folder, or "
                "name another one."
            )
        for client, name, number in record.opened:
            table.open(client, name, number)
    if len(record.touched):
        bank.redo(record.commit)
        table.held[record.touched] = record.held
