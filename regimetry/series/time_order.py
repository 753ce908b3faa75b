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
    """Return 1 where times rise throughout, -1 where they fall, 0 where neither.

    Some may repeat, as those of many instruments in one table do; :func:`repeats` tells.
    """
    steps = _signed_steps(times, codes)
    if not len(steps):
        return 1
    return int((steps >= 0).all() and steps.any()) or -int((steps <= 0).all() and steps.any())


def repeats(times: NDArray[Any], codes: NDArray[np.int64] | None) -> bool:
    """Return whether a row has the time of the one before, within each instrument."""
    return not _signed_steps(times, codes).all()


def _signed_steps(times: NDArray[Any], codes: NDArray[np.int64] | None) -> NDArray[Any]:
    return _steps(times.astype(np.float64) if times.dtype.kind == "u" else times, codes)


def refuse_order(
    times: NDArray[Any], owners: Any, columns: dict[str, Any], *, repeated: bool
) -> None:
    """Raise :class:`DataError` naming the row where times neither rise nor fall throughout.

    Parameters
    ----------
    times : ndarray, shape (T,)
    owners : tuple or None
        See :func:`owners_of`.
    columns : dict
        Of the frame, among which one may name instruments.
    repeated : bool
        Whether times may repeat.
    """
    if owners is None:
        name = _instruments_of(times, columns)
        require_rising(times, repeated=repeated, by=name)
        return
    names, codes = owners
    ways = [direction(times[codes == code], None) for code in range(len(names))]
    for code, name in enumerate(names):
        mine = times[codes == code]
        if ways[code] == 0 or (not repeated and repeats(mine, None)):
            try:
                require_rising(mine[:: ways[code] or 1], repeated=repeated)
            except DataError as error:
                raise DataError(f"Instrument {str(name)!r}: {error}") from error
    raise DataError(
        f"The times of instrument {str(names[ways.index(1)])!r} rise, and those of "
        f"{str(names[ways.index(-1)])!r} fall; they must go one way. Sort the rows."
    )


def _instruments_of(times: NDArray[Any], columns: dict[str, Any]) -> str | None:
    """Return the first column, of text or of whole numbers, within whose values times rise."""
    for name, series in columns.items():
        if series.dtype.is_temporal() or series.dtype.is_float():
            continue
        kinds, codes = np.unique(np.array(list(map(str, series.to_list()))), return_inverse=True)
        rises = 1 < len(kinds) <= len(times) / 2 and direction(times, codes) > 0
        if rises and not repeats(times, codes):
            return name
    return None
