"""How a regime looks: a colour, and a line, symbol and pattern for those that share it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

REGIME_COLOURS = ("#0072B2", "#E69F00", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442")
"""Of Okabe, Ito 2008: told apart by colour-blind readers. Seven times six looks make 42."""

NO_REGIME = "#999999"

# Line, symbol and pattern: the next after every seven numbers.
_TURNS = (
    ("solid", "circle", ""),
    ("dot", "square", "/"),
    ("dash", "diamond", "x"),
    ("longdash", "triangle-up", "-"),
    ("dashdot", "x", "\\"),
    ("longdashdot", "cross", "|"),
)


@dataclass(frozen=True)
class Look:
    """A regime's name, and how it is drawn.

    Attributes
    ----------
    name : str
    colour : str
        Hexadecimal.
    dash, symbol, pattern : str
        Of its lines, points and areas, in plotly's words.
    """

    name: str
    colour: str
    dash: str
    symbol: str
    pattern: str


def looks_of(names: Iterable[str], numbers: Iterable[int]) -> list[Look]:
    """Return the looks of regimes by their names and the numbers of their looks, in pairs."""
    looks = []
    for name, number in zip(names, numbers, strict=True):
        turn, colour = divmod(number, len(REGIME_COLOURS))
        line, symbol, pattern = _TURNS[turn % len(_TURNS)]
        looks.append(Look(name, REGIME_COLOURS[colour], line, symbol, pattern))
    return looks
