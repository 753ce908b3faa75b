"""The bar that a terminal shows while an encoder trains."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from tqdm import tqdm


class Progress:
    """A bar over the steps, with the time left and the latest losses; nothing in a pipe.

    Parameters
    ----------
    total : int
        Steps of the whole budget.
    done : int
        Steps that a resumed training has behind it.
    shown : bool
        False for no bar at all.
    """

    def __init__(self, total: int, done: int, *, shown: bool) -> None:
        # disable=None: tqdm's own check for a terminal.
        self._bar = tqdm(
            total=total,
            initial=done,
            desc="training",
            unit="step",
            leave=False,
            disable=None if shown else True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def step(self) -> None:
        """Advance by one step."""
        self._bar.update()

    def show(self, losses: dict[str, float]) -> None:
        """Show the losses of a round."""
        self._bar.set_postfix({name: f"{value:.4f}" for name, value in losses.items()})
