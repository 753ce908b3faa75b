"""The same work on Ray: actors that hold one session each."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from regimetry.errors import ConfigError, DataError, InstallError, RegimetryError
from regimetry.runtime.batch import Advance
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.threads import available_threads
from regimetry.scale.columns import Columns, choose_columns
from regimetry.scale.job import Job, attempt
from regimetry.scale.labeller import Labeller
from regimetry.scale.results import clear_leftovers
from regimetry.scale.times import TimeOrder, moments
from regimetry.scale.work_units import Unit
from regimetry.scale.writing import label_arrays, label_names
from regimetry.series.frames import matrix_of
from regimetry.series.rules import ReadingRules
from regimetry.series.time_options import TimeOptions

_LEAST_STORE = 80 << 20
"""Bytes of the object store of a Ray that is started here: rows go from file to file, past it."""


def label_units(
    units: Sequence[Unit],
    job: Job,
    model: RegimeModel,
    *,
    actors: int | None,
    num_gpus: float,
    advance: Advance,
) -> Generator[tuple[str, dict[str, Any] | RegimetryError]]:
    """Label units on actors; yield each unit's output and what became of it, as they are done.

    Where an actor's process dies, Ray starts another and gives it the unit again: what was written
    of it is no file yet. The files are read and written by the actors, which must see the same
    folders.

    Parameters
    ----------
    units : sequence of Unit
    job : Job
    model : RegimeModel
        Sent to the actors as its content.
    actors, num_gpus
        As for :func:`~regimetry.scale.predict`.
    advance : callable
        Called with the rows of each unit when it is done.
    """
    if not units:
        return
    try:
        with connected(actors) as data:
            numbers = data.from_items(
                [{"number": number} for number in range(len(units))],
                override_num_blocks=len(units),
            )
            labelled = numbers.map_batches(
                _UnitLabeller,
                batch_size=1,
                fn_constructor_args=(units, job),
                **_on_actors(model, actors, num_gpus, len(units)),
            )
            for row in labelled.iter_rows():
                outcome = json.loads(row["outcome"])
                if "error" in outcome:
                    kind = DataError if outcome["of_data"] else RegimetryError
                    yield row["output"], kind(outcome["error"])
                else:
                    advance(outcome["rows"])
                    yield row["output"], outcome
    finally:
        clear_leftovers(job.output)  # of workers that died, or were ended in the midst


def label_dataset(
    dataset: Any,
    model: RegimeModel,
    *,
    by: str | None,
    time: TimeOptions,
    actors: int | None,
    num_gpus: float,
) -> Any:
    """Add the labels to a Ray Dataset, lazily: grouped by instrument, in rising time.

    Parameters are those of :func:`~regimetry.scale.predict`.
    """
    data = _import_data()
    if not isinstance(dataset, data.Dataset):
        raise DataError(
            f"The source is a {type(dataset).__name__}; a path to Parquet or a ray.data.Dataset is "
            "needed. Data in memory go to RegimeModel.label."
        )
    try:
        head = dataset.take_batch(1000, batch_format="pyarrow")
    except ValueError as error:
        raise DataError("The Dataset has no rows.") from error
    columns = choose_columns(
        head,
        {},
        model.schema,
        by=by,
        fitted_by=model.contract.by,
        time=time,
        relative="The Dataset",
    )
    if columns.instrument is None:
        raise DataError(
            f"No column of the Dataset names the instruments; the columns are "
            f"{', '.join(head.column_names)}. Say which does (by)."
        )
    taken = sorted(set(label_names(model)) & set(head.column_names))
    if taken:
        raise DataError(
            f"The Dataset already has the columns {', '.join(taken)}, which the labels take. "
            "Rename them."
        )
    columns = replace(columns, reading=model.rules.of_times(columns.reading))
    return dataset.groupby(columns.instrument).map_groups(
        _GroupLabeller,
        batch_format="pyarrow",
        fn_constructor_args=(columns,),
        **_on_actors(model, actors, num_gpus),
    )


class _UnitLabeller:
    """What an actor does with the number of a unit."""

    def __init__(self, units: Sequence[Unit], job: Job, opened: Callable[[], RegimeModel]) -> None:
        self._units, self._job, self._model = units, job, opened()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        unit = self._units[int(batch["number"][0])]
        found = attempt(unit, self._job, self._model)
        if isinstance(found, RegimetryError):
            found = {"error": str(found), "of_data": isinstance(found, DataError)}
        return {"output": [unit.output], "outcome": [json.dumps(found)]}


class _GroupLabeller:
    """What an actor does with the rows of an instrument."""

    def __init__(self, columns: Columns, opened: Callable[[], RegimeModel]) -> None:
        self._columns, self._model = columns, opened()

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        columns, n = self._columns, len(table)
        name = str(table[columns.instrument][0])
        which = np.zeros(n, np.int64)
        if columns.time is not None:
            order = np.argsort(moments(table[columns.time], columns.reading), kind="stable")
            table = table.take(pa.array(order))
            TimeOrder(columns.reading).goes_on([name], which, table[columns.time])
        values = matrix_of(table.select(list(columns.schema.names)), columns.schema)
        times = None if columns.time is None else moments(table[columns.time], columns.reading)
        found = Labeller(self._model).push([name], which, values, times=times)
        arrays = label_arrays(found, self._model)
        for label, array in zip(label_names(self._model), arrays, strict=True):
            table = table.append_column(label, array)
        return table


def _import_data() -> Any:
    try:
        import ray.data
    except ImportError as error:
        raise InstallError(
            "Ray, which runs the work on many processes or machines, is not installed. "
            "Run: pip install 'regimetry[ray]'."
        ) from error
    return ray.data


@contextmanager
def connected(actors: int | None) -> Iterator[Any]:
    """Give Ray Data, on the Ray that is there or on one that lasts as long as the block.

    By itself, Ray puts the current directory first on its workers' path, where a folder named
    ``regimetry`` (a checkout) would take the package's place: workers of a Ray that is started here
    begin in an empty one. On a cluster the environment of the job holds, which may name its own.
    """
    data = _import_data()
    import ray

    with TemporaryDirectory() as empty:
        own: dict[str, Any] = {
            "num_cpus": max(actors or 0, available_threads()),
            "include_dashboard": False,
            "object_store_memory": _LEAST_STORE,
            "runtime_env": {"working_dir": empty},
        }
        options = {} if os.environ.get("RAY_ADDRESS") else own
        with (
            nullcontext()
            if ray.is_initialized()
            else ray.init(**options, log_to_driver=False, logging_level=logging.ERROR),
            _quiet_ray_data(data),
        ):
            yield data


@contextmanager
def _quiet_ray_data(data: Any) -> Iterator[None]:
    """Keep Ray Data's own bars and notes off the screen: the caller counts rows."""
    context, logger = data.DataContext.get_current(), logging.getLogger("ray.data")
    before = context.enable_progress_bars, logger.level
    context.enable_progress_bars = False
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        context.enable_progress_bars = before[0]
        logger.setLevel(before[1])


