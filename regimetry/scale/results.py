"""The folder of results: whose it is, and what of it is done."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from regimetry.errors import DataError
from regimetry.files import TEMPORARY, replacing
from regimetry.scale.folder import Folder, import_pyarrow
from regimetry.scale.job import REPORT_KEY
from regimetry.scale.work_units import Unit

RECORD = "_regimetry.json"
"""Of which model and which input the results are. Readers of Parquet folders pass "_" over."""

JOURNAL = "_regimetry.done"
"""One line of JSON for each file that is complete: its path, rows and SHA-256."""


def record_of(folder: Folder, units: Sequence[Unit], model: bytes) -> dict[str, str]:
    """Return what makes two runs the same: the model, the files, and how they are divided.

    Parameters
    ----------
    folder : Folder
    units : sequence of Unit
    model : bytes
        Content of the model file, and rules that are not those of the file.
    """
    columns = folder.columns
    files = []
    for file in folder.files:
        status = file.path.stat()
        files.append([file.relative, status.st_size, status.st_mtime_ns])
    work = [columns.instrument, columns.time, sorted(folder.skipped), [u.output for u in units]]
    return {
        "model": hashlib.sha256(model).hexdigest(),
        "input": hashlib.sha256(json.dumps(files).encode()).hexdigest(),
        "work": hashlib.sha256(json.dumps(work).encode()).hexdigest(),
    }


_WHAT = {
    "model": "of another model, or of one that read rows by other rules",
    "input": "of other files, or of files that have changed since",
    "work": "of the same files with other columns, parts or files left out",
}


def claim(output: Path, record: dict[str, str]) -> None:
    """Make the folder this run's, or go on with it.

    Files that a killed run was writing are removed: one run at a time writes into a folder, as
    :func:`~regimetry.files.alone` sees to.

    Raises
    ------
    DataError
        It holds results of another run, or files that are nobody's.
    """
    path = output / RECORD
    if path.is_file():
        before = json.loads(path.read_text())
        for name, text in _WHAT.items():
            if before.get(name) != record[name]:
                raise DataError(
                    f"{output} holds results {text}. Name another folder, or remove this one."
                )
        clear_leftovers(output)
    elif any(output.iterdir()):
        raise DataError(
            f"{output} is not empty and holds no results of regimetry. Name a folder that is "
            "empty or does not exist."
        )
    else:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(record))


def clear_leftovers(output: Path) -> None:
    """Remove what a killed process was writing."""
    for path in output.rglob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def mark_done(output: Path, report: dict[str, Any]) -> None:
    """Note that the file of a unit is complete, and its sum."""
    total = _sum_of(output / report["output"])
    line = json.dumps({"output": report["output"], "rows": report["rows"], "sha256": total})
    with (output / JOURNAL).open("a", encoding="utf-8") as journal:
        journal.write(line + "\n")
        journal.flush()
        os.fsync(journal.fileno())


def journal_of(output: Path) -> dict[str, dict[str, Any]]:
    """Return what is noted of each file that is complete, by its path in the folder."""
    path = output / JOURNAL
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        with suppress(ValueError):  # what a killed run was writing
            entry = json.loads(line)
            found[entry["output"]] = entry
    return found


def done(
    output: Path, unit: Unit, journal: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Return the report of a unit whose file is noted as complete; ``None`` where none is.

    Raises
    ------
    DataError
        The file is not as it was written.
    """
    path, entry = output / unit.output, journal.get(unit.output)
    if entry is None or not path.is_file():
        return None
    if _sum_of(path) != entry["sha256"]:
        raise DataError(
            f"{path} is not as it was written: it has another SHA-256 than {JOURNAL} says. Move it "
            "away, and the same command writes it again."
        )
    pa = import_pyarrow()
    try:
        metadata = pa.parquet.read_metadata(path).metadata or {}
        report: dict[str, Any] = json.loads(metadata[REPORT_KEY])
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise DataError(
            f"{path} is not a record that regimetry wrote. Move it away, and the same command "
            "writes it again."
        ) from error
    return report if report["rows"] == entry["rows"] else None


def _sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
