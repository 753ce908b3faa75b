"""A function of each unit, in Ray tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from regimetry.errors import RegimetryError
from regimetry.scale.distributed import connected
from regimetry.scale.work_units import Unit


@contextmanager
def mapping_on_ray(
    workers: int | None,
) -> Iterator[Callable[[Callable[[Unit], Any], Sequence[Unit]], list[Any]]]:
    """Give what applies a function to units, in their order.

    A task whose process dies runs again elsewhere.

    Parameters
    ----------
    workers : int or None
        Processes of a Ray that is started here; ``None``: one per CPU.
    """
    with connected(workers):
        import ray

        task = ray.remote(num_cpus=1)(_apply)

        def mapped(function: Callable[[Unit], Any], units: Sequence[Unit]) -> list[Any]:
            shared = ray.put(function)
            try:
                return list(ray.get([task.remote(shared, unit) for unit in units]))
            except ray.exceptions.RayTaskError as error:
                cause = error.cause
                raise cause if isinstance(cause, RegimetryError) else error from None

        yield mapped


def _apply(function: Callable[[Unit], Any], unit: Unit) -> Any:
    return function(unit)
