"""What every wheel has to do, with numpy alone: ``python -I tests/smoke.py``."""

import sys

import numpy as np

import regimetry as rg
from regimetry.errors import DataError
from regimetry.runtime.recursion import Recursion, jump_path
from regimetry.windows import StreamBank, gather_windows


def require(condition, what):
    """Exit with a sentence, also under -O."""
    if not condition:
        sys.exit(f"{rg.__file__}: {what} went wrong")


def main():
    """Call every concept of the extension once, through the shapes that users have."""
    values = np.asfortranarray(np.arange(40.0).reshape(20, 2))
    expected = np.stack([values[t : t + 5] for t in range(16)])
    require((rg.rolling_windows(values, 5) == expected).all(), "rolling_windows")

    starts = np.arange(16)
    out = np.full((16, 5, 2), np.nan, dtype=np.float32)
    gather_windows(values, starts, out, threads=2)
    require((out == expected).all(), "gather_windows")

    bank = StreamBank(3, 5, 2)
    for t, row in enumerate(values):
        ids, rows = np.array([2, 0]), np.stack([row, -row])
        ready, windows = bank.stage(ids, rows)
        bank.commit(ids, rows)
        if t >= 4:
            require(ready.tolist() == [2, 0], "StreamBank")
            require((windows[0] == -windows[1]).all(), "StreamBank")
            require((windows[0] == expected[t - 4]).all(), "StreamBank")

    distance = np.array([[0.0, 1.0]] * 3 + [[1.0, 0.0]] * 3)
    labels, _ = Recursion(1.5)(distance)
    require(labels.regime.tolist() == [0, 0, 0, 0, 1, 1], "the recursion")
    require(jump_path(distance, 1.5).tolist() == [0, 0, 0, 1, 1, 1], "jump_path")
    try:
        bank.commit(np.array([0]), np.array([[np.nan, 0.0]]))
    except DataError as error:
        require("expected" in str(error), "the refusal of a bad row")
    else:
        require(False, "the refusal of a bad row")

    # The module says that it needs no GIL: importing it must not bring the GIL back.
    is_gil_enabled = getattr(sys, "_is_gil_enabled", None)
    if is_gil_enabled and "free-threading" in sys.version:
        require(not is_gil_enabled(), "free threading")
    print(f"regimetry {rg.__version__} works on Python {sys.version.split()[0]}, {sys.platform}")


if __name__ == "__main__":
    main()
