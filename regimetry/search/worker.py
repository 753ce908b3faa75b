"""What a worker process does: one trial at a time, on its own share of the CPUs."""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regimetry.errors import DataWarning
from regimetry.series.file_options import FileOptions

if TYPE_CHECKING:
    import pandas as pd

    from regimetry.configuration import Configuration

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
"""Read by numerical libraries when they are loaded."""


def environment(threads: int) -> dict[str, str]:
    """Return the variables with which libraries keep to ``threads`` in a worker."""
    return {
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # or the first worker takes the whole device
    }


def share_of(cpus: list[int], number: int, jobs: int) -> set[int]:
    """Return the CPUs of worker ``number`` of ``jobs``: an equal share, at least one."""
    size = max(1, len(cpus) // jobs)
    first = number * size % len(cpus)
    return {cpus[(first + i) % len(cpus)] for i in range(size)}


def start(counter: Any, jobs: int) -> None:
    """Prepare a worker: Ctrl-C is the parent's to act on, and the CPUs are shared out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with counter.get_lock():
        number, counter.value = counter.value, counter.value + 1
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # a container may forbid it; the variables hold all the same
            os.sched_setaffinity(0, share_of(sorted(os.sched_getaffinity(0)), number, jobs))


def run_trial(
    data: Path, base: Configuration, point: Mapping[str, Any], horizon: int
) -> dict[str, Any]:
    """Evaluate one point of a grid.

    Returns
    -------
    dict
        ``point``, ``seconds`` and either ``scores`` or ``failure``, a sentence: a configuration
        that fails is a result like any other.
    """
    from regimetry.errors import RegimetryError
    from regimetry.search.evaluate import evaluate
    from regimetry.search.grid import at

    begun = time.perf_counter()
    found: dict[str, Any]
    try:
        configuration = at(base, point)
        if configuration.objective != "none":
            from regimetry.encoder.quiet import import_tensorflow_quietly

            import_tensorflow_quietly()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # the same in every trial
            table = _read_rows(data, FileOptions.of(configuration))
            found = {"scores": evaluate(configuration, table, horizon)}
    except RegimetryError as error:
        found = {"failure": str(error)}
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")
        found = {"failure": f"{type(error).__name__}: {reason}"}
    finally:
        if "keras" in sys.modules:
            sys.modules["keras"].utils.clear_session()  # or it keeps every model that was built
    return {"point": dict(point), "seconds": round(time.perf_counter() - begun, 2), **found}


@lru_cache(maxsize=1)
def _read_rows(path: Path, options: FileOptions) -> pd.DataFrame:
    from regimetry.series.table_files import read_table

    return read_table(path, options).frame
