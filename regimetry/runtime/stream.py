"""One live series: a row in, a regime out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError, DataWarning
from regimetry.parameters import require_choice
from regimetry.runtime import live_outputs
from regimetry.runtime.binding import bind
from regimetry.runtime.instants import Instant, as_instant, as_span, is_far, is_late
from regimetry.runtime.live_rows import RowReader
from regimetry.runtime.modelfile import ModelFile
from regimetry.runtime.process_lock import ProcessLock
from regimetry.runtime.recursion import Recursion, State
from regimetry.runtime.ring import Ring
from regimetry.runtime.snapshots import (
    count_of,
    entry,
    is_usable,
    recursion_of,
    require_signed,
    signed,
)

_KIND = "regimetry.stream"


class Tick(NamedTuple):
    """The result for a bar that has closed; every field uses that bar and earlier ones only.

    Attributes
    ----------
    regime : int
        The causal label.
    probability : ndarray of float64, shape (K,)
    novelty : float or None
        1 is typical of the training windows. ``None`` unless the stream was asked for it.
    embedding : ndarray of float32, shape (D,), or None
        ``None`` unless the stream was asked for it.
    novel : bool or None
        The running mean of novelty exceeds the contract's ``novelty_threshold``. ``None`` without
        novelty.
    """

    regime: int
    probability: NDArray[np.float64]
    novelty: float | None
    embedding: NDArray[np.float32] | None
    novel: bool | None


class _State(NamedTuple):
    """All that a stream knows, replaced in one step: an interrupt leaves the old or the new.

    Attributes
    ----------
    taken : int
        Rows taken, of which ``ring`` holds the last ones.
    ring : Ring
    recursion : State
        Of one series.
    last : Instant or None
        The last timestamp.
    skipped : int
        Late rows that were left out.
    far : Instant or None
        Where the row before this one would have jumped to.
    """

    taken: int
    ring: Ring
    recursion: State
    last: Instant | None
    skipped: int
    far: Instant | None = None


class Stream:
    """A live series; made by :meth:`RegimeModel.stream`.

    A push takes the row completely or not at all, also if an error or an interrupt ends it early;
    ``count`` shows which. Pushes from several threads queue up, but one stream is one series in one
    order, so let one thread push. A push from within another one, as from a finaliser or a signal
    handler, raises :class:`RegimetryError`.
    """

    def __init__(
        self,
        file: ModelFile,
        outputs: Iterable[str] = live_outputs.DEFAULT,
        late: Literal["refuse", "skip"] = "refuse",
        instrument: str | None = None,
        max_jump: Any = None,
    ) -> None:
        self._max_jump = None if max_jump is None else as_span("max_jump", max_jump)
        require_choice("late", late, ("refuse", "skip"))
        needed = live_outputs.needed(outputs)
        contract, session = file.contract, file.session(needed)
        self._contract, self._features, self._late = contract, file.features, late
        self._model = file.identity
        self._reader = RowReader(file, instrument)
        self._rows = file.rows
        self._recursion = Recursion.of(contract)
        # Bound once: copying a window here takes less than binding a view of the ring each time.
        window = np.ones((1, *session.input_shape), np.float32)
        self._window = window[0]
        found = session.empty_outputs(1, needed)
        self._run = bind(session, window, found)
        self._distance, self._novelty = found["distance"], found.get("novelty")
        self._embedding = found.get("embedding")
        self._lock = ProcessLock()
        with self._lock.free():
            self._run()  # so that the first tick is as fast as the others
        self.reset()

    @property
    def count(self) -> int:
        """Rows taken since the start or the last reset."""
        return self._state.taken

    @property
    def skipped(self) -> int:
        """Rows that came late and were left out."""
        return self._state.skipped

    def reset(self) -> None:
        """Forget every row and timestamp, as if the stream were new."""
        self._state = _State(0, self._ring(), State.begin(1, self._contract.n_regimes), None, 0)

    def push(
        self, row: Sequence[float] | NDArray[Any] | Mapping[str, Any], timestamp: Any = None
    ) -> Tick | None:
        """Take the bar that has just closed.

        Parameters
        ----------
        row : sequence of numbers, or mapping of column name to number
            In the model's units and column order (by name for a mapping); a bar if the model
            computes features of bars.
        timestamp : number, datetime, datetime64 or ISO 8601 str, optional
            When the bar closed; must lie after that of the last row that had one. Times with a
            zone are compared in UTC.

        Returns
        -------
        Tick or None
            ``None`` while fewer bars have come than the model reads at once, and for a row that is
            late or jumps with ``late="skip"``.

        Raises
        ------
        DataError
            The row has the wrong length, lacks a column, or holds a value that is not finite; or
            it is no bar; or, with ``late="refuse"``, it is late or jumps. It is then not part of
            the stream.
        ModelError
            The model does not run. The row is then not part of the stream.
        """
        with self._lock.free():
            return self._taken(row, timestamp)

    def _taken(self, row: Any, timestamp: Any) -> Tick | None:
        count, ring, recursion, last, skipped, _ = self._state
        if timestamp is not None:
            instant = as_instant(timestamp)
            if self._max_jump is not None and self._jumps(instant, self._max_jump):
                return None
            if is_late(instant, last, self._late):
                self._state = self._state._replace(skipped=skipped + 1)
                return None
            last = instant
        ring.put(count, self._reader.row(row))
        count += 1
        tick = None
        if count >= self._rows:
            np.copyto(self._window, self._reader.window(ring.last(count, self._rows)))
            self._run()
            found, recursion = self._recursion(self._distance, self._novelty, recursion)
            tick = Tick(
                found.regime.item(),
                found.probability[0],
                None if self._novelty is None else self._novelty.item(),
                None if self._embedding is None else self._embedding[0].copy(),
                None if self._novelty is None else found.novel.item(),
            )
        self._state = _State(count, ring, recursion, last, skipped)
        return tick

    def _jumps(self, instant: Instant, most: float) -> bool:
        """Say whether a row is to be left out since its time lies too far ahead."""
        state = self._state
        last, far = state.last, state.far
        is_time = isinstance(instant, np.datetime64)
        if last is None or is_time != isinstance(last, np.datetime64):
            return False
        if not is_far(instant, last, most):
            return False
        if far is not None and instant > far and not is_far(instant, far, most):
            return False
        text = (
            f"The row's timestamp is {instant} and the last one was {last}: further than max_jump. "
            "The row is left out; if the next one comes soon after it, time goes on from there."
        )
        skips = self._late == "skip"
        self._state = state._replace(far=instant, skipped=state.skipped + skips)
        if not skips:
            raise DataError(text)
        warnings.warn(text, DataWarning, stacklevel=4)
        return True

    def snapshot(self) -> dict[str, Any]:
        """Copy the state into plain numbers, texts and arrays.

        Returns
        -------
        dict
            Fit for ``numpy.savez``, and to be read with ``allow_pickle=False``: the last ``rows``
            (at most as many as the model reads at once), ``costs`` (K,), ``last`` (the last
            timestamp, or empty), ``count``, ``skipped``, ``novelty`` (its running mean, NaN
            without), and the kind, version and model they belong to.
        """
        count, ring, recursion, last, skipped, _ = self._state
        state = {
            "window_size": self._rows,
            "n_features": self._reader.shape[0],
            "count": count,
            "rows": ring.last(count, min(count, self._rows)).copy(),
            "costs": recursion.costs[0].copy(),
            "last": np.empty(0) if last is None else np.array([last]),
            "skipped": skipped,
            "novelty": recursion.means.item(),
        }
        return signed(_KIND, self._model, state)

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go on from a snapshot, as if there had been no interruption: bit by bit the same.

        The snapshot may be that of a stream with other outputs. If that one computed no novelty,
        its running mean begins with the next bar.

        Parameters
        ----------
        snapshot : mapping
            What :meth:`snapshot` returned, or ``numpy.load`` of what ``numpy.savez`` made of it.

        Raises
        ------
        DataError
            Of another kind, version or model, or changed. The stream is then as it was.
        """
        require_signed(snapshot, _KIND, self._model)
        costs, mean = recursion_of(snapshot, (self._contract.n_regimes,))
        last = np.array(entry(snapshot, "last"))
        if last.ndim != 1 or len(last) > 1 or last.dtype.kind not in "ifM":
            raise DataError("The snapshot's last timestamp is damaged; take the snapshot again.")
        skipped, count = count_of(snapshot, "skipped"), count_of(snapshot, "count")
        rows, ring = np.asarray(entry(snapshot, "rows")), self._ring()
        shape = (min(count, self._rows), *self._reader.shape)
        if rows.dtype.kind != "f" or rows.shape != shape or not is_usable(rows).all():
            raise DataError(
                f"The snapshot counts {count} rows and holds {len(rows)}, an array {rows.shape} of "
                f"{rows.dtype}; finite numbers {shape} are needed. Restore an unchanged snapshot."
            )
        for number, row in enumerate(rows, start=count - len(rows)):
            ring.put(number, row)
        recursion = State(costs[None], mean[None])
        self._state = _State(count, ring, recursion, last[0] if len(last) else None, skipped)

    def _ring(self) -> Ring:
        # Features are made of bars in float64, as of a table.
        kept = np.float32 if self._features is None else np.float64
        return Ring(self._rows, *self._reader.shape, kept)
