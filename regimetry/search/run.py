"""The search itself: trials in worker processes, each kept as soon as it is done."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from regimetry.configuration import Configuration
from regimetry.errors import RegimetryError
from regimetry.runtime.threads import available_threads
from regimetry.search.choice import Tell
from regimetry.search.store import Store
from regimetry.search.worker import environment, run_trial, start


def run_search(
    data: Path,
    base: Configuration,
    points: Iterator[dict[str, Any]],
    store: Store,
    *,
    horizon: int,
    jobs: int,
    tell: Tell,
) -> None:
    """Evaluate what is chosen, ``jobs`` at a time, until there is nothing left to choose.

    Parameters
    ----------
    data : Path
        Table (.csv or .parquet), which each worker reads once.
    base : Configuration
    points : iterator of dict
        A point is taken when a worker is free.
    store : Store
        Takes each trial when it is done; whatever ends the search, what is kept stays.
    horizon : int
    jobs : int
        Worker processes.
    tell : callable
        Called with each finished trial.

    Raises
    ------
    RegimetryError
        A worker process died.
    """
    running: dict[Future[dict[str, Any]], dict[str, Any]] = {}
    with _workers(jobs) as pool:
        while True:
            for point in islice(points, jobs - len(running)):
                with _undisturbed():
                    running[pool.submit(run_trial, data, base, point, horizon)] = point
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                point = running.pop(future)
                try:
                    trial = future.result()
                except BrokenProcessPool as error:
                    raise RegimetryError(
                        f"A worker process died, perhaps for lack of memory, at {point} or at one "
                        "that ran beside it. Finished trials are kept; continue with fewer --jobs."
                    ) from error
                store.keep(trial)
                tell(trial)


@contextmanager
def _workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of spawned workers that share the CPUs; end them at once if the block fails."""
    context = multiprocessing.get_context("spawn")
    before = set(multiprocessing.active_children())
    with (
        _environment(environment(max(1, available_threads() // jobs))),
        ProcessPoolExecutor(
            jobs, mp_context=context, initializer=start, initargs=(context.Value("i", 0), jobs)
        ) as pool,
    ):
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - before:
                child.terminate()
            raise


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the processes that start in the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold Ctrl-C back, for this process until the block ends, and for processes it starts."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
