"""How a regime looks: a colour, and a line, symbol and pattern for those that share it."""

from __future__ import annotations

from regimetry.runtime.labelling import MISSING

REGIME_COLOURS = ("#0072B2", "#E69F00", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442")
"""Of Okabe, Ito 2008: told apart by colour-blind readers. Seven times six looks make 42."""

NO_REGIME = "#999999"

_DASHES = ("solid", "dot", "dash", "longdash", "dashdot", "longdashdot")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
_PATTERNS = ("", "/", "x", "-", "\\", "|")


def colour_of(regime: int) -> str:
    """Return the colour of a regime; grey where there is none."""
    return NO_REGIME if regime == MISSING else REGIME_COLOURS[regime % len(REGIME_COLOURS)]


def dash_of(regime: int) -> str:
    """Return the dash pattern of a regime's lines."""
    return _round(_DASHES, regime)


def symbol_of(regime: int) -> str:
    """Return the symbol of a regime's points."""
    return _round(_SYMBOLS, regime)


def pattern_of(regime: int) -> str:
    """Return the pattern of a regime's areas."""
    return _round(_PATTERNS, regime)


def _round(looks: tuple[str, ...], regime: int) -> str:
    """Return the first look for the first seven regimes, the next for the next seven."""
    return looks[regime // len(REGIME_COLOURS) % len(looks)]
