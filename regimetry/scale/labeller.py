"""Labels of many instruments whose rows come in chunks, cut anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.runtime.batch import Advance, run_windows
from regimetry.runtime.labelling import MISSING
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.recursion import Labelling, Recursion, State
from regimetry.scale.carried import Carried
from regimetry.series.features.bars import first_fault
from regimetry.series.preprocessing import log_columns
from regimetry.series.spans import ranges

_OUTPUTS = ("distance", "novelty")


class Labeller:
    """Labels the rows of many instruments as they come.

    However the rows are cut into chunks and however instruments alternate in them, the labels of an
    instrument are those that :meth:`RegimeModel.label` gives its whole history, on a CPU bit for
    bit. For each instrument it keeps the last rows that the next label needs, and the state of the
    recursion. All windows of a chunk share batches.

    Parameters
    ----------
    model : RegimeModel
    """

    def __init__(self, model: RegimeModel) -> None:
        self._file = model._file
        self._contract = model.contract
        self._recursion = Recursion.of(model.contract)
        n_columns = len(model.schema.feature_names)
        self._carried = Carried(model.rows, n_columns, model.contract.n_regimes)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of each instrument have come."""
        return {name: int(self._carried.seen[i]) for name, i in self._carried.numbers.items()}

    def push(
        self,
        names: Sequence[str],
        which: NDArray[np.integer],
        values: NDArray[np.floating],
        *,
        advance: Advance | None = None,
    ) -> Labelling:
        """Label the next rows, which follow those of the same instruments pushed before.

        Parameters
        ----------
        names : sequence of str
            Instruments, no two the same; some may have no row here.
        which : ndarray of int, shape (n,)
            The instrument of each row, as a place in ``names``.
        values : ndarray of float32 or float64, shape (n, F)
            In the instruments' own units and in the model's column order; bars (n, C), of a model
            that makes features of bars.
        advance : callable or None
            Called with the number of windows of each run when it is done, from any thread.

        Returns
        -------
        Labelling

        Raises
        ------
        DataError
            A value is not finite, or not positive where the model takes its logarithm, or a bar is
            no bar; instrument, its row and the column are named.
        """
        features = self._file.features
        self._require_usable(names, which, values)
        carried, reach = self._carried, self._file.rows - 1
        order = np.argsort(which, kind="stable")
        numbers, counts = np.unique(which, return_counts=True)
        present = [names[number] for number in numbers.tolist()]
        places = carried.places(present)
        own = np.concatenate([[0], np.cumsum(counts)])
        rows = values[order] if features else self._scaled(present, own, values[order])
        stacked, bounds, kept = carried.before(places, counts, rows)
        windows = np.maximum(kept + counts - reach, 0)
        read: NDArray[np.floating] = stacked
        begins = bounds
        if features is not None:
            made, begins = features.each(stacked, bounds)
            read = self._scaled(present, begins, made)
        outputs = run_windows(
            self._file.session(_OUTPUTS),
            read,
            _OUTPUTS,
            starts=ranges(begins[:-1], windows),
            threads=self._file.threads,
            batch_size=self._file.batch_size,
            advance=advance,
        )
        # A window's label stands at its last row; in the stack rows kept lie before the new ones.
        ends = ranges(bounds[:-1], windows) + reach
        at = order[ends - np.repeat(np.cumsum(kept), windows)]
        result = self._follow(places, windows, outputs, at, len(which))
        carried.keep(places, stacked, bounds)
        carried.seen[places] += counts
        return result

    def _follow(
        self,
        places: NDArray[np.int64],
        windows: NDArray[np.int64],
        outputs: dict[str, NDArray[np.float32]],
        rows: NDArray[np.int64],
        n_rows: int,
    ) -> Labelling:
        """Carry both recursions on over the windows and put the results at their rows."""
        carried, n_regimes = self._carried, self._contract.n_regimes
        bounds = np.concatenate([[0], np.cumsum(windows)])
        state = State(carried.costs[places], carried.means[places])
        found, states = self._recursion(outputs["distance"], outputs["novelty"], state, bounds)
        carried.costs[places], carried.means[places] = state.after(states, bounds)
        result = Labelling(
            regime=np.full(n_rows, MISSING, np.int64),
            probability=np.full((n_rows, n_regimes), np.nan),
            novelty=np.full(n_rows, np.nan, np.float32),
            novel=np.zeros(n_rows, np.bool_),
        )
        for place, value in zip(result, found, strict=True):
            place[rows] = value
        return result

    def _scaled(
        self, names: Sequence[str], bounds: NDArray[np.int64], values: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        """Return the rows, one instrument after the other, in the units that the graph reads."""
        scaling = self._contract.scaling
        if scaling is None or not names:
            return values
        return scaling.apply_each(values, names, bounds)

    def _require_usable(
        self, names: Sequence[str], which: NDArray[np.integer], values: NDArray[np.floating]
    ) -> None:
        features, columns = self._file.features, self._file.schema.feature_names
        logs = log_columns(self._contract.transforms) if features is None else []
        usable = np.isfinite(values)
        usable[:, logs] &= values[:, logs] > 0
        if not usable.all():
            row, column = (int(i) for i in np.argwhere(~usable)[0])
            raise DataError(
                f"{self._row(names, which, row)}, column {columns[column]!r} holds "
                f"{values[row, column]}; it must be "
                f"{'finite and above 0' if column in logs else 'finite'}. Fill the gap, or leave "
                "the row out."
            )
        fault = (
            None if features is None else first_fault(values.astype(np.float64), features.columns)
        )
        if fault is not None:
            raise DataError(f"{self._row(names, which, fault[0])}, {fault[1]}")

    def _row(self, names: Sequence[str], which: NDArray[np.integer], row: int) -> str:
        """Say which row of which instrument one of these is."""
        name = names[int(which[row])]
        before = self.counts.get(name, 0) + int((which[:row] == which[row]).sum())
        return f"Row {before} of instrument {name!r}"
