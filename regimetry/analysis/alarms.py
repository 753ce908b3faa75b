"""How often the novelty flag goes up, per unit of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Bools, Labels, follows
from regimetry.analysis.plain import plain
from regimetry.contract import ModelContract
from regimetry.contract.wording import counted, plural, rate

_DAY = 86400.0


@dataclass(frozen=True)
class Alarms:
    """Alarms over the labelled rows.

    Attributes
    ----------
    count : int
        Times that the flag went up, however long it stayed.
    rows : int
        With a label.
    share : float
        Of these, that are flagged; NaN without any.
    seconds : float or None
        From the first of these rows to the last; ``None`` where rows have no dates.
    """

    count: int
    rows: int
    share: float
    seconds: float | None

    @property
    def per_day(self) -> float | None:
        """Alarms a day of calendar time; ``None`` without dates."""
        return self.count * _DAY / self.seconds if self.seconds else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**plain(self), "per_day": self.per_day}

    def words(self, unit: str) -> str:
        """Say how many, and how often: by time where it is known, or else by rows."""
        often = (
            rate(self.count, self.seconds)
            if self.seconds
            else f"{1000 * self.count / max(self.rows, 1):.3g} per 1000 {plural(unit)}"
        )
        return f"{counted(self.count, 'alarm')}, {often}"


def novelty_alarms(
    novel: Bools,
    labels: Labels,
    *,
    breaks: Bools | None = None,
    times: NDArray[Any] | None = None,
) -> Alarms:
    """Count the alarms of a series.

    Parameters
    ----------
    novel : ndarray of bool, shape (T,)
        Row t is flagged; False where it has no label.
    labels : ndarray of int, shape (T,)
        Negative where missing.
    breaks : ndarray of bool, shape (T,), or None
        True where a row does not follow the one before it: a flag there is a new alarm.
    times : ndarray of datetime64, shape (T,), or None

    Returns
    -------
    Alarms
        It looks at all rows given.
    """
    present = np.flatnonzero(np.asarray(labels) >= 0)
    flagged = np.asarray(novel, dtype=np.bool_)
    return Alarms(
        count=int(onsets(flagged, ~follows(np.asarray(labels), breaks)).sum()),
        rows=len(present),
        share=float(flagged[present].mean()) if len(present) else float("nan"),
        seconds=None if times is None or not len(present) else seconds_of(times[present[[0, -1]]]),
    )


def training_alarms(contract: ModelContract) -> Alarms | None:
    """Return the alarms of the training rows; ``None`` where the file does not count them."""
    training = contract.training
    if training.alarms is None:
        return None
    seconds = None
    if training.step is not None and training.start is not None:
        seconds = seconds_of(np.array([training.start, training.end], dtype="datetime64[ns]"))
    return Alarms(training.alarms, training.windows, float("nan"), seconds)


def onsets(novel: Bools, begins: Bools) -> Bools:
    """Return where a flag goes up: on a row that follows no other, or one that has none; (T,)."""
    up = novel.copy()
    up[1:] &= begins[1:] | ~novel[:-1]
    return up


def seconds_of(span: NDArray[Any]) -> float | None:
    """Return the seconds between two times; ``None`` where they are no dates, or the same."""
    if span.dtype.kind != "M":
        return None
    seconds = float((span[1] - span[0]) / np.timedelta64(1, "ns")) / 1e9
    return seconds if seconds > 0 else None
