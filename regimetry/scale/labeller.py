"""Labels of many instruments whose rows come in chunks, cut anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, DataError
from regimetry.runtime.batch import Advance, run_windows
from regimetry.runtime.labelling import MISSING
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.recursion import Labelling, Recursion, Segments, State
from regimetry.scale.carried import Carried
from regimetry.series.features.bars import first_fault
from regimetry.series.preprocessing import log_columns
from regimetry.series.segments import refusal, refused_rows
from regimetry.series.spans import ranges, segment_offsets

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
        self._rules = model.rules
        if self._rules.resample is not None:
            raise ConfigError(
                f"resample is {self._rules.resample!r}, and rows that come in chunks are not "
                "gathered in bins. Label each table by itself, or fit without resample."
            )
        n_columns = len(model.schema.feature_names)
        self._carried = Carried(model.rows, n_columns, model.contract.n_regimes)

    @property
    def short(self) -> list[str]:
        """Instruments without a full window so far."""
        return [name for name, i in self._carried.numbers.items() if not self._carried.labelled[i]]

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
        times: NDArray[Any] | None = None,
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
        times : ndarray, shape (n,), or None
            By which gaps are seen; rising within each instrument.
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
        features, carried, reach = self._file.features, self._carried, self._file.rows - 1
        order = np.argsort(which, kind="stable")
        numbers, counts = np.unique(which, return_counts=True)
        present = [names[number] for number in numbers.tolist()]
        places, own = carried.places(present), segment_offsets(counts)
        self._require_usable(names, which, values, (order, own, places))
        standing = carried.standing.of(places)
        moments = None if times is None else times[order]
        read, after = standing.read(values[order], own, moments, self._rules)
        bars, order = read.values[read.keep], order[read.keep]
        self._require_bars(names, which, bars, order)
        # Segments of the kept rows: those that go on, and those that begin.
        begins = read.begins[read.keep]
        owner = np.searchsorted(own, np.flatnonzero(read.keep), side="right") - 1
        first = np.flatnonzero(begins | (np.diff(owner, prepend=-1) > 0))
        lengths = np.diff(np.append(first, len(owner)))
        of, begins = owner[first], begins[first]
        whose = [present[i] for i in of.tolist()]
        rows = bars if features else self._scaled(whose, segment_offsets(lengths), bars)
        stacked, bounds, kept = carried.before(places[of], lengths, rows, begins)
        windows = np.maximum(kept + lengths - reach, 0)
        input_rows: NDArray[np.floating] = stacked
        starts = bounds
        if features is not None:
            made, starts = features.each(stacked, bounds)
            input_rows = self._scaled(whose, starts, made)
        outputs = run_windows(
            self._file.session(_OUTPUTS),
            input_rows,
            _OUTPUTS,
            starts=ranges(starts[:-1], windows),
            threads=self._file.threads,
            batch_size=self._file.batch_size,
            advance=advance,
        )
        # A window's label stands at its last row; in the stack rows kept lie before the new ones.
        ends = ranges(bounds[:-1], windows) + reach
        at = order[ends - np.repeat(np.cumsum(kept), windows)]
        result = self._followed(outputs, at, len(which), Segments(places[of], windows, begins))
        carried.keep(places[of], stacked, bounds)
        carried.seen[places] += counts
        carried.standing = carried.standing.put(places, after)
        return result

    def _followed(
        self,
        outputs: dict[str, NDArray[np.float32]],
        rows: NDArray[np.int64],
        n_rows: int,
        segments: Segments,
    ) -> Labelling:
        """Carry both recursions on over the windows and put the results at their rows."""
        carried, n_regimes = self._carried, self._contract.n_regimes
        np.add.at(carried.labelled, segments.series, segments.counts)
        found, places, after = self._recursion.follow_segments(
            outputs["distance"],
            outputs["novelty"],
            State(carried.costs[segments.series], carried.means[segments.series]),
            segments,
            carry=self._rules.after_gap == "carry",
        )
        carried.costs[places], carried.means[places] = after
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
        self,
        names: Sequence[str],
        which: NDArray[np.integer],
        values: NDArray[np.floating],
        groups: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    ) -> None:
        """Raise where a value cannot be used; ``groups``: the rows by instrument, their places."""
        columns = self._file.schema.feature_names
        logs = [] if self._file.features else log_columns(self._contract.transforms)
        usable = np.isfinite(values)
        usable[:, logs] &= values[:, logs] > 0
        if usable.all():
            return
        order, own, places = groups
        allowed = np.isnan(values)
        incomplete = allowed.any(axis=1)
        for place, (a, b) in zip(places.tolist(), pairwise(own.tolist()), strict=True):
            mine, begun = order[a:b], bool(self._carried.standing.begun[place])
            refused = refused_rows(incomplete[mine], self._rules, begun=begun)
            allowed[mine[refused]] = False
        usable |= allowed
        if not usable.all():
            row, column = (int(i) for i in np.argwhere(~usable)[0])
            value = values[row, column]
            reason = f"it must be {'finite and above 0' if column in logs else 'finite'}."
            if np.isnan(value):
                reason = f"a missing value; {refusal(self._rules)}"
            raise DataError(
                f"{self._row(names, which, row)}, column {columns[column]!r} holds {value}; "
                f"{reason}"
            )

    def _require_bars(
        self,
        names: Sequence[str],
        which: NDArray[np.integer],
        bars: NDArray[np.floating],
        rows: NDArray[np.int64],
    ) -> None:
        features = self._file.features
        fault = None if features is None else first_fault(bars.astype(np.float64), features.columns)
        if fault is not None:
            raise DataError(f"{self._row(names, which, int(rows[fault[0]]))}, {fault[1]}")

    def _row(self, names: Sequence[str], which: NDArray[np.integer], row: int) -> str:
        """Say which row of which instrument one of these is."""
        name = names[int(which[row])]
        before = self.counts.get(name, 0) + int((which[:row] == which[row]).sum())
        return f"Row {before} of instrument {name!r}"
