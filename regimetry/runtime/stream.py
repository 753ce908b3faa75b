"""One live series: a row in, a regime out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import ModelContract
from regimetry.errors import DataError
from regimetry.runtime.binding import bind
from regimetry.runtime.instants import Clock, as_instant
from regimetry.runtime.jump import jump_labels
from regimetry.runtime.novelty import NONE_YET, step
from regimetry.runtime.probability import probabilities_of_row
from regimetry.runtime.shared_session import SharedSession
from regimetry.runtime.snapshots import (
    buffer_state,
    costs_of,
    entry,
    mean_of,
    require_signed,
    signed,
)
from regimetry.series.preprocessing import log_columns, require_positive
from regimetry.windows import StreamBuffer

_KIND = "regimetry.stream"


class Tick(NamedTuple):
    """What is known once a bar has closed; every field uses that bar and earlier ones only.

    Attributes
    ----------
    regime : int
        The causal label.
    probability : ndarray of float64, shape (K,)
    novelty : float
        1 is typical of the training windows.
    embedding : ndarray of float32, shape (D,)
    novel : bool
        The running mean of novelty exceeds the contract's ``novelty_threshold``.
    """

    regime: int
    probability: NDArray[np.float64]
    novelty: float
    embedding: NDArray[np.float32]
    novel: bool


class Stream:
    """A live series; made by :meth:`RegimeModel.stream`.

    Not safe for use by several threads at once: one stream is one series in one order.

    Attributes
    ----------
    skipped : int
        Rows that came late and were left out.
    """

    def __init__(
        self,
        session: SharedSession,
        contract: ModelContract,
        late: Literal["refuse", "skip"] = "refuse",
        instrument: str | None = None,
    ) -> None:
        self._scaling = None if instrument is None else contract.scaling
        self._instrument = instrument or ""
        self._clock = Clock(late)
        self._contract = contract
        self._logs = log_columns(contract.transforms)
        self._shape = (contract.n_features,)
        self._buffer = StreamBuffer(contract.window_rows, contract.n_features)
        # Bound once: copying a window here takes 1 microsecond, binding the buffer's own 4.
        self._window = np.ones((1, *session.input_shape), np.float32)
        outputs = session.empty_outputs(1, ("embedding", "distance", "novelty"))
        self._run = bind(session, self._window, outputs)
        self._distance, self._novelty = outputs["distance"], outputs["novelty"]
        self._embedding = outputs["embedding"][0]
        self._penalty, self._sharpness = contract.jump_penalty, contract.sharpness
        self._memory = contract.novelty_memory
        threshold = contract.novelty_threshold
        self._threshold = math.inf if threshold is None else threshold
        self._run()  # so that the first tick is as fast as the others
        self.reset()

    @property
    def count(self) -> int:
        """Rows taken since the start or the last reset."""
        return self._buffer.count

    def reset(self) -> None:
        """Forget every row and timestamp, as if the stream were new."""
        self._buffer.reset()
        self._costs = np.zeros(self._contract.n_regimes)
        self._mean = NONE_YET
        self._clock.last = None
        self.skipped = 0

    def push(
        self, row: Sequence[float] | NDArray[Any] | Mapping[str, Any], timestamp: Any = None
    ) -> Tick | None:
        """Take the bar that has just closed.

        Parameters
        ----------
        row : sequence of F numbers, or mapping of column name to number
            In the model's units and column order (by name for a mapping).
        timestamp : number, datetime, datetime64 or ISO 8601 str, optional
            When the bar closed; must lie after that of the last row that had one. Times with a
            zone are compared in UTC.

        Returns
        -------
        Tick or None
            ``None`` while fewer bars have come than the model reads at once, and for a late row
            with ``late="skip"``.

        Raises
        ------
        DataError
            The row has the wrong length, lacks a column, or holds a value that is not finite; or
            it is late, with ``late="refuse"``. It is then not part of the stream.
        """
        instant = None if timestamp is None else as_instant(timestamp)
        if instant is not None and self._clock.is_late(instant):
            self.skipped += 1
            return None
        values = self._values(row)
        try:
            self._buffer.push(values)
        except DataError:
            self._name_column(values)
            raise
        if instant is not None:
            self._clock.last = instant
        return self._tick() if self._buffer.ready else None

    def snapshot(self) -> dict[str, Any]:
        """Copy the state into plain numbers, texts and arrays.

        Returns
        -------
        dict
            Fit for ``numpy.savez``, and to be read with ``allow_pickle=False``: the buffer's rows
            (min(count, R), F), ``costs`` (K,), ``last`` (the last timestamp, or empty), ``count``,
            ``skipped``, ``novelty`` (its running mean), and the kind, version and model they
            belong to.
        """
        last = np.empty(0) if self._clock.last is None else np.array([self._clock.last])
        state = {**self._buffer.snapshot(), "costs": self._costs.copy(), "last": last}
        return signed(
            _KIND, self._contract, {**state, "skipped": self.skipped, "novelty": self._mean}
        )

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go on from a snapshot, as if there had been no interruption: bit by bit the same.

        Parameters
        ----------
        snapshot : mapping
            What :meth:`snapshot` returned, or ``numpy.load`` of what ``numpy.savez`` made of it.

        Raises
        ------
        DataError
            Of another kind, version or model, or changed. The stream is then as it was.
        """
        require_signed(snapshot, _KIND, self._contract)
        costs = costs_of(snapshot, (self._contract.n_regimes,))
        last = np.array(entry(snapshot, "last"))
        if last.ndim != 1 or len(last) > 1 or last.dtype.kind not in "ifM":
            raise DataError("The snapshot's last timestamp is damaged; take the snapshot again.")
        skipped = int(entry(snapshot, "skipped"))
        mean = mean_of(snapshot, ())
        self._buffer.restore(buffer_state(snapshot, "stream_buffer"))
        self._costs, self.skipped = costs, skipped
        self._mean = float(mean)
        self._clock.last = last[0] if len(last) else None

    def _values(self, row: Any) -> NDArray[np.float64]:
        if type(row) is not np.ndarray and isinstance(row, Mapping):
            row = self._contract.schema.row(row)
        try:
            values = np.asarray(row, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"The row {row!r} holds something that is not a number.") from error
        if values.shape != self._shape:
            raise DataError(
                f"The row has shape {values.shape}; the model reads {self._shape[0]} numbers: "
                f"{', '.join(self._contract.schema.feature_names)}."
            )
        if self._logs and not min(values.take(self._logs).tolist()) > 0:
            self._name_column(values)
            require_positive(values[None], self._logs, self._contract.schema.feature_names)
        if self._scaling is not None:
            values = self._scaling.apply(values, self._instrument).astype(np.float64, copy=False)
        return values

    def _name_column(self, values: NDArray[np.float64]) -> None:
        """Raise :class:`DataError` naming the first value that is not finite, if there is one."""
        usable = np.abs(values) <= np.finfo(np.float32).max
        if not usable.all():
            column = int(np.argmin(usable))
            raise DataError(
                f"Column {self._contract.schema.feature_names[column]!r} of the row holds "
                f"{values[column]}; every value must be finite in float32."
            )

    def _tick(self) -> Tick:
        np.copyto(self._window, self._buffer.window())
        self._run()
        labels, self._costs = jump_labels(self._distance, self._penalty, self._costs)
        novelty = self._novelty.item()
        self._mean = step(self._mean, novelty, self._memory)
        return Tick(
            labels.item(),
            probabilities_of_row(self._costs, self._sharpness),
            novelty,
            self._embedding.copy(),
            self._mean > self._threshold,
        )
