"""Thousands of live series, one batched run per push."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regimetry.errors import DataError
from regimetry.runtime import live_outputs
from regimetry.runtime.batch import run_gathered
from regimetry.runtime.live_rows import RowsReader
from regimetry.runtime.modelfile import ModelFile
from regimetry.runtime.process_lock import ProcessLock
from regimetry.runtime.recursion import Recursion, State
from regimetry.runtime.snapshots import entry, recursion_of, require_signed, signed
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
    """

    ids: NDArray[np.int64]
    regime: NDArray[np.int64]
    probability: NDArray[np.float64]
    novelty: NDArray[np.float32] | None
    embedding: NDArray[np.float32] | None
    novel: NDArray[np.bool_] | None


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
    ) -> None:
        self._needed = live_outputs.needed(outputs)
        if instruments is not None and len(instruments) != n_streams:
            raise DataError(
                f"There are {len(instruments)} instruments for {n_streams} series; name each."
            )
        self._file, self._contract = file, file.contract
        self._session = file.session(self._needed)
        self._reader = RowsReader(file, instruments)
        self._recursion = Recursion.of(file.contract)
        self._windows = StreamBank(
            n_streams,
            file.rows,
            len(file.schema.feature_names),
            capacity,
            State.begin(1, file.contract.n_regimes).numbers()[0],
            # Features are made of bars in float64, as of a table.
            "float64" if file.features else "float32",
        )
        self._lock = ProcessLock()

    @property
    def n_streams(self) -> int:
        """Series that exist."""
        return self._windows.n_streams

    @property
    def capacity(self) -> int:
        """The most series there can be."""
        return self._windows.capacity

    def push(self, ids: ArrayLike, rows: ArrayLike) -> BankTicks:
        """Take one bar of each of the series ``ids``.

        Parameters
        ----------
        ids : array-like of int, shape (B,)
            In any order; an id may be repeated, its rows are then taken in order.
        rows : array-like of float, shape (B, F)
            In the model's units and column order; bars if the model computes features of bars.

        Returns
        -------
        BankTicks
            Of the rows after which their series has a full window, in the order of ``ids``; as
            if the rows were pushed one by one.

        Raises
        ------
        DataError
            An id that does not exist, wrong shapes, a value that is not finite (row and column
            named), or an invalid bar. The bank is then as it was: all rows or none.
        ModelError
            The model does not run. The bank is then as it was.
        """
        file, numbers = self._file, _as_ids(ids)
        values = self._reader.rows(numbers, rows)
        with self._lock.free():
            ready, windows = self._windows.stage(numbers, values, file.threads)
            found = run_gathered(
                self._session,
                self._reader.windows(ready, windows),
                self._needed,
                threads=file.threads,
                batch_size=file.batch_size,
            )
            # The rows of a series one after the other, in the order in which they came.
            order = np.argsort(ready, kind="stable")
            which, first = np.unique(ready[order], return_index=True)
            offsets = np.append(first, len(ready)).astype(np.int64)
            state = State.of_numbers(self._windows.numbers(which))
            novelty = found.get("novelty")
            labels, states = self._recursion(
                found["distance"][order],
                None if novelty is None else novelty[order],
                state,
                offsets,
            )
            self._windows.commit(numbers, values, which, state.after(states, offsets).numbers())
        back = np.argsort(order)
        return BankTicks(
            ready,
            labels.regime[back],
            labels.probability[back],
            novelty,
            found.get("embedding"),
            None if novelty is None else labels.novel[back],
        )

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
        """Return the rows that each of the series ``ids`` has seen since it was made or reset."""
        return self._windows.counts(_as_ids(ids))

    def snapshot(self) -> dict[str, Any]:
        """Copy the state into plain numbers, texts and arrays.

        Returns
        -------
        dict
            Fit for ``numpy.savez``, and to be read with ``allow_pickle=False``: ``ids`` and
            ``counts`` (n,), ``rows`` (n, R, F), ``costs`` (n, K), ``novelty`` (n,), its running
            means (NaN without), and the kind, version and model they belong to.
        """
        with self._lock.free():
            state: dict[str, Any] = {**self._windows.snapshot()}
        costs, means = State.of_numbers(state.pop("numbers"))
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
