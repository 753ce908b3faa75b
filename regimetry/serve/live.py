"""Live series of one model: named, counted, remembered. One thread at a time may call it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.runtime.bank import BankTicks, Commit, RegimeBank
from regimetry.runtime.changes import NONE, ChangeRule
from regimetry.runtime.model import RegimeModel
from regimetry.serve.answers import Answers, Step, Told, answers_of, step_of, told_of
from regimetry.serve.carry import Carried, carry, regime_order
from regimetry.serve.folder import StateFolder
from regimetry.serve.memory import Memory
from regimetry.serve.records import Record, dropping
from regimetry.serve.table import CAME, SeriesTable
from regimetry.serve.tensors import RequestError

_NONE = np.empty(0, np.int64)


@dataclass(frozen=True, kw_only=True)
class SeriesLimits:
    """How many series there may be, and how long they stay.

    Attributes
    ----------
    series : int
        Of all clients.
    client_series : int
        Of one client.
    rows : int
        Of one push.
    idle_s : float
        A series is dropped once no row has come for so long.
    """

    series: int = 10_000
    client_series: int = 10_000
    rows: int = 10_000
    idle_s: float = 604_800


class LiveSeries:
    """A bank of series by name, whose pushes are in a log before they are answered.

    Parameters
    ----------
    model : RegimeModel
    limits : SeriesLimits
    rule : ChangeRule
    folder : callable or None
        From the identity of the model to where its series are remembered; ``None``: nowhere.
    tell : callable
        Takes how many changes a push told, and what gives them in the order of its rows, before the
        push is answered.
    clock : callable
        Seconds.

    Attributes
    ----------
    memory : Memory
    idle_dropped : int
        Series that were dropped since no row came.

    Raises
    ------
    ConfigError
        The model gathers rows in bins, which a bank does not.
    DataError
        Another process uses the folder.
    """

    def __init__(
        self,
        model: RegimeModel,
        *,
        limits: SeriesLimits,
        rule: ChangeRule,
        folder: Callable[[str], StateFolder] | None = None,
        tell: Callable[[int, Callable[[], Sequence[Told]]], None] = lambda *_: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.model, self._limits, self._rule = model, limits, rule
        self._bank: RegimeBank = model.bank(0, capacity=limits.series)
        self._table = SeriesTable(limits.series, limits.client_series)
        self.memory = Memory(None if folder is None else folder(self._bank.model))
        self._tell, self._clock, self._swept = tell, clock, clock()
        self.idle_dropped = 0

    @property
    def count(self) -> int:
        """Series that exist."""
        return len(self._table)

    def restore(self) -> str | None:
        """Take up what is remembered; see :meth:`Memory.restore`. No series is idle yet."""
        said = self.memory.restore(self._bank, self._table)
        self._table.used[:] = self._clock()
        return said

    def push(
        self, client: str, names: Sequence[str], rows: Any, times: Sequence[Any] | None = None
    ) -> Answers:
        """Take one row of each of the series ``names``; all rows or none.

        Parameters
        ----------
        client : str
        names : sequence of str, length B
            A name may be repeated, its rows are then taken in order; a new one begins a series.
        rows : array-like of float, shape (B, F)
        times : sequence, length B, or None
            As for :meth:`RegimeBank.push`.

        Raises
        ------
        RequestError
            Too many rows (413) or series (429), no room in the log (507), or not now (503).
        DataError
            As for :meth:`RegimeBank.push`.
        """
        self.memory.require_ready()
        if len(names) > self._limits.rows:
            raise RequestError(
                f"The push has {len(names)} rows; {self._limits.rows} are allowed. Split it.", 413
            )
        self._sweep()
        numbers, new = self._table.find(client, names)
        if not new:
            step, ticks = self._pushed(numbers, rows, times, [])
        else:
            opened = self._bank.add(len(new))
            begun = dict(zip(new, opened.tolist(), strict=True))
            ids = numbers.copy()
            for row in np.flatnonzero(numbers < 0).tolist():
                ids[row] = begun[names[row]]
            try:
                entries = [(client, name, number) for name, number in begun.items()]
                step, ticks = self._pushed(ids, rows, times, entries)
            except BaseException:
                self._bank.drop(opened)
                raise
            for name, number in begun.items():
                self._table.open(client, name, number)
        self._table.held[step.touched] = step.held
        self._table.used[step.touched] = self._clock()
        regimes = [regime.name for regime in self.model.contract.regimes]
        if len(step.changes.row):
            self._tell(len(step.changes.row), lambda: told_of(step, client, names, times, regimes))
        self.memory.keep_short(self._bank, self._table)
        return answers_of(step, ticks, len(regimes))

    def _pushed(
        self,
        ids: NDArray[np.int64],
        rows: Any,
        times: Sequence[Any] | None,
        opened: Sequence[tuple[str, str, int]],
    ) -> tuple[Step, BankTicks]:
        """Push to the bank; what it changes, and the series ``opened``, are in the log before."""
        written: list[Step] = []

        def before(commit: Commit, ticks: BankTicks) -> None:
            step = step_of(ids, ticks, self._table.held, self._rule)
            self.memory.write(Record(opened, _NONE, commit, step.touched, step.held))
            written.append(step)

        try:
            ticks = self._bank.push(ids, rows, times, before=before)
        except BaseException:
            if written:
                self.memory.take_back()
            raise
        return written[0], ticks

    def look(self, client: str, name: str) -> dict[str, Any]:
        """Return where a series stands; :class:`RequestError` (404) if there is none."""
        self.memory.require_ready()
        self._sweep()
        held = self._table.held[self._table.number(client, name)].tolist()
        told = None if held[0] == NONE else self.model.contract.regimes[held[0]].name
        return {"series": name, "count": held[CAME], "told": told}

    def drop(self, client: str, name: str) -> None:
        """Remove a series; :class:`RequestError` (404) if there is none."""
        self.memory.require_ready()
        self._remove(np.array([self._table.number(client, name)]))

    def replace(self, model: RegimeModel) -> Carried:
        """Go on with another model; :func:`~regimetry.serve.carry.carried` says with what.

        Raises
        ------
        RequestError
            The snapshot of the new series cannot be written (507). The old model then goes on.
        """
        self.memory.require_ready()
        bank, how = carry(self._bank, self.model, model)
        held = self._table.held.copy()
        order = np.append(regime_order(self.model, model), NONE)  # NONE stays what it is
        held[:, :2] = order[held[:, :2]]
        self.memory.begin_anew(bank, self._table, held)
        self.model, self._bank, self._table.held = model, bank, held
        return how

    def close(self) -> None:
        """Write a snapshot, and give the folder back."""
        self.memory.close(self._bank, self._table)

    def _remove(self, numbers: NDArray[np.int64]) -> None:
        self.memory.write(dropping(numbers))
        self._bank.drop(numbers)
        self._table.close(numbers.tolist())

    def _sweep(self) -> None:
        """Drop idle series, at most once a minute or a tenth of the time that makes them idle."""
        now, idle = self._clock(), self._limits.idle_s
        if now - self._swept < min(60, idle / 10):
            return
        self._swept = now
        numbers = self._table.idle_since(now - idle)
        if len(numbers):
            self._remove(numbers)
            self.idle_dropped += len(numbers)
