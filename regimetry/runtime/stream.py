"""One live series: a row in, a regime out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import INPUT_NAME, OUTPUT_NAMES, ModelContract
from regimetry.errors import DataError
from regimetry.runtime.jump import jump_forward
from regimetry.runtime.probability import probabilities
from regimetry.series.preprocessing import log_columns, require_positive
from regimetry.windows import StreamBuffer


@dataclass(frozen=True, slots=True)
class Tick:
    """What is known once a bar has closed; every field uses that bar and earlier ones only.

    Attributes
    ----------
    regime : int
        The causal label.
    probability : ndarray of float64, shape (K,)
    novelty : float
        1 is typical of the training windows.
    embedding : ndarray of float32, shape (D,)
    """

    regime: int
    probability: NDArray[np.float64]
    novelty: float
    embedding: NDArray[np.float32]


class Stream:
    """A live series; made by :meth:`RegimeModel.stream`.

    Not safe for use by several threads at once: one stream is one series in one order.
    """

    def __init__(self, session: Any, contract: ModelContract) -> None:
        self._session = session
        self._contract = contract
        self._names = contract.schema.feature_names
        self._logs = log_columns(contract.transforms)
        self._outputs = list(OUTPUT_NAMES)
        self._buffer = StreamBuffer(contract.window_rows, contract.n_features)
        self._costs: NDArray[np.float64] | None = None

    @property
    def count(self) -> int:
        """Rows pushed since the start or the last reset."""
        return int(self._buffer.count)

    def reset(self) -> None:
        """Forget every row, as if the stream were new."""
        self._buffer.reset()
        self._costs = None

    def push(self, row: Sequence[float] | NDArray[Any] | Mapping[str, Any]) -> Tick | None:
        """Take the bar that has just closed.

        Parameters
        ----------
        row : sequence of F numbers, or mapping of column name to number
            In the model's units and column order (by name for a mapping).

        Returns
        -------
        Tick or None
            ``None`` while fewer bars have come than the model reads at once.

        Raises
        ------
        DataError
            The row has the wrong length, lacks a column, or holds a value that is not finite. It
            is then not part of the stream.
        """
        self._buffer.push(self._row(row))
        if not self._buffer.ready:
            return None
        embedding, distance, _, novelty = self._session.run(
            self._outputs, {INPUT_NAME: self._buffer.window()}
        )
        labels, costs = jump_forward(distance, self._contract.jump_penalty, self._costs)
        self._costs = costs[-1]
        return Tick(
            regime=int(labels[0]),
            probability=probabilities(self._costs, self._contract.sharpness),
            novelty=float(novelty[0]),
            embedding=embedding[0],
        )

    def _row(self, row: Sequence[float] | NDArray[Any] | Mapping[str, Any]) -> NDArray[Any]:
        if isinstance(row, Mapping):
            row = self._contract.schema.row(row)
        try:
            values = np.asarray(row, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"The row {row!r} holds something that is not a number.") from error
        if values.shape != (self._contract.n_features,):
            raise DataError(
                f"The row has shape {values.shape}; the model reads {self._contract.n_features} "
                f"numbers: {', '.join(self._names)}."
            )
        if not np.isfinite(values).all():
            column = int(np.argmin(np.isfinite(values)))
            raise DataError(
                f"Column {self._names[column]!r} of the row holds "
                f"{values[column]}; every value must be finite."
            )
        require_positive(values[None], self._logs, self._names)
        return values
