"""Units of work: which rows are labelled together, and where their labels go."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from dataclasses import dataclass

from regimetry.scale.folder import Folder, TableFile

FEWEST_PARTS, MOST_PARTS = 16, 64
"""Each part reads all files: the more there are, the less is lost with one and the more is read."""

_ROWS_A_PART = 4_000_000


@dataclass(frozen=True)
class Unit:
    """What one output file holds.

    Attributes
    ----------
    output : str
        Its path in the folder of results, with "/".
    files : tuple of TableFile
        What is read, in this order.
    part : tuple of (int, int) or None
        Which group of how many; ``None`` takes every instrument of the files.
    """

    output: str
    files: tuple[TableFile, ...]
    part: tuple[int, int] | None = None


def part_of(instrument: str, parts: int) -> int:
    """Return the group of an instrument: the same everywhere and always."""
    return zlib.crc32(instrument.encode()) % parts


def plan(folder: Folder, parts: int | None = None) -> list[Unit]:
    """Divide the work so that no instrument is in two units.

    Where no instrument has rows in two files, each file is a unit and its labels take its path.
    Otherwise instruments are put into groups by a hash of their name.

    Parameters
    ----------
    folder : Folder
    parts : int or None
        Groups, where they are needed; ``None`` decides by the number of rows.
    """
    holders = Counter(name for file in folder.files for name in file.instruments)
    if all(count == 1 for count in holders.values()):
        return [Unit(file.relative, (file,)) for file in folder.files]
    if parts is None:
        parts = min(max(math.ceil(folder.rows / _ROWS_A_PART), FEWEST_PARTS), MOST_PARTS)
    group = {name: part_of(name, parts) for name in holders}
    members: dict[int, list[TableFile]] = {number: [] for number in sorted(set(group.values()))}
    for file in folder.files:
        for number in {group[name] for name in file.instruments}:
            members[number].append(file)
    return [
        Unit(f"part-{number:05d}-of-{parts:05d}.parquet", tuple(files), (number, parts))
        for number, files in members.items()
    ]
