"""Labels of many instruments whose rows come in chunks, cut anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.runtime.batch import Advance, run_windows
from regimetry.runtime.jump import jump_forward
from regimetry.runtime.labelling import MISSING
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.novelty import exceeds, running_mean
from regimetry.runtime.probability import probabilities
from regimetry.scale.carried import Carried, ranges
from regimetry.series.preprocessing import log_columns


@dataclass(frozen=True)
class RowLabels:
    """What the model says of the n rows of a chunk; each knows its instrument's rows up to itself.

    Attributes
    ----------
    regime : ndarray of int64, shape (n,)
        -1 where no full window ends at the row.
    probability : ndarray of float64, shape (n, K)
        NaN there.
    novelty : ndarray of float32, shape (n,)
        NaN there.
    novel : ndarray of bool, shape (n,)
        False there.
    """

    regime: NDArray[np.int64]
    probability: NDArray[np.float64]
    novelty: NDArray[np.float32]
    novel: NDArray[np.bool_]


class Labeller:
    """Labels the rows of many instruments as they come.

    However the rows are cut into chunks and however instruments alternate in them, the labels of an
    instrument are those that :meth:`RegimeModel.label` gives its whole history, on a CPU bit for
    bit. Kept for each instrument are its last R - 1 rows, the K costs of the jump recursion and the
    running mean of novelty. All windows of a chunk share batches.

    Parameters
    ----------
    model : RegimeModel
    """

    def __init__(self, model: RegimeModel) -> None:
        self._file = model._file
        self._contract = model.contract
        self._carried = Carried(model.contract)

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
    ) -> RowLabels:
        """Label the next rows, which follow those of the same instruments pushed before.

        Parameters
        ----------
        names : sequence of str
            Instruments, no two the same; some may have no row here.
        which : ndarray of int, shape (n,)
            The instrument of each row, as a place in ``names``.
        values : ndarray of float32 or float64, shape (n, F)
            In the instruments' own units and in the model's column order.
        advance : callable or None
            Called with the number of windows of each run when it is done, from any thread.

        Returns
        -------
        RowLabels

        Raises
        ------
        DataError
            A value is not finite, or not positive where the model takes its logarithm; instrument,
            its row and the column are named.
        """
        self._require_usable(names, which, values)
        carried, reach = self._carried, self._contract.window_rows - 1
        order = np.argsort(which, kind="stable")
        numbers, counts = np.unique(which, return_counts=True)
        present = [names[number] for number in numbers.tolist()]
        places = carried.places(present)
        scaled = self._scaled(present, counts, values[order])
        stacked, bounds, kept = carried.before(places, counts, scaled)
        windows = np.maximum(kept + counts - reach, 0)
        starts = ranges(bounds[:-1], windows)
        outputs = run_windows(
            self._file.session,
            stacked,
            ("distance", "novelty"),
            starts=starts,
            threads=self._file.threads,
            batch_size=self._file.batch_size,
            advance=advance,
        )
        # A window's label stands at its last row; in the stack rows kept lie before the new ones.
        rows = order[starts + reach - np.repeat(np.cumsum(kept), windows)]
        result = self._follow(places, windows, outputs, rows, len(which))
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
    ) -> RowLabels:
        """Carry both recursions on over the windows and put the results at their rows."""
        contract, carried, novelty = self._contract, self._carried, outputs["novelty"]
        bounds = np.concatenate([[0], np.cumsum(windows)])
        labels, costs = jump_forward(
            outputs["distance"], contract.jump_penalty, carried.costs[places], bounds
        )
        means = running_mean(novelty, contract.novelty_memory, bounds, carried.means[places])
        moved = windows > 0
        last = bounds[1:][moved] - 1
        carried.costs[places[moved]], carried.means[places[moved]] = costs[last], means[last]
        result = RowLabels(
            regime=np.full(n_rows, MISSING, np.int64),
            probability=np.full((n_rows, contract.n_regimes), np.nan),
            novelty=np.full(n_rows, np.nan, np.float32),
            novel=np.zeros(n_rows, np.bool_),
        )
        result.regime[rows] = labels
        result.probability[rows] = probabilities(costs, contract.sharpness)
        result.novelty[rows] = novelty
        result.novel[rows] = exceeds(means, contract.novelty_threshold)
        return result

    def _scaled(
        self, names: Sequence[str], counts: NDArray[np.int64], values: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        """Return the rows, one instrument after the other, in the units that the graph reads."""
        scaling = self._contract.scaling
        if scaling is None or not names:
            return values
        return scaling.apply_each(values, names, np.concatenate([[0], np.cumsum(counts)]))

    def _require_usable(
        self, names: Sequence[str], which: NDArray[np.integer], values: NDArray[np.floating]
    ) -> None:
        logs = log_columns(self._contract.transforms)
        usable = np.isfinite(values)
        usable[:, logs] &= values[:, logs] > 0
        if usable.all():
            return
        row, column = (int(i) for i in np.argwhere(~usable)[0])
        name = names[int(which[row])]
        before = self.counts.get(name, 0) + int((which[:row] == which[row]).sum())
        raise DataError(
            f"Row {before} of instrument {name!r}, column "
            f"{self._contract.schema.feature_names[column]!r} holds {values[row, column]}; it must "
            f"be {'finite and above 0' if column in logs else 'finite'}. Fill the gap, or leave "
            "the row out."
        )
