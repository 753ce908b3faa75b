"""The stages of a fit, said as they begin; a bar with the time left, where it is asked for."""

from __future__ import annotations

from collections.abc import Callable

Stage = Callable[[str], None]
"""Takes the name of the stage that begins; an empty name ends the last one."""

SHARES = {"encoder": 0.6, "head": 0.15, "export": 0.15, "parity": 0.1}
"""Of the time of a fit, roughly: what the time left is guessed from."""


def no_stage(name: str) -> None:
    """Say nothing."""


def stage_bar(show: bool) -> Stage:
    """Return what shows the stages on standard error, or :func:`no_stage`."""
    if not show:
        return no_stage
    from tqdm import tqdm

    layout = "{desc:<8} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    bar = tqdm(total=1.0, bar_format=layout, leave=False, dynamic_ncols=True)
    names = list(SHARES)

    def begin(name: str) -> None:
        if not name:
            bar.close()
            return
        bar.set_description_str(name, refresh=False)
        bar.n = sum(SHARES[earlier] for earlier in names[: names.index(name)])
        bar.refresh()

    return begin
