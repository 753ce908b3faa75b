"""What a service remembers, in a folder: the last snapshot, and a log of what came after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from regimetry.errors import DataError
from regimetry.files import TEMPORARY, alone, replacing, settle
from regimetry.runtime.snapshots import require_signed, signed
from regimetry.serve.journal import Journal, read_journal
from regimetry.serve.tensors import RequestError

_KIND = "regimetry.service"
_SNAPSHOT = re.compile(r"snapshot-(\d+)\.npz")


class Restored(NamedTuple):
    """What was found: records of the log, and bytes that a killed process left of another."""

    records: int
    cut: int


class StateFolder:
    """A numbered snapshot and the log of the same number, which begins where the snapshot stands.

    The next snapshot is written beside the old one. Once it is complete, a new log begins and the
    old pair is removed, so that at any moment one whole pair is there.

    Parameters
    ----------
    path : Path
        Made if it does not exist. No other process may use it meanwhile.
    owner : str
        Identity of the model.
    fsync : bool
        As for :class:`Journal`.
    log_bytes, log_records : int
        :attr:`is_due` is set where the log has more.

    Raises
    ------
    DataError
        Another process uses the folder, or it cannot be made.
    """

    def __init__(
        self, path: Path, owner: str, *, fsync: bool, log_bytes: int, log_records: int
    ) -> None:
        self._path, self._owner, self._fsync = path, owner, fsync
        self._most = (log_bytes, log_records)
        self._number = 0
        self._journal: Journal | None = None
        self._asked = (0, 0)  # size and records of the log when a snapshot failed
        self._held = ExitStack()
        self._held.enter_context(alone(path))

    def restore(
        self, put: Callable[[Mapping[str, Any]], None], redo: Callable[[bytes], None]
    ) -> Restored:
        """Read the snapshot, if there is one, and then each record of its log; begin to append.

        Raises
        ------
        DataError
            They are of another model, or damaged.
        """
        found = [_SNAPSHOT.fullmatch(path.name) for path in self._path.iterdir()]
        self._number = max((int(one[1]) for one in found if one), default=0)
        if self._number:
            put(self._read_snapshot())
        path, records, cut = self._log(self._number), 0, 0

        def count(content: bytes) -> None:
            nonlocal records
            redo(content)
            records += 1

        if path.exists():
            cut = read_journal(path, self._owner, count)
        self._journal = Journal(path, self._owner, fsync=self._fsync)
        self._journal.records = records
        if self._fsync:  # a new file can lose its name to a loss of power, and a new folder too
            settle(self._path)
            settle(self._path.absolute().parent)
        self._remove_others()
        return Restored(records, cut)

    @property
    def journal(self) -> Journal:
        """The log."""
        if self._journal is None:
            raise RequestError("The series are being restored. Try again.", 503)
        return self._journal

    @property
    def is_due(self) -> bool:
        """Whether the log has grown so much that a snapshot is to be written.

        After one that failed, it is once the log has grown by as much again.
        """
        grown = (self.journal.size - self._asked[0], self.journal.records - self._asked[1])
        return any(now > most for now, most in zip(grown, self._most, strict=True))

    def snapshot(self, state: Mapping[str, Any], owner: str | None = None) -> None:
        """Write a snapshot and begin a new log, of another model if one is named.

        Raises
        ------
        OSError, DataError
            It could not be written; the old snapshot and its log go on.
        """
        owner = self._owner if owner is None else owner
        old, self._asked = self.journal, (self.journal.size, self.journal.records)
        target, log = self._snapshot(self._number + 1), self._log(self._number + 1)
        log.unlink(missing_ok=True)
        journal = Journal(log, owner, fsync=self._fsync)
        try:
            with replacing(target) as temporary:
                np.savez(temporary, **signed(_KIND, owner, state))
        except BaseException:
            journal.close()
            log.unlink(missing_ok=True)
            # Where it stands after all, a restart would begin with it and pass the old log over.
            old.is_broken = target.exists()
            raise
        self._journal, self._number, self._owner = journal, self._number + 1, owner
        self._asked = (0, 0)
        old.close()
        self._remove_others()

    def close(self) -> None:
        """Give the folder back."""
        if self._journal is not None:
            self._journal.close()
        self._held.close()

    def _read_snapshot(self) -> Mapping[str, Any]:
        path = self._snapshot(self._number)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as entries:
                state = dict(entries)
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise DataError(
                f"{path} cannot be read ({error}). Bring back a copy of the folder, or name "
                "another one."
            ) from error
        require_signed(state, _KIND, self._owner)
        return state

    def _remove_others(self) -> None:
        kept = {self._snapshot(self._number), self._log(self._number)}
        for pattern in ("snapshot-*.npz", "journal-*.log", f"{TEMPORARY}*"):
            for path in set(self._path.glob(pattern)) - kept:
                path.unlink(missing_ok=True)

    def _snapshot(self, number: int) -> Path:
        return self._path / f"snapshot-{number:08}.npz"

    def _log(self, number: int) -> Path:
        return self._path / f"journal-{number:08}.log"
