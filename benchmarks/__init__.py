"""Figures that README and docs claim, each from a command, on the installed package."""

import sys
from pathlib import Path

# `python -m` puts the checkout first, where regimetry may have no built extension. Last, it still
# gives workers this package.
_CHECKOUT = Path(__file__).parents[1]
sys.path[:] = [
    *(entry for entry in sys.path if Path(entry).resolve() != _CHECKOUT),
    str(_CHECKOUT),
]
