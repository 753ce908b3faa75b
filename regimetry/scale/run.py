"""The whole job: from a folder of Parquet files to a folder of labels."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Unpack

from regimetry.errors import ConfigError, DataError, RegimetryError
from regimetry.files import alone
from regimetry.parameters import require_integer
from regimetry.runtime.batch import Advance
from regimetry.runtime.model import RegimeModel
from regimetry.scale.folder import scan
from regimetry.scale.job import Job, attempt
from regimetry.scale.results import claim, done, journal_of, mark_done, record_of
from regimetry.scale.work_units import plan
from regimetry.series.time_options import TimeKeywords, TimeOptions

Progress = Callable[[int, int], AbstractContextManager[Advance]]
"""From all rows and those done before to a context in which more are counted."""


def predict(
    source: Any,
    model: RegimeModel | str | PathLike[str],
    *,
    output: str | PathLike[str] | None = None,
    by: str | None = None,
    keep_going: bool = False,
    memory: float = 1.0,
    parts: int | None = None,
    ray: bool = False,
    actors: int | None = None,
    num_gpus: float = 0.0,
    progress: Progress = lambda rows, before: nullcontext(lambda count: None),
    **time: Unpack[TimeKeywords],
) -> Any:
    """Label every row of many instruments, causally; each instrument as if it were alone.

    Parameters
    ----------
    source : path or ray.data.Dataset
        A Parquet file, a folder of them (``key=value`` folders included), or a Ray Dataset.
    model : RegimeModel or path
        One that was fitted on features of bars reads bars.
    output : path or None
        Folder for the labels, which becomes complete file by file. The same call again does what
        is not done. Not for a Dataset.
    by : str or None
        Column, or key of folders, that names the instrument. ``None`` takes the fit's, then looks
        for ``symbol``, ``ticker`` or ``instrument`` and for a key of folders; failing that each
        file is an instrument.
    keep_going : bool
        Leave out files and units that cannot be used, and say which.
    memory : float
        GiB for rows held at once, in each process.
    parts : int or None
        Output files, where instruments span input files; by default as the rows suggest, 16 to 64.
    ray : bool
        Work on Ray: the cluster that is connected or that ``RAY_ADDRESS`` names, else one that is
        started here and stopped again.
    actors : int or None
        Ray actors, each with one session; by default as many as there are CPUs (or GPUs). Implies
        ``ray``.
    num_gpus : float
        GPUs of each actor; 0 runs on its one CPU.
    progress : callable
        Takes the number of rows and of those done before.
    **time
        ``time_column``, ``day_first``, ``time_format``: see
        :class:`~regimetry.series.time_options.TimeOptions`. Without a column of times, rows come in
        order.

    Returns
    -------
    dict or ray.data.Dataset
        Of a path plain data: ``units``, ``done_before``, ``rows``, ``instruments``, ``short``
        (names of those without a full window, whose labels are missing), ``bars`` of each regime,
        ``unlabelled``, ``sorted`` (outputs whose rows had to be put in order), ``skipped`` (files
        and outputs left out, with the reason). Of a Dataset the same Dataset with the columns of
        ``regimetry predict`` added, by instrument and in rising time.

    Raises
    ------
    DataError
        Files that cannot be used, an instrument with two rows of one time, rows out of order that
        do not fit the memory, or an output folder of another model or input.
    ConfigError
        An option has a value that is not allowed.
    InstallError
        pyarrow, or Ray where it is asked for, is not installed.
    RegimetryError
        The disk is full; what is done stays.
    """
    if actors is not None:
        require_integer("actors", actors, 1, other="None or ")
    if parts is not None:
        require_integer("parts", parts, 1, other="None or ")
    if not memory > 0:
        raise ConfigError(f"memory is {memory!r}; it must be above 0.")
    opened = model if isinstance(model, RegimeModel) else RegimeModel(model)
    if not isinstance(source, (str, PathLike)):
        from regimetry.scale.distributed import label_dataset

        if output is not None:
            raise ConfigError(
                "output is for files; the labels of a Dataset are returned. Leave output out."
            )
        return label_dataset(
            source, opened, by=by, time=TimeOptions(**time), actors=actors, num_gpus=num_gpus
        )
    if output is None:
        raise ConfigError("output is None; name the folder that the labels go to.")
    path, target = Path(source), Path(output)
    _require_apart(path, target)
    folder = scan(
        path,
        opened.schema,
        by=by,
        fitted_by=opened.contract.by,
        time=TimeOptions(**time),
        keep_going=keep_going,
    )
    columns = replace(folder.columns, reading=opened.rules.of_times(folder.columns.reading))
    job = Job(columns, target.absolute(), memory, keep_going)
    job.rows_a_chunk(opened)
    units = plan(folder, parts)
    own = b"" if opened.rules == opened.contract.reading else repr(opened.rules).encode()
    with alone(target):
        claim(target, record_of(folder, units, opened.content + own))
        journal = journal_of(target)
        before = {u.output: report for u in units if (report := done(target, u, journal))}
        left = [unit for unit in units if unit.output not in before]
        reports, skipped = list(before.values()), dict(folder.skipped)
        with progress(folder.rows, sum(report["rows"] for report in reports)) as advance:
            if ray or actors is not None:
                from regimetry.scale.distributed import label_units

                outcomes = label_units(
                    left, job, opened, actors=actors, num_gpus=num_gpus, advance=advance
                )
            else:
                outcomes = ((unit.output, attempt(unit, job, opened, advance)) for unit in left)
            with closing(outcomes):  # at once, so that no worker outlives an error
                for name, outcome in outcomes:
                    if not isinstance(outcome, RegimetryError):
                        mark_done(target, outcome)
                        reports.append(outcome)
                    elif keep_going and isinstance(outcome, DataError):
                        skipped[name] = str(outcome)
                    else:
                        raise outcome
    return {"units": len(units), "done_before": len(before), **_total(reports, skipped)}


def _total(reports: list[dict[str, Any]], skipped: dict[str, str]) -> dict[str, Any]:
    for report in reports:
        skipped.update(report["skipped"])
    if not reports:
        raise DataError(f"Nothing could be labelled. The first: {next(iter(skipped.values()))}")
    return {
        **{key: sum(report[key] for report in reports) for key in ("rows", "instruments")},
        "short": sorted(name for report in reports for name in report["short"]),
        "bars": {
            name: sum(report["bars"][name] for report in reports) for name in reports[0]["bars"]
        },
        "unlabelled": sum(report["unlabelled"] for report in reports),
        "sorted": sorted(report["output"] for report in reports if report["sorted"]),
        "skipped": skipped,
    }


def _require_apart(source: Path, output: Path) -> None:
    inside, outside = output.resolve(), source.resolve()
    if inside == outside or outside in inside.parents or inside in outside.parents:
        raise DataError(
            f"One of the output folder {output} and the input {source} contains the other; labels "
            "would be read as input. Name a folder beside it."
        )
