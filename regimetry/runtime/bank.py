"""Thousands of live series, one batched run per push."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regimetry.errors import ConfigError, DataError
from regimetry.runtime import live_outputs
from regimetry.runtime.batch import run_gathered
from regimetry.runtime.instants import as_times
from regimetry.runtime.live_rows import RowsReader
from regimetry.runtime.modelfile import ModelFile
from regimetry.runtime.process_lock import ProcessLock
from regimetry.runtime.pushed import Pushed, complete_rows, occurrences, read_rows_of_push
from regimetry.runtime.recursion import Recursion, State
from regimetry.runtime.snapshots import entry, recursion_of, require_signed, signed
from regimetry.series.rules import ReadingRules
from regimetry.series.standing import Standing
from regimetry.windows import StreamBank

_KIND = "regimetry.bank"


class BankTicks(NamedTuple):
    """Results for the series that have a full window; a row uses its bar and earlier ones.

    Attributes
    ----------
    ids : ndarray of int64, shape (M,)
        In the order in which they were pushed.
    regime : ndarray of int64, shape (M,)
    probability : ndarray of float64, shape (M, K)
    novelty : ndarray of float32, shape (M,), or None
        ``None`` unless the bank was asked for it.
    embedding : ndarray of float32, shape (M, D), or None
        ``None`` unless the bank was asked for it.
    novel : ndarray of bool, shape (M,), or None
        The running mean of novelty exceeds the contract's ``novelty_threshold``. ``None`` without
        novelty.
    row : ndarray of int64, shape (M,)
        Which row of the push each belongs to.
    """

    ids: NDArray[np.int64]
    regime: NDArray[np.int64]
    probability: NDArray[np.float64]
    novelty: NDArray[np.float32] | None
    embedding: NDArray[np.float32] | None
    novel: NDArray[np.bool_] | None
    row: NDArray[np.int64]


class Commit(NamedTuple):
    """All that a push changes in a bank; :meth:`RegimeBank.redo` makes it again, without the model.

    Attributes
    ----------
    ids : ndarray of int64, shape (B,)
    rows : ndarray of float, shape (B, F)
        Rows that are kept, of these series.
    series : ndarray of int64, shape (M,)
        All whose rows came, ascending.
    numbers : ndarray of float64, shape (M, S)
        Their recursion, and where their reading stands.
    """

    ids: NDArray[np.int64]
    rows: NDArray[np.floating]
    series: NDArray[np.int64]
    numbers: NDArray[np.float64]


class RegimeBank:
    """Many live series of one model; made by :meth:`RegimeModel.bank`.

    Series are numbered; those from 0 to n_streams - 1 exist from the start. Each has its own window
    and its own state of the recursion. A push takes all of its rows or none, also if an error or an
    interrupt ends it early; :meth:`counts` shows which. Calls from several threads queue up; a
    series keeps its order only if one thread pushes it. A call from within another one, as from a
    finaliser or a signal handler, raises :class:`RegimetryError`. A process that is forked has a
    bank of its own, which is whole.
    """

    def __init__(
        self,
        file: ModelFile,
        n_streams: int,
        *,
        outputs: Iterable[str] = live_outputs.DEFAULT,
        capacity: int | None = None,
        instruments: Sequence[str] | None = None,
        rules: ReadingRules | None = None,
    ) -> None:
        self._needed = live_outputs.needed(outputs)
        if instruments is not None and len(instruments) != n_streams:
            raise DataError(
                f"There are {len(instruments)} instruments for {n_streams} series; name each."
            )
        self._file, self._contract = file, file.contract
        self._rules = rules = file.contract.reading if rules is None else rules
        if rules.resample is not None:
            raise ConfigError(
                f"resample is {rules.resample!r}, and a bank gathers no rows in bins. Start a "
                "stream for each series, or fit without resample."
            )
        # Rows may lack values, or time make gaps; else the windows know all there is.
        self._stands = rules.splits or rules.gap is not None
        self._states = file.contract.n_regimes + 1
        self._session = file.session(self._needed)
        self._reader = RowsReader(file, instruments)
        self._recursion = Recursion.of(file.contract)
        self._windows = StreamBank(
            n_streams,
            file.rows,
            len(file.schema.feature_names),
            capacity,
            self._begin(),
            # Features are made of bars in float64, as of a table.
            "float64" if file.features else "float32",
        )
        self._lock = ProcessLock()

    @property
    def model(self) -> str:
        """What snapshots name the model by."""
        return self._file.identity

    @property
    def n_streams(self) -> int:
        """Series that exist."""
        return self._windows.n_streams

    @property
    def capacity(self) -> int:
        """The most series there can be."""
        return self._windows.capacity

    def push(
        self,
        ids: ArrayLike,
        rows: ArrayLike,
        timestamps: ArrayLike | None = None,
        *,
        before: Callable[[Commit, BankTicks], None] | None = None,
    ) -> BankTicks:
        """Take one bar of each of the series ``ids``.

        Parameters
        ----------
        ids : array-like of int, shape (B,)
            In any order; an id may be repeated, its rows are then taken in order.
        rows : array-like of float, shape (B, F)
            In the model's units and column order; bars if the model computes features of bars. NaN
            is a missing value, which the rules of the file deal with, as in a stream.
        timestamps : array-like of datetime64 or numbers, shape (B,), or one for all, optional
            When the bars closed: by these, gaps in time are seen. They rise within each series.
        before : callable or None
            Called with what the push changes and returns before it does, as to write it to a log.
            If it raises, the bank stays as it was. It may not call the bank.

        Returns
        -------
        BankTicks
            Of the rows after which their series has a full window, in the order of ``ids``; as
            if the rows were pushed one by one. :meth:`missing` tells what a series lacks.

        Raises
        ------
        DataError
            An id that does not exist, wrong shapes, a value that is not finite (row and column
            named), or an invalid bar. The bank is then as it was: all rows or none.
        ModelError
            The model does not run. The bank is then as it was.
        """
        file, numbers = self._file, _as_ids(ids)
        values = self._reader.rows(rows)
        times = None
        if timestamps is not None and self._rules.gap is not None:
            times = as_times(timestamps, len(numbers), dates=self._rules.gap.is_duration)
        with self._lock.free():
            read = self._read(numbers, values, times)
            kept = self._reader.kept(read.ids, read.values)
            ready, windows = self._windows.stage(read.ids, kept, file.threads)
            if read.standing is not None and len(ready):
                full = self._windows.counts(read.ids) + occurrences(read.ids) >= file.rows
                ready, windows = ready[read.labelled[full]], windows[read.labelled[full]]
            found = run_gathered(
                self._session,
                self._reader.windows(ready, windows),
                self._needed,
                threads=file.threads,
                batch_size=file.batch_size,
            )
            # The rows of a series one after the other, in the order in which they came.
            order = np.argsort(ready, kind="stable")
            segments = read.segments
            novelty = found.get("novelty")
            labels, which, after = self._recursion.follow_segments(
                found["distance"][order],
                None if novelty is None else novelty[order],
                State.of_numbers(self._windows.numbers(segments.series)[:, : self._states]),
                segments,
                carry=self._rules.after_gap == "carry",
            )
            new = self._windows.numbers(read.series)
            new[np.searchsorted(read.series, which), : self._states] = after.numbers()
            if read.standing is not None:
                new[:, self._states :] = read.standing.numbers()
            back = np.argsort(order)
            ticks = BankTicks(
                ready,
                labels.regime[back],
                labels.probability[back],
                novelty,
                found.get("embedding"),
                None if novelty is None else labels.novel[back],
                read.places[read.labelled],
            )
            commit = Commit(read.ids, kept, read.series, new)
            if before is not None:
                before(commit, ticks)
            self._windows.commit(*commit)
        return ticks

    def redo(self, commit: Commit) -> None:
        """Change the bank as a push did that was told to its ``before``.

        Raises
        ------
        DataError
            It cannot be a change of this bank. The bank is then as it was.
        """
        with self._lock.free():
            self._windows.commit(*commit)

    def _begin(self) -> NDArray[np.float64]:
        """Return the numbers of a series without rows: the recursion's, and where it stands."""
        numbers: NDArray[np.float64] = State.begin(1, self._contract.n_regimes).numbers()[0]
        if not self._stands:
            return numbers
        standing = Standing.begin(1, len(self._file.schema.feature_names))
        return np.append(numbers, standing.numbers()[0])

    def _read(
        self, ids: NDArray[np.int64], values: NDArray[np.floating], times: NDArray[Any] | None
    ) -> Pushed:
        """Read the rows of a push by the rules."""
        how: Any = {"rows": self._file.rows, "names": self._file.schema.feature_names}
        counts = self._windows.counts(ids)
        if len(ids) != len(values):
            raise DataError(f"There are {len(ids)} ids and {len(values)} rows; one id a row.")
        if not self._stands:
            return complete_rows(ids, values, counts, self._rules, **how)
        standing = Standing.of_numbers(self._windows.numbers(np.unique(ids))[:, self._states :])
        return read_rows_of_push(ids, values, times, standing, self._rules, **how)

    def missing(self, ids: ArrayLike) -> NDArray[np.int64]:
        """Return in how many rows, up to the last, each value of series was missing: (n, C).

        0 throughout where the rules leave no incomplete row in a series.
        """
        places = _as_ids(ids)
        if not self._stands:
            self._windows.counts(places)
            return np.zeros((len(places), len(self._file.schema.feature_names)), np.int64)
        return Standing.of_numbers(self._windows.numbers(places)[:, self._states :]).absent

    def add(self, count: int = 1) -> NDArray[np.int64]:
        """Make new, empty series and return their ids, the lowest free ones.

        Raises
        ------
        DataError
            More than the capacity leaves.
        """
        with self._lock.free():
            return self._windows.add(count)

    def drop(self, ids: ArrayLike) -> None:
        """Remove series and free their ids.

        Raises
        ------
        DataError
            An id that does not exist or is repeated. The bank is then as it was.
        """
        with self._lock.free():
            self._windows.drop(_as_ids(ids))

    def reset(self, ids: ArrayLike | None = None) -> None:
        """Empty series, all of them by default, which go on to exist.

        Raises
        ------
        DataError
            An id that does not exist. The bank is then as it was.
        """
        with self._lock.free():
            self._windows.reset(None if ids is None else _as_ids(ids))

    def counts(self, ids: ArrayLike) -> NDArray[np.int64]:
        """Return the rows that each of the series ``ids`` has kept since it was made or reset."""
        return self._windows.counts(_as_ids(ids))

    def snapshot(self) -> dict[str, Any]:
        """Copy the state into plain numbers, texts and arrays.

        Returns
        -------
        dict
            Fit for ``numpy.savez``, and to be read with ``allow_pickle=False``: ``ids`` and
            ``counts`` (n,), ``rows`` (n, R, F), ``costs`` (n, K), ``novelty`` (n,), its running
            means (NaN without), ``standing`` where rows may lack values, and the kind, version and
            model they belong to.
        """
        with self._lock.free():
            state: dict[str, Any] = {**self._windows.snapshot()}
        numbers = state.pop("numbers")
        costs, means = State.of_numbers(numbers[:, : self._states])
        if self._stands:
            state["standing"] = numbers[:, self._states :]
        return signed(_KIND, self._file.identity, {**state, "costs": costs, "novelty": means})

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go on from a snapshot, in place of all series, bit by bit as if uninterrupted.

        The snapshot may be that of a bank with other outputs, as for a stream.

        Parameters
        ----------
        snapshot : mapping
            What :meth:`snapshot` returned, or ``numpy.load`` of what ``numpy.savez`` made of it.

        Raises
        ------
        DataError
            Of another kind, version or model, changed, or with ids beyond the capacity. The bank is
            then as it was.
        """
        require_signed(snapshot, _KIND, self._file.identity)
        ids = _as_ids(entry(snapshot, "ids"))
        recursion = recursion_of(snapshot, (len(ids), self._contract.n_regimes))
        names = ("window_size", "n_features", "counts", "rows")
        state: Any = {name: snapshot[name] for name in names if name in snapshot}
        state |= {"kind": "stream_bank", "version": 1, "ids": ids}
        state["numbers"] = recursion.numbers()
        if self._stands:
            standing = np.array(snapshot.get("standing", np.empty((0, 0))), np.float64)
            if standing.shape != (len(ids), len(self._begin()) - self._states):
                raise DataError(
                    "The snapshot says nothing of missing values and gaps, by whose rules this "
                    "bank reads; restore it into a bank with the rules of the one that made it."
                )
            state["numbers"] = np.column_stack([state["numbers"], standing])
        with self._lock.free():
            self._windows.restore(state)


def _as_ids(ids: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(ids)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise DataError(
            f"The ids are {array.dtype} of shape {array.shape}; a flat list of whole numbers is "
            "needed."
        )
    return array.astype(np.int64, copy=False)
