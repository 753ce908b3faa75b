"""Files that are complete or absent."""

from __future__ import annotations

import os
import secrets
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
    temporary = target.with_name(f".writing-{secrets.token_hex(8)}{target.suffix}")
    try:  # the name comes before the file, so that a Ctrl-C between the two leaves nothing
        temporary.touch(exist_ok=False)
        yield temporary
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