def _opened(content: bytes, rules: ReadingRules, *, device: str, batch_size: int) -> RegimeModel:
    model = RegimeModel(content, device=device, threads=1, batch_size=batch_size)
    return model.with_rules(**vars(rules))


def _on_actors(
    model: RegimeModel, actors: int | None, num_gpus: float, most: int | None = None
) -> dict[str, Any]:
    """Return the options of Ray Data for work on actors, each with the model on a CPU or GPU.

    ``fn_constructor_kwargs`` gives them what opens the model there: its content travels.
    """
    import ray

    there = ray.cluster_resources() if actors is None else {}
    found = actors or int(there.get("GPU", 0) / num_gpus if num_gpus else there.get("CPU", 0))
    if found < 1:
        raise ConfigError(
            f"num_gpus is {num_gpus}; the cluster has {there.get('GPU', 0):g} GPUs. Give fewer, or "
            "0 for CPUs."
        )
    device, batch_size = "cuda" if num_gpus else "cpu", model._file.batch_size
    opened = partial(_opened, model.content, model.rules, device=device, batch_size=batch_size)
    return {
        "fn_constructor_kwargs": {"opened": opened},
        "compute": ray.data.ActorPoolStrategy(size=min(found, most or found)),
        **({"num_gpus": num_gpus} if num_gpus else {"num_cpus": 1}),
    }
