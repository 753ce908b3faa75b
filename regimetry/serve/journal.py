"""A file to which records are only appended, each with its checksum."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from regimetry.errors import DataError

_MAGIC = b"regimetry journal 1\n"
_HEAD = struct.Struct("<III")
"""Length of the content, CRC-32 of the content, and CRC-32 of these two."""


class Journal:
    """Appends records; a record is in the file whole before :meth:`append` returns, or not at all.

    A process that is killed loses nothing of what :meth:`append` returned from, since the system
    has it. A machine that loses its power loses what the system has not yet written, unless
    ``fsync`` waits for that.

    Parameters
    ----------
    path : Path
        A new file, or one that :func:`read_journal` has read to its end.
    owner : str
        What the records belong to: the first record.
    fsync : bool
        Wait until each record is on the disk.

    Attributes
    ----------
    size : int
        Bytes of the file.
    records : int
        Appended by this object.

    Raises
    ------
    OSError
        The file cannot be written.
    """

    def __init__(self, path: Path, owner: str, *, fsync: bool) -> None:
        self._fsync = fsync
        how = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, how, 0o600)
        self.size, self.records = os.fstat(self._file).st_size, 0
        self._before = self.size
        self.is_broken = False
        if not self.size:
            try:
                self._write(_MAGIC + _record(owner.encode()))
            except OSError:
                self.close()
                raise

    def append(self, content: bytes) -> None:
        """Write a record.

        Raises
        ------
        OSError
            It could not be written; the file is as it was. If it cannot even be cut,
            ``is_broken`` is set, and nothing may be appended any more.
        """
        self._write(_record(content))
        self.records += 1

    def take_back(self) -> None:
        """Remove the last record."""
        self._cut(self._before)
        self.records -= 1

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            if self._fsync:
                os.fsync(self._file)
        except BaseException:
            self._cut(self.size)
            raise
        self._before, self.size = self.size, self.size + len(data)

    def _cut(self, size: int) -> None:
        try:
            os.ftruncate(self._file, size)
        except OSError:
            self.is_broken = True
            raise
        self.size = size


def read_journal(path: Path, owner: str, each: Callable[[bytes], None]) -> int:
    """Call ``each`` with every record, oldest first; cut off what a killed process was writing.

    Only the last record can be torn: one that the file ends in, one that fails its checksum where
    the file ends, or zeros alone, which a file system may leave when the power fails.

    Returns
    -------
    int
        Bytes that were cut.

    Raises
    ------
    DataError
        The file is no journal, that of another owner, or damaged before its end.
    """
    with path.open("r+b") as file:
        size, place = path.stat().st_size, 0
        begins = file.read(len(_MAGIC))
        if begins == _MAGIC:
            found = _next(file)
            if found is not None:
                _require_owner(path, found, owner)
                place = file.tell()
                while (content := _next(file)) is not None:
                    each(content)
                    place = file.tell()
        elif not _MAGIC.startswith(begins):
            raise DataError(f"{path} is no journal of this release; name another folder.")
        file.seek(place or len(begins))
        if not _is_torn(file.read()):
            raise DataError(
                f"{path} is damaged at byte {place}, and records follow. Bring back a copy of the "
                "folder, or name another one."
            )
        file.truncate(place)
        return size - place


def _record(content: bytes) -> bytes:
    stated = struct.pack("<II", len(content), crc32(content))
    return stated + struct.pack("<I", crc32(stated)) + content


def _next(file: BinaryIO) -> bytes | None:
    """Return the content of the next record, ``None`` where there is no whole and sound one."""
    head = file.read(_HEAD.size)
    if not _is_head(head):
        return None
    length, checksum, _ = _HEAD.unpack(head)
    content = file.read(length)
    return content if len(content) == length and crc32(content) == checksum else None


def _is_head(head: bytes) -> bool:
    return len(head) == _HEAD.size and crc32(head[:8]) == _HEAD.unpack(head)[2]


def _is_torn(rest: bytes) -> bool:
    """Whether what is left begins with a record that is no sound one since it is the last."""
    head = rest[: _HEAD.size]
    if len(head) < _HEAD.size or not any(rest):
        return True
    return _is_head(head) and len(rest) <= _HEAD.size + _HEAD.unpack(head)[0]


def _require_owner(path: Path, found: bytes, owner: str) -> None:
    if found != owner.encode():
        raise DataError(
            f"{path} holds rows of the model {found.decode(errors='replace')[:80]}, and this is "
            f"{owner}. Serve that model and replace it while it runs, or name another folder."
        )
