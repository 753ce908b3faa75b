"""Whether the day or the month comes first: decided on all rows, or refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.series.time_options import TimeOptions
from regimetry.series.time_order import direction, unevenness
from regimetry.series.time_readings import Readings, share_of_times


def decided(
    name: str, series: Any, readings: Readings, codes: NDArray[np.int64] | None
) -> tuple[NDArray[Any], list[str]]:
    """Choose between readings of one column, month first and day first.

    Parameters
    ----------
    name : str
    series : narwhals Series
        What they are readings of, T values.
    readings : list of ndarray, shape (T,)
        One, or two.
    codes : ndarray of int64, shape (T,), or None
        The instrument of each row.

    Returns
    -------
    times : ndarray, shape (T,)
    notes : list of str
        What was decided, where another order would have been possible.

    Raises
    ------
    DataError
        A value is no time, or both orders are possible.
    """
    whole = [one for one in readings if one.dtype.kind != "M" or not np.isnat(one).any()]
    if not whole:
        best = max(readings, key=share_of_times)
        row = int(np.argmax(np.isnat(best)))
        raise DataError(
            f"Row {row}, column {name!r} holds {series.to_list()[row]!r}, which is not a time. "
            "Mend it, or name another time column."
        )
    if len(whole) == 1:
        return whole[0], []
    ways = [direction(one, codes) for one in whole]
    uneven = [unevenness(one, codes) if all(ways) else 0.0 for one in whole]
    chosen = int(np.argmin(uneven)) if all(ways) else int(ways[1] != 0)
    if not any(ways) or (all(ways) and 2 * uneven[chosen] > uneven[1 - chosen]):
        why = "both orders" if any(ways) else "neither order"
        raise DataError(
            f"Column {name!r} begins with {series.to_list()[0]!r}, and {why} of day and month give"
            f"{'' if any(ways) else 's'} times that rise. Say which it is: day_first, --day-first "
            "true or false; or time_format, --time-format."
        )
    first, second = ("day", "month") if chosen else ("month", "day")
    note = f"{name!r} is read {first} first, since then the rows are in order; not {second} first"
    return whole[chosen], [note]


def with_order_known(
    name: str,
    series: Any,
    readings: Readings,
    codes: NDArray[np.int64] | None,
    options: TimeOptions,
) -> TimeOptions:
    """Return the options with the order of day and month that some rows show.

    Parameters are those of :func:`decided`, and errors.
    """
    if len(readings) < 2:
        return options
    times, _ = decided(name, series, readings, codes)
    return replace(options, day_first=times is readings[1])
