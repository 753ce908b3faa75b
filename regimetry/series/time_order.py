"""Which way times go, in one series or within each of many instruments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.series.matrix import require_rising


def owners_of(columns: dict[str, Any], by: str | None) -> Any:
    """Return the names of instruments and whose each row is; ``None`` for one series."""
    if by not in columns:
        return None
    return np.unique(np.array([str(v) for v in columns[by].to_list()]), return_inverse=True)


def unevenness(times: NDArray[Any], codes: Any) -> float:
    """Return the longest step in median steps."""
    steps = np.abs(_steps(times, codes))
    return float(steps.max() / np.median(steps)) if len(steps) else 1.0


def _steps(times: NDArray[Any], codes: NDArray[np.int64] | None) -> NDArray[Any]:
    """Return the steps of each instrument, one after the other."""
    if codes is None:
        return _numbers(times[1:] - times[:-1])
    order = np.argsort(codes, kind="stable")
    same = codes[order][1:] == codes[order][:-1]
    ordered = times[order]
    steps: NDArray[Any] = _numbers(ordered[1:] - ordered[:-1])[same]
    return steps


def _numbers(steps: NDArray[Any]) -> NDArray[Any]:
    if steps.dtype.kind != "m":
        return steps
    return np.asarray(np.where(np.isnat(steps), np.nan, steps.astype(np.int64)))


def direction(times: NDArray[Any], codes: NDArray[np.int64] | None) -> int:
    """Return 1 where times rise throughout, -1 where they fall, 0 where neither."""
    if times.dtype.kind == "u":
        times = times.astype(np.float64)
    steps = _steps(times, codes)
    return int((steps > 0).all()) or -int((steps < 0).all())


def refuse_order(times: NDArray[Any], owners: Any) -> None:
    """Raise :class:`DataError` naming the row where times neither rise nor fall throughout."""
    if owners is None:
        require_rising(times)
        return
    names, codes = owners
    ways = [direction(times[codes == code], None) for code in range(len(names))]
    for code, name in enumerate(names):
        if ways[code] == 0:
            try:
                require_rising(times[codes == code])
            except DataError as error:
                raise DataError(f"Instrument {str(name)!r}: {error}") from error
    raise DataError(
        f"The times of instrument {str(names[ways.index(1)])!r} rise, and those of "
        f"{str(names[ways.index(-1)])!r} fall; they must go one way. Sort the rows."
    )
