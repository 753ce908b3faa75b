"""How a walk goes forward: its windows, and how a position is traded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from regimetry.errors import DataError
from regimetry.parameters import check_fields, option


@dataclass(frozen=True, kw_only=True)
class WalkForwardOptions:
    """Windows of the walk, and the costs of what is traded; bars are times that have a row.

    Parameters
    ----------
    train : int
        Bars that each fit sees.
    refit : int
        Bars that a model labels before the next fit.
    cost : float
        Price of a change of position from 0 to 1, or back, in basis points of what is traded.
    delay : int
        Bars between a decision and its trade: a position decided at the close of bar t earns from
        bar ``t + 1 + delay`` on.
    bars_per_year : float
        252 for trading days.

    Raises
    ------
    ConfigError
        A value is not allowed.
    """

    train: int = option(2520, minimum=2)
    refit: int = option(126, minimum=1)
    cost: float = option(10.0, minimum=0)
    delay: int = option(1, minimum=0)
    bars_per_year: float = option(252.0, minimum=1e-9)

    def __post_init__(self) -> None:
        check_fields(self)

    def spans(self, bars: int) -> Iterator[tuple[int, int, int]]:
        """Yield first training bar, first labelled bar and the bar behind the last, a refit each.

        Parameters
        ----------
        bars : int
            Of the whole series.

        Raises
        ------
        DataError
            No bar is left to label, nor one to trade.
        """
        needed = self.train + self.delay + 2
        if bars < needed:
            raise DataError(
                f"There are {bars} bars; a walk that trains on {self.train} needs {needed} or "
                "more. Give a longer series, or a smaller train."
            )
        for begin in range(self.train, bars, self.refit):
            yield begin - self.train, begin, min(begin + self.refit, bars)
