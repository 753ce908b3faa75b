"""A caller's data, checked, and the input of the graph: the same rows, or features of bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import ModelContract
from regimetry.errors import DataError
from regimetry.runtime.labelling import MISSING, at_bars
from regimetry.series.features import OhlcvFeatures
from regimetry.series.frames import columns_of
from regimetry.series.panel import Panel, as_panel
from regimetry.series.plain_frames import is_frame, plain
from regimetry.series.preprocessing import log_columns, require_positive
from regimetry.series.rules import ReadingRules
from regimetry.series.time_options import FOUND, TimeOptions

if TYPE_CHECKING:
    from regimetry.runtime.modelfile import ModelFile


@dataclass(frozen=True)
class Given:
    """Rows of one series or of many instruments.

    Attributes
    ----------
    panel : Panel
        The given rows: of the model's columns, or bars.
    read : Panel
        The input of the graph, in common units: the same rows, or the features of the bars.
    rows : int
        How many rows of ``panel`` a label needs.
    carry : bool
        Whether the causal state goes on after a gap.
    """

    panel: Panel
    read: Panel
    rows: int
    carry: bool = False

    @property
    def boundaries(self) -> NDArray[np.int64]:
        """Number of the first window of each series of states, and N."""
        return self.panel.boundaries(self.rows, carry=self.carry)

    def per_bar(self, values: NDArray[Any], names: Sequence[str], *, earlier: int = 0) -> Any:
        """Put results of N windows at their bars, in the kind of the data; see :func:`at_bars`."""
        found = at_bars(self.panel, values, self.rows, earlier=earlier)
        return self.panel.give(found, names, missing=MISSING)


def as_given(
    data: Any,
    contract: ModelContract,
    by: str | None = None,
    rules: ReadingRules | None = None,
    time: TimeOptions = FOUND,
) -> Given:
    """Check data against a model.

    A model that was fitted on features of bars takes bars: arrays in the order of the bars'
    columns, frames by their names. A frame that has no bars, but all features by name, is read as
    features.

    Parameters
    ----------
    data : array, frame or mapping
        As for :func:`~regimetry.series.panel.as_panel`.
    contract : ModelContract
    by : str or None
        ``None`` takes the column of training.
    rules : ReadingRules or None
        ``None`` takes those of training.
    time : TimeOptions
        Of frames.

    Raises
    ------
    DataError
        The data do not fit the model's columns, are not finite, or hold a bar that is no bar.
    """
    rules = contract.reading if rules is None else rules
    data = plain(data)
    if by is not None and is_frame(data) and by not in (there := columns_of(data)):
        raise DataError(f"There is no column {by!r}; the columns are {', '.join(there)}.")
    by = contract.by if by is None else by
    features = contract.training.features
    if features is None or _holds_features(data, features):
        panel = read = as_panel(data, contract.schema, by=by, rules=rules, time=time)
        n_rows = contract.window_rows
    else:
        panel = as_panel(data, features.schema, by=by, rules=rules, time=time)
        read = _made(features, panel)
        n_rows = contract.window_rows + features.warm_up
    names = contract.schema.feature_names
    require_positive(read.values, log_columns(contract.transforms), names)
    return Given(panel, read.scaled(contract.scaling), n_rows, rules.after_gap == "carry")


def _holds_features(data: Any, features: OhlcvFeatures) -> bool:
    one: Any = next(iter(data.values()), None) if isinstance(data, Mapping) else data
    there = set(columns_of(one)) if is_frame(one) else set()
    return there.issuperset(features.names) and not there.issuperset(features.columns.names)


def _made(features: OhlcvFeatures, panel: Panel) -> Panel:
    """Return the features of the bars of each segment."""
    spans = pairwise(panel.offsets.tolist())
    for (name, bars), (a, b) in zip(panel.named, spans, strict=True):
        times = None if panel.timestamps is None else panel.timestamps[a:b]
        features.require_bars(bars, times, f"Instrument {name!r}: " if name else "")
    values, offsets = features.each(panel.values, panel.offsets)
    return replace(panel, values=values, offsets=offsets, timestamps=None, place=None)


def graph_windows(file: ModelFile, windows: NDArray[Any]) -> NDArray[Any]:
    """Return what the graph reads of windows (B, rows, C) of sound rows: (B, R, F).

    Raises
    ------
    DataError
        The model takes the logarithm of a value that is not positive.
    """
    if file.features is not None:
        windows = file.features.made(windows.swapaxes(0, 1)).swapaxes(0, 1)
    columns, names = log_columns(file.contract.transforms), file.contract.schema.feature_names
    rule = "it must be positive, since the model takes its logarithm"
    read = windows[..., columns]
    _require_each(read > 0, read, [names[column] for column in columns], rule)
    return windows


def require_windows(windows: NDArray[Any], file: ModelFile) -> None:
    """Raise :class:`DataError` unless a model can read the windows (B, rows, C), B at least 1.

    They need not follow each other.
    """
    names = file.schema.feature_names
    if windows.ndim != 3 or windows.shape[1:] != (file.rows, len(names)) or not len(windows):
        raise DataError(
            f"The windows have shape {windows.shape}; the model reads (B, {file.rows}, "
            f"{len(names)}) with B at least 1."
        )
    if windows.dtype.kind not in "fiub":
        raise DataError(f"The windows are of type {windows.dtype}; real numbers are needed.")
    _require_each(np.isfinite(windows), windows, names, "every value must be finite")
    if file.features is not None:
        for number, bars in enumerate(windows):
            file.features.require_bars(bars, of=f"Window {number}: ")


def _require_each(
    good: NDArray[np.bool_], windows: NDArray[Any], names: Sequence[str], rule: str
) -> None:
    if good.all():
        return
    window, row, column = (int(i) for i in np.argwhere(~good)[0])
    raise DataError(
        f"Window {window}, row {row}, column {names[column]!r} holds "
        f"{windows[window, row, column]}; {rule}."
    )
