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
from regimetry.runtime.instants import Instant, as_date, as_instant, as_seconds, is_far, is_late
from regimetry.runtime.labelling import MISSING
from regimetry.runtime.live_bins import Bin
from regimetry.runtime.live_density import LiveDensity, Outlook
from regimetry.runtime.live_reading import COMPLETE, Absence, Reading, read_on
from regimetry.runtime.live_rows import RowReader
from regimetry.runtime.modelfile import ModelFile
from regimetry.runtime.process_lock import ProcessLock
from regimetry.runtime.recursion import Recursion, State
from regimetry.runtime.ring import Ring
from regimetry.runtime.snapshots import require_signed, signed
from regimetry.runtime.stream_state import StreamState
from regimetry.series.gaps import apart
from regimetry.series.resample import (
    NANOSECONDS,
    bin_length,
    bin_numbers,
    closing_times,
    empty_bins,
)
from regimetry.series.rules import ReadingRules

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
    missing : mapping of str to Absence, or None
        Columns without a value in this row: for how many rows, and since when. ``None`` of a
        complete row.
    name : str or None
        What the regime is called.
    outlook : Outlook or None
        What the density says of this row and the next; ``None`` unless the stream was asked for
        ``density``.

    Where a value is missing and no label follows, ``regime`` is -1, ``probability`` NaN, and the
    others are ``None``.
    """

    regime: int
    probability: NDArray[np.float64]
    novelty: float | None
    embedding: NDArray[np.float32] | None
    novel: bool | None
    missing: Mapping[str, Absence] | None = None
    name: str | None = None
    outlook: Outlook | None = None


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
        *,
        rules: ReadingRules | None = None,
        max_jump: Any = None,
    ) -> None:
        self._max_jump = None if max_jump is None else as_seconds("max_jump", max_jump)
        require_choice("late", late, ("refuse", "skip"))
        outputs = (outputs,) if isinstance(outputs, str) else tuple(outputs)
        needed = live_outputs.needed(outputs, live_outputs.DENSITY)
        contract, session = file.contract, file.session(needed)
        self._contract, self._features, self._late = contract, file.features, late
        self._names = [regime.name for regime in contract.regimes]
        self._model = file.identity
        self._rules = rules = contract.reading if rules is None else rules
        self._splits, self._trims = rules.splits, rules.missing == "trim"
        self._gap, self._dated = rules.gap, rules.resample is not None
        self._in_bins = self._dated
        if self._gap is not None:
            self._dated |= self._gap.is_duration
        self._reader = RowReader(file, instrument, rules)
        self._as_they_come = self._reader.keeps_rows
        self._rows = file.rows
        self._recursion = Recursion.of(contract)
        self._density = (
            LiveDensity(contract, instrument) if live_outputs.DENSITY in outputs else None
        )
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
        """Rows taken since the start or the last reset, those that lacked a value included."""
        return self._state.came

    @property
    def skipped(self) -> int:
        """Rows that came late and were left out."""
        return self._state.skipped

    def reset(self) -> None:
        """Forget every row and timestamp, as if the stream were new."""
        begin = State.begin(1, self._contract.n_regimes)
        self._state = StreamState(0, 0, 0, self._ring(), begin, None, 0, COMPLETE, None)

    def push(
        self, row: Sequence[float] | NDArray[Any] | Mapping[str, Any], timestamp: Any = None
    ) -> Tick | None:
        """Take the bar that has just closed.

        Parameters
        ----------
        row : sequence of numbers, or mapping of column name to number
            In the model's units and column order (by name for a mapping); a bar if the model
            computes features of bars. NaN and None are missing values, which the rules of the file
            deal with: :class:`~regimetry.series.rules.ReadingRules`.
        timestamp : number, datetime, datetime64 or ISO 8601 str, optional
            When the bar closed; must lie after that of the last row that had one. Times with a
            zone are compared in UTC. A stream with ``resample`` needs it.

        Returns
        -------
        Tick or None
            ``None`` while fewer bars have come, since the start or a gap, than the model reads at
            once; for a row that is late or jumps with ``late="skip"``; for a row that closes no
            bin, with ``resample``. Where a value is missing, a tick always, which names it.

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
            return self._pushed(row, timestamp)

    def _pushed(self, row: Any, timestamp: Any) -> Tick | None:
        state, rules = self._state, self._rules
        instant = None
        if timestamp is not None:
            instant = as_instant(timestamp)
            if self._dated:
                instant = as_date(instant)
            if self._max_jump is not None and self._jumps(instant, self._max_jump):
                return None
            if is_late(instant, state.last, self._late, again=rules.repeated == "keep"):
                self._state = state._replace(skipped=state.skipped + 1)
                return None
        values, complete = self._reader.row(row, missing=self._may_miss(state))
        if self._in_bins:
            self._state, tick = self._gathered(state, values, instant)
            return tick
        border = False
        if self._gap is not None and instant is not None and state.last is not None:
            limit = self._gap.of(instant, "max_gap")
            border = bool(apart(state.last, instant) > limit)
        self._state, tick = self._taken(state, values, instant, complete=complete, border=border)
        return tick

    def _taken(
        self,
        state: StreamState,
        values: NDArray[Any],
        instant: Instant | None,
        *,
        complete: bool,
        border: bool,
    ) -> tuple[StreamState, Tick | None]:
        """Return what follows from one more row, or one more bin."""
        came, put, run, ring, recursion, last, skipped, reading, open_bin, _, density = state
        last = last if instant is None else instant
        begins = False
        if not complete or border or reading is not COMPLETE:
            before = ring.last(put, 1)[0] if run else None
            reading, read, begins = read_on(
                reading, values, before, instant, border=border, fill=self._rules.fill
            )
            if read is None:
                state = StreamState(
                    came + 1, put, 0, ring, recursion, last, skipped, reading, open_bin
                )  # the density begins anew with the next window
                return state, self._unlabelled(reading)
            values = read
        if begins:
            run, density = 0, None
            if self._rules.after_gap == "restart":
                recursion = State.begin(1, self._contract.n_regimes)
        if not self._as_they_come or not complete:
            values = self._reader.kept(values, filled=not complete)
        ring.put(put, values)
        put, run, tick = put + 1, run + 1, None
        if run >= self._rows:
            np.copyto(self._window, self._reader.window(ring.last(put, self._rows)))
            self._run()
            found, recursion = self._recursion(self._distance, self._novelty, recursion)
            regime = found.regime.item()
            tick = Tick(
                regime,
                found.probability[0],
                None if self._novelty is None else self._novelty.item(),
                None if self._embedding is None else self._embedding[0].copy(),
                None if self._novelty is None else found.novel.item(),
                name=self._names[regime],
            )
            if self._density is not None:
                density, outlook = self._density.follow(self._window, density, found.probability[0])
                tick = tick._replace(outlook=outlook)
            if reading is not COMPLETE:
                tick = tick._replace(missing=self._named(reading))
        elif reading is not COMPLETE:
            tick = self._unlabelled(reading)
        return StreamState(
            came + 1, put, run, ring, recursion, last, skipped, reading, open_bin, None, density
        ), tick

    def _gathered(
        self, state: StreamState, values: NDArray[Any], instant: Instant | None
    ) -> tuple[StreamState, Tick | None]:
        """Return what follows from one more row of a bin, which may close the bins before it."""
        rules, how, before = self._rules, self._rules.resample_how, state.bin
        if instant is None:
            raise DataError(
                f"The row has no timestamp, and rows are gathered in bins of {rules.resample}. "
                "Give the time of each."
            )
        length = bin_length(rules, instant)
        number = int(bin_numbers(np.asarray(instant), length))
        came, tick, border = state.came + 1, None, False
        if before is not None and number > before.number:
            between = np.array([number - before.number])
            empty = int(empty_bins(between, rules, length)[0])
            border = self._gap is not None and (
                between[0] * length / NANOSECONDS > self._gap.of(instant, "max_gap")
            )
            rows = [before.row(how), *[np.full(len(values), np.nan)] * empty]
            for place, one in enumerate(rows):
                close = closing_times(np.int64(before.number + place), length)
                state, tick = self._taken(
                    state,
                    self._reader.row(one, missing=self._may_miss(state))[0],
                    close,
                    complete=not np.isnan(one).any(),
                    border=before.border and not place,
                )
            if empty < between[0] - 1:  # the last bin that closed was not read
                tick = self._unlabelled(state.reading) if state.reading.absent else None
        if before is None or number > before.number:
            before = Bin.empty(number, len(values), border=border)
        bin_ = before.with_row(values, how)
        return state._replace(came=came, last=instant, bin=bin_, far=None), tick

    def _may_miss(self, state: StreamState) -> bool:
        """Whether the next row, or bin, may lack a value."""
        return self._splits or (self._trims and not state.put)

    def _named(self, reading: Reading) -> dict[str, Absence]:
        return {self._reader.names[column]: one for column, one in reading.absent.items()}

    def _unlabelled(self, reading: Reading) -> Tick | None:
        """Return the tick of a row without a label, if it lacks a value."""
        if not reading.absent:
            return None
        nothing = np.full(self._contract.n_regimes, np.nan)
        return Tick(MISSING, nothing, None, None, None, self._named(reading))

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
            without), ``run`` (rows since the last gap), what is missing and what stands in for it,
            the open bin, scales and weights of the density where it was asked for, and the kind,
            version and model they belong to.
        """
        state = self._state.entries(self._rows, *self._reader.shape)
        return signed(_KIND, self._model, {**state, "resample": self._rules.resample or ""})

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go on from a snapshot, as if there had been no interruption: bit by bit the same.

        The snapshot may be that of a stream with other outputs. If that one computed no novelty,
        its running mean begins with the next bar; without the density, that one begins with the
        next window.

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
        bins, own = str(snapshot.get("resample", "")), self._rules.resample or ""
        if bins != own:
            raise DataError(
                f"The snapshot is of a stream with resample {bins or None!r}; this one has "
                f"{own or None!r}. Restore it into a stream with the same rules."
            )
        self._state = StreamState.of_entries(snapshot, self._ring(), self._contract)

    def _ring(self) -> Ring:
        # Features are made of bars in float64, as of a table.
        kept = np.float32 if self._features is None else np.float64
        spare = 1 if self._rules.resample is None else 2 + self._rules.fill
        return Ring(self._rows, *self._reader.shape, kept, spare)
