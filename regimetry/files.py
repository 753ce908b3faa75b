"""Files that are complete or absent."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from os import PathLike
from pathlib import Path

from regimetry.errors import DataError

if sys.platform != "win32":
    import fcntl

TEMPORARY = ".writing-"
"""How names of files begin that are not complete."""

_STALE_S = 86_400


@contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, which takes its place if the block succeeds.

    The temporary name ends as ``path`` does, since writers choose their format by it. The content
    is on the disk before it takes the place. A link stays one, to the new content, and a file that
    is replaced gives its mode. What a killed process left in the folder a day ago is removed.

    Raises
    ------
    DataError
        The folder does not exist or cannot be written to, or a device or a folder stands there.
    """
    target = Path(path)
    require_writable(target)
    if target.is_symlink():
        target = target.resolve()
        require_writable(target)
    _sweep(target.parent)
    temporary = target.with_name(f"{TEMPORARY}{secrets.token_hex(8)}{target.suffix}")
    try:  # the name comes before the file, so that a Ctrl-C between the two leaves nothing
        temporary.touch(exist_ok=False)
        yield temporary
        settle(temporary)
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
        settle(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def settle(path: Path) -> None:
    """Wait until a file, or the names of a folder, are on the disk."""
    folder = path.is_dir()
    if folder and os.name == "nt":  # which has no such wait
        return
    descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def _sweep(folder: Path) -> None:
    """Remove what killed processes left, once for each folder."""
    before = time.time() - _STALE_S
    for path in folder.glob(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):  # another one may remove it meanwhile
            if path.is_file() and path.stat().st_mtime < before:
                path.unlink()


def require_writable(path: str | PathLike[str]) -> None:
    """Raise :class:`DataError` unless a file can be written at ``path``."""
    target = Path(path)
    if not target.parent.is_dir():
        raise DataError(f"The folder {target.parent} of {target.name} does not exist. Create it.")
    if target.is_dir():
        raise DataError(f"{target} is a folder; name a file.")
    if target.exists() and not target.is_file():
        raise DataError(f"{target} is a device or a pipe, which a file would replace; name a file.")
    if not os.access(target.parent, os.W_OK):
        raise DataError(f"The folder {target.parent} cannot be written to. Choose another.")


@contextmanager
def alone(output: Path) -> Iterator[None]:
    """Make a folder, and keep other runs out of it while the block runs.

    The system gives the lock back when the process dies. Where it has none, nobody is kept out.

    Raises
    ------
    DataError
        Another run writes into it, or it is no folder that can be made and opened.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(output)
    except BlockingIOError as error:
        raise DataError(
            f"{output} is busy: another run writes into it. Wait until it ends, or name another "
            "folder."
        ) from error
    except OSError as error:
        raise DataError(f"The folder {output} cannot be used ({error}). Name another.") from error
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(folder: Path) -> int | None:
    """Lock a folder and return its descriptor; ``None`` where the system has no such lock."""
    if sys.platform == "win32":
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP):  # else a file system without locks
            os.close(descriptor)
            raise
    return descriptor
