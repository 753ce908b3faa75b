"""Thousands of live series, one batched run a push."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regimetry.errors import DataError
from regimetry.runtime.batch import run_gathered
from regimetry.runtime.jump import jump_forward
from regimetry.runtime.modelfile import ModelFile
from regimetry.runtime.novelty import NONE_YET, exceeds
from regimetry.runtime.probability import probabilities
from regimetry.runtime.snapshots import (
    buffer_state,
    costs_of,
    entry,
    mean_of,
    require_signed,
    signed,
)
from regimetry.series.preprocessing import log_columns, require_positive
from regimetry.series.series import as_matrix, require_finite
from regimetry.windows import StreamBank

_KIND = "regimetry.bank"


class BankTicks(NamedTuple):
    """What is known of the series that have a full window; a row uses its bar and earlier ones.

    Attributes
    ----------
    ids : ndarray of int64, shape (M,)
        In the order in which they were pushed.
    regime : ndarray of int64, shape (M,)
    probability : ndarray of float64, shape (M, K)
    novelty : ndarray of float32, shape (M,)
    embedding : ndarray of float32, shape (M, D)
    novel : ndarray of bool, shape (M,)
        The running mean of novelty exceeds the contract's ``novelty_threshold``.
    """

    ids: NDArray[np.int64]
    regime: NDArray[np.int64]
    probability: NDArray[np.float64]
    novelty: NDArray[np.float32]
    embedding: NDArray[np.float32]
    novel: NDArray[np.bool_]


class RegimeBank:
    """Many live series of one model; made by :meth:`RegimeModel.bank`.

    Series are numbered; those from 0 to n_streams - 1 exist from the start. Each has its own window
    and its own state of the recursion. Calls from several threads queue up; a series keeps its
    order only if one thread pushes it.
    """

    def __init__(
        self,
        file: ModelFile,
        n_streams: int,
        *,
        capacity: int | None = None,
        instruments: Sequence[str] | None = None,
    ) -> None:
        if instruments is not None and len(instruments) != n_streams:
            raise DataError(
                f"There are {len(instruments)} instruments for {n_streams} series; name each."
            )
        self._file, self._contract = file, file.contract
        self._logs = log_columns(file.contract.transforms)
        rows, n_features = file.session.input_shape
        self._windows = StreamBank(n_streams, rows, n_features, capacity)
        self._costs = np.zeros((self._windows.capacity, file.contract.n_regimes))
        self._means = np.full(self._windows.capacity, NONE_YET)
        self._lock = threading.Lock()
        self._maps: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        if file.contract.scaling is not None and instruments is not None:
            # Series that are added later have no name, and are read as they are.
            names = [*instruments, *[""] * (self._windows.capacity - n_streams)]
            self._maps = file.contract.scaling.maps_of(names)

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
            In the model's units and column order.

        Returns
        -------
        BankTicks
            Of the rows after which their series has a full window, in the order of ``ids``; as
            if the rows were pushed one by one.

        Raises
        ------
        DataError
            An id that does not exist, wrong shapes, or a value that is not finite (row and column
            named). The bank is then as it was: all rows or none.
        """
        values, names = as_matrix(rows), self._contract.schema.feature_names
        if values.shape[1] != len(names):
            raise DataError(
                f"The rows have {values.shape[1]} columns; the model reads {len(names)}: "
                f"{', '.join(names)}."
            )
        require_finite(values, names)
        require_positive(values, self._logs, names)
        values = self._in_common_units(ids, values)
        file, outputs = self._file, ("embedding", "distance", "novelty")
        with self._lock:
            ready, windows = self._windows.push(_as_ids(ids), values, file.threads)
            found = run_gathered(
                file.session, windows, outputs, threads=file.threads, batch_size=file.batch_size
            )
            labels, costs = self._step(ready, found["distance"])
            means = self._average(ready, found["novelty"])
        return BankTicks(
            ready,
            labels,
            probabilities(costs, self._contract.sharpness),
            found["novelty"],
            found["embedding"],
            exceeds(means, self._contract.novelty_threshold),
        )

    def add(self, count: int = 1) -> NDArray[np.int64]:
        """Make new, empty series and return their ids, the lowest free ones.

        Raises
        ------
        DataError
            More than the capacity leaves.
        """
        with self._lock:
            ids = self._windows.add(count)
            self._costs[ids], self._means[ids] = 0.0, NONE_YET
        return ids

    def drop(self, ids: ArrayLike) -> None:
        """Remove series and free their ids.

        Raises
        ------
        DataError
            An id that does not exist or is repeated. The bank is then as it was.
        """
        with self._lock:
            self._windows.drop(_as_ids(ids))

    def reset(self, ids: ArrayLike | None = None) -> None:
        """Empty series, all of them by default, which go on to exist.

        Raises
        ------
        DataError
            An id that does not exist. The bank is then as it was.
        """
        with self._lock:
            chosen = None if ids is None else _as_ids(ids)
            self._windows.reset(chosen)
            which = slice(None) if chosen is None else chosen
            self._costs[which], self._means[which] = 0.0, NONE_YET

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
            means, and the kind, version and model they belong to.
        """
        with self._lock:
            state = self._windows.snapshot()
            costs, means = self._costs[state["ids"]], self._means[state["ids"]]
        return signed(_KIND, self._contract, {**state, "costs": costs, "novelty": means})

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go on from a snapshot, in place of all series, bit by bit as if uninterrupted.

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
        require_signed(snapshot, _KIND, self._contract)
        ids = _as_ids(entry(snapshot, "ids"))
        costs = costs_of(snapshot, (len(ids), self._contract.n_regimes))
        means = mean_of(snapshot, (len(ids),))
        with self._lock:
            self._windows.restore(buffer_state(snapshot, "stream_bank"))
            self._costs[ids], self._means[ids] = costs, means

    def _in_common_units(
        self, ids: ArrayLike, values: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        scaling, which = self._contract.scaling, _as_ids(ids)
        if self._maps is None or scaling is None or len(which) != len(values):
            return values
        # An id that does not exist is refused by the windows, a moment later.
        factor, offset = (np.take(table, which, axis=0, mode="clip") for table in self._maps)
        return scaling.mapped(values, factor, offset)

    def _step(
        self, ids: NDArray[np.int64], distance: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Advance the recursion of each series by its rows; labels and costs of every row."""
        order = np.argsort(ids, kind="stable")
        which, first = np.unique(ids[order], return_index=True)
        offsets = np.append(first, len(ids)).astype(np.int64)
        sorted_labels, sorted_costs = jump_forward(
            distance[order], self._contract.jump_penalty, self._costs[which], offsets
        )
        self._costs[which] = sorted_costs[offsets[1:] - 1]
        labels, costs = np.empty_like(sorted_labels), np.empty_like(sorted_costs)
        labels[order], costs[order] = sorted_labels, sorted_costs
        return labels, costs

    def _average(self, ids: NDArray[np.int64], novelty: NDArray[np.float32]) -> NDArray[np.float64]:
        """Advance the running mean of each series by its rows; the mean after every row."""
        memory, result = self._contract.novelty_memory, np.empty(len(ids))
        # A series' rows in order, those of all series at once: the first of each, the second, ...
        order = np.argsort(ids, kind="stable")
        starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
        turn = np.empty(len(ids), dtype=np.int64)
        turn[order] = np.arange(len(ids)) - np.repeat(starts, np.diff(starts, append=len(ids)))
        for number in range(int(turn.max(initial=-1)) + 1):
            rows = np.flatnonzero(turn == number)
            before, now = self._means[ids[rows]], novelty[rows].astype(np.float64)
            after = np.where(np.isnan(before), now, before + memory * (now - before))
            self._means[ids[rows]] = result[rows] = after
        return result


def _as_ids(ids: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(ids)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise DataError(
            f"The ids are {array.dtype} of shape {array.shape}; a flat list of whole numbers is "
            "needed."
        )
    return array.astype(np.int64, copy=False)
