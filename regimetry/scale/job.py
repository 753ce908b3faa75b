"""One unit: its rows in, its labels out, complete or not at all."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, DataError, RegimetryError
from regimetry.files import replacing
from regimetry.runtime.batch import Advance
from regimetry.runtime.labelling import MISSING
from regimetry.runtime.model import RegimeModel
from regimetry.scale.chunks import Chunk, ahead, in_order, rises, sorted_chunks
from regimetry.scale.columns import Columns
from regimetry.scale.folder import DamagedFileError, import_pyarrow
from regimetry.scale.labeller import Labeller
from regimetry.scale.times import moments
from regimetry.scale.work_units import Unit
from regimetry.scale.writing import label_schema, table_of_labels

GIB = 1 << 30
MOST_ROWS = 1 << 16
"""Rows of a chunk, at most: a thousand batches, in which the pause between chunks is lost."""

REPORT_KEY = b"regimetry"
"""Where an output file keeps the report of its unit."""


@dataclass(frozen=True)
class Job:
    """What every unit of a run has in common.

    Attributes
    ----------
    columns : Columns
    output : Path
        Folder of the results.
    memory : float
        GiB for the rows that are held at once.
    keep_going : bool
        Leave out damaged files of a unit that has others.
    """

    columns: Columns
    output: Path
    memory: float
    keep_going: bool

    def rows_a_chunk(self, model: RegimeModel) -> int:
        """Return how many rows are labelled at once.

        Raises
        ------
        ConfigError
            The memory does not hold one batch.
        """
        rows = int(self.memory * GIB / _bytes_a_row(model))
        batch: int = model._file.batch_size
        if rows < batch:
            raise ConfigError(
                f"memory is {self.memory:g} GiB, which holds {rows} rows; a batch has {batch}. "
                f"Give {batch * _bytes_a_row(model) / GIB:.2g} or more."
            )
        return min(rows, MOST_ROWS)


def _bytes_a_row(model: RegimeModel) -> int:
    """Estimate what a row takes at the most: read twice, as values three times, and its labels."""
    contract, columns = model.contract, model.schema
    read = max(len(columns.feature_names), contract.n_features)
    return 8 * (2 * (len(columns.names) + 2) + 4 * read) + 8 * (6 * contract.n_regimes + 12)


def attempt(
    unit: Unit, job: Job, model: RegimeModel, advance: Advance | None = None
) -> dict[str, Any] | RegimetryError:
    """Label a unit; return its report, or what keeps it from being labelled: bad data, no room."""
    try:
        return label_unit(unit, job, model, advance)
    except DataError as error:
        return error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return RegimetryError(
            f"The disk that holds {job.output} is full. The files there are complete; make "
            "room and give the same command again for the rest."
        )


def label_unit(
    unit: Unit, job: Job, model: RegimeModel, advance: Advance | None = None
) -> dict[str, Any]:
    """Label the rows of a unit and write its file.

    Returns
    -------
    dict
        Plain data: ``output``, ``rows``, ``instruments`` (how many), ``short`` (names of those
        without a full window), ``bars`` of each regime by name, ``unlabelled`` rows, ``sorted``
        (whether rows had to be put in order) and ``skipped`` files with the reason.

    Raises
    ------
    DataError
        The rows cannot be used; there is no output.
    """
    files = list(unit.files)
    skipped: dict[str, str] = {}
    while True:
        try:
            return _label(replace(unit, files=tuple(files)), job, model, skipped, advance)
        except DamagedFileError as error:
            if not job.keep_going or len(files) == 1:
                raise
            skipped[error.relative] = str(error)
            files = [file for file in files if file.relative != error.relative]


def _label(
    unit: Unit, job: Job, model: RegimeModel, skipped: dict[str, str], advance: Advance | None
) -> dict[str, Any]:
    pa = import_pyarrow()
    chunks, ordered = _chunks(unit, job, model)
    labeller = Labeller(model)
    counts = np.zeros(1 + model.contract.n_regimes, np.int64)
    schema = label_schema(job.columns, model, in_path=unit.part is None)
    target = job.output / unit.output
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        replacing(target) as temporary,
        pa.parquet.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for chunk in ahead(chunks):
            found = labeller.push(
                chunk.names, chunk.which, chunk.values, times=times_of(chunk, job, model)
            )
            writer.write_table(table_of_labels(chunk, found, schema, model))
            counts += np.bincount(found.regime - MISSING, minlength=len(counts))
            if advance is not None:
                advance(len(chunk.which))
        unlabelled, *labelled = counts.tolist()
        names = [regime.name for regime in model.contract.regimes]
        report = {
            "output": unit.output,
            "rows": int(counts.sum()),
            "instruments": len(labeller.counts),
            "short": labeller.short,
            "bars": dict(zip(names, labelled, strict=True)),
            "unlabelled": unlabelled,
            "sorted": not ordered,
            "skipped": skipped,
        }
        writer.add_key_value_metadata({REPORT_KEY: json.dumps(report).encode()})
    return report


def _chunks(unit: Unit, job: Job, model: RegimeModel) -> tuple[Iterator[Chunk], bool]:
    """Return the chunks of a unit, and whether they lie in order as they are."""
    size = job.rows_a_chunk(model)
    if rises(unit, job.columns, size):
        return in_order(unit, job.columns, size), True
    rows = sum(file.rows for file in unit.files)
    needed = rows * _bytes_a_row(model) / GIB / (1 if unit.part is None else unit.part[1])
    if needed > job.memory:
        raise DataError(
            f"The rows for {unit.output} are not in the order of time, and sorting them needs "
            f"{needed:.1f} GiB; {job.memory:g} are allowed. Sort the files by instrument and time, "
            "or allow more memory."
        )
    return sorted_chunks(unit, job.columns, size), False


def times_of(chunk: Chunk, job: Job, model: RegimeModel) -> NDArray[Any] | None:
    """Return the times of a chunk's rows, where gaps between them count."""
    if model.rules.gap is None or chunk.times is None:
        return None
    return moments(chunk.times, job.columns.reading)
