"""All that a live series knows, and its copy that outlives a process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from regimetry.contract import ModelContract
from regimetry.errors import DataError
from regimetry.runtime.instants import Instant
from regimetry.runtime.live_bins import Bin, bin_of, bin_state
from regimetry.runtime.live_density import DensityState, density_of, density_state
from regimetry.runtime.live_reading import Reading, reading_of, reading_state
from regimetry.runtime.recursion import State
from regimetry.runtime.ring import Ring
from regimetry.runtime.snapshots import count_of, entry, is_usable, recursion_of


class StreamState(NamedTuple):
    """The state of a stream, replaced in one step: an interrupt leaves the old or the new.

    Attributes
    ----------
    came : int
        Rows that came.
    put : int
        Rows that were put into ``ring``, which holds the last ones.
    run : int
        How many of these came since the last gap.
    ring : Ring
    recursion : State
        Of one series.
    last : Instant or None
        The last timestamp.
    skipped : int
        Late rows that were left out.
    reading : Reading
        What is missing, and what stands in for it.
    bin : Bin or None
        The bin that is open, of a stream with ``resample``.
    far : Instant or None
        Where the row before this one would have jumped to.
    density : DensityState or None
        After the last window, of a stream that was asked for it.
    """

    came: int
    put: int
    run: int
    ring: Ring
    recursion: State
    last: Instant | None
    skipped: int
    reading: Reading
    bin: Bin | None
    far: Instant | None = None
    density: DensityState | None = None

    def entries(self, rows: int, n_columns: int) -> dict[str, Any]:
        """Copy the state of a stream with windows of ``rows`` rows into numbers and arrays."""
        return {
            "window_size": rows,
            "n_features": n_columns,
            "count": self.came,
            "run": self.run,
            "begun": self.put > 0,
            "rows": self.ring.last(self.put, min(self.run, rows)).copy(),
            "costs": self.recursion.costs[0].copy(),
            "last": np.empty(0) if self.last is None else np.array([self.last]),
            "far": np.empty(0) if self.far is None else np.array([self.far]),
            "skipped": self.skipped,
            "novelty": self.recursion.means.item(),
            **reading_state(self.reading, n_columns),
            **bin_state(self.bin),
            **density_state(self.density),
        }

    @classmethod
    def of_entries(cls, snapshot: Mapping[str, Any], ring: Ring, contract: ModelContract) -> Self:
        """Return the state that :meth:`entries` copied; ``ring`` is an empty one for its rows.

        Raises
        ------
        DataError
            It cannot be one.
        """
        costs, mean = recursion_of(snapshot, (contract.n_regimes,))
        last = _moment(entry(snapshot, "last"))
        far = _moment(snapshot.get("far", np.empty(0)))  # absent in those of earlier releases
        skipped, came = count_of(snapshot, "skipped"), count_of(snapshot, "count")
        # A release that knew no gaps wrote no run.
        run = count_of(snapshot, "run") if "run" in snapshot else came
        rows, columns = np.asarray(entry(snapshot, "rows")), ring.columns
        shape = (min(run, ring.rows), columns)
        possible = run <= came or "bin" in snapshot  # bins that were filled are more than rows
        sound = possible and rows.shape == shape and rows.dtype.kind == "f"
        if not sound or not is_usable(rows).all():
            raise DataError(
                f"The snapshot counts {came} rows and holds {len(rows)}, an array {rows.shape} of "
                f"{rows.dtype}; finite numbers {shape} are needed. Restore an unchanged snapshot."
            )
        for number, row in enumerate(rows):
            ring.put(number, row)
        put = len(rows) or int(bool(snapshot.get("begun", False)))
        return cls(
            came,
            put,
            run,
            ring,
            State(costs[None], mean[None]),
            last,
            skipped,
            reading_of(snapshot, columns),
            bin_of(snapshot, columns),
            far,
            density_of(snapshot, contract),
        )


def _moment(found: Any) -> Instant | None:
    """Return the time of an entry, an array of one or of none."""
    moment = np.array(found)
    if moment.ndim != 1 or len(moment) > 1 or moment.dtype.kind not in "ifM":
        raise DataError("The snapshot's last timestamp is damaged; take the snapshot again.")
    return moment[0] if len(moment) else None
