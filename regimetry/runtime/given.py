"""Windows that a caller has cut, which need not follow each other: checked as a series is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import ModelContract
from regimetry.errors import DataError
from regimetry.series.preprocessing import log_columns


def require_windows(windows: NDArray[np.floating], contract: ModelContract) -> None:
    """Raise :class:`DataError` unless a model can read the windows (B, R, F), B at least 1."""
    expected = (contract.window_rows, contract.n_features)
    if windows.ndim != 3 or windows.shape[1:] != expected or not len(windows):
        raise DataError(
            f"The windows have shape {windows.shape}; the model reads (B, {expected[0]}, "
            f"{expected[1]}) with B at least 1."
        )
    if windows.dtype.kind not in "fiub":
        raise DataError(f"The windows are of type {windows.dtype}; real numbers are needed.")
    names = contract.schema.feature_names
    _require_each(np.isfinite(windows), windows, names, "every value must be finite")
    logs = np.isin(np.arange(expected[1]), log_columns(contract.transforms))
    positive = "it must be positive, since the model takes its logarithm"
    _require_each((windows > 0) | ~logs, windows, names, positive)


def _require_each(
    good: NDArray[np.bool_], windows: NDArray[np.floating], names: tuple[str, ...], rule: str
) -> None:
    if good.all():
        return
    window, row, column = (int(i) for i in np.argwhere(~good)[0])
    raise DataError(
        f"Window {window}, row {row}, column {names[column]!r} holds "
        f"{windows[window, row, column]}; {rule}."
    )
