"""The folder of results: whose it is, and what of it is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regimetry.errors import DataError
from regimetry.files import replacing
from regimetry.scale.folder import Folder, import_pyarrow
from regimetry.scale.job import REPORT_KEY
from regimetry.scale.work_units import Unit

RECORD = "_regimetry.json"
"""Of which model and which input the results are. Readers of Parquet folders pass "_" over."""


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

    Files that a killed run was writing are removed: one run at a time writes into a folder.

    Raises
    ------
    DataError
        It holds results of another run, or files that are nobody's.
    """
    output.mkdir(parents=True, exist_ok=True)
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
    for path in output.rglob(".writing-*"):
        path.unlink(missing_ok=True)


def done(output: Path, unit: Unit) -> dict[str, Any] | None:
    """Return the report of a unit whose file is complete; ``None`` where there is none."""
    path = output / unit.output
    if not path.is_file():
        return None
    pa = import_pyarrow()
    try:
        metadata = pa.parquet.read_metadata(path).metadata or {}
        report: dict[str, Any] = json.loads(metadata[REPORT_KEY])
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} is not a record that regimetry wrote. Remove it.") from error
    return report
