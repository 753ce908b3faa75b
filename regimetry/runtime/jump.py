"""The temporal recursion that turns distances into regimes, at a price for every change.

Thin over the extension ``regimetry._core``, whose functions carry the documentation:

- `jump_forward`: causal labels and the values behind them;
- `jump_labels`: the same labels and the last values only, for streams and long series;
- `jump_path`: the cheapest path of a whole series, which looks ahead.
"""

from regimetry._core import jump_forward, jump_labels, jump_path

__all__ = ["jump_forward", "jump_labels", "jump_path"]
