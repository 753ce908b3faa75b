"""The stages of a fit, named as they begin; a bar with the time left, on request."""

from __future__ import annotations

from typing import Any, Self

from regimetry.parameters import Allowed, checked

SHARES = {"encoder": 0.6, "head": 0.15, "export": 0.15, "parity": 0.1}
"""Of the time of a fit, roughly: what the time left is guessed from."""

_LAYOUT = "{desc:<8} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"


class Stages:
    """Shows the stages of a fit on standard error, until it ends or fails.

    Parameters
    ----------
    shown : bool
        ``False`` says nothing.

    Raises
    ------
    ConfigError
        ``shown`` is no bool; it is the detector's ``progress``.
    """

    def __init__(self, shown: bool = False) -> None:
        self.shown: bool = checked("progress", shown, Allowed((bool,)))
        self._bar: Any = None

    def __enter__(self) -> Self:
        if self.shown:
            from tqdm import tqdm

            self._bar = tqdm(total=1.0, bar_format=_LAYOUT, leave=False, dynamic_ncols=True)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def begin(self, name: str) -> None:
        """Show which stage begins."""
        if self._bar is not None:
            names = list(SHARES)
            self._bar.set_description_str(name, refresh=False)
            self._bar.n = sum(SHARES[earlier] for earlier in names[: names.index(name)])
            self._bar.refresh()


SILENT = Stages()
"""Says nothing."""
