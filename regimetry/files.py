"""Files that are complete or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from regimetry.errors import DataError


@contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, which takes its place if the block succeeds.

    The temporary name ends as ``path`` does, since writers choose their format by it.

    Raises
    ------
    DataError
        The folder does not exist or cannot be written to.
    """
    target = Path(path)
    require_writable(target)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".writing-", suffix=target.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp's own mode is private to the user
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def require_writable(path: str | PathLike[str]) -> None:
    """Raise :class:`DataError` unless a file can be written at ``path``."""
    target = Path(path)
    if not target.parent.is_dir():
        raise DataError(f"The folder {target.parent} of {target.name} does not exist. Create it.")
    if target.is_dir():
        raise DataError(f"{target} is a folder; name a file.")
    if not os.access(target.parent, os.W_OK):
        raise DataError(f"The folder {target.parent} cannot be written to. Choose another.")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
