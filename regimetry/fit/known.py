"""Rows whose state is known: read from ``y``, and held against the regimes of a fit."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.agreement import adjusted_rand, contingency
from regimetry.analysis.assignment import best_matching
from regimetry.contract import KnownRecord
from regimetry.contract.consistency import is_plain
from regimetry.errors import ConfigError, DataError, DataWarning
from regimetry.fit.source import PanelSource, Source

UNKNOWN = -1
"""Of a row whose state is not known, as in scikit-learn's semi-supervised estimators."""

_MOST = 1000  # states
_EMPTY = ("", "-1", "-1.0", "nan", "None", "<NA>", "NaT")


@dataclass(frozen=True)
class KnownStates:
    """States of some rows of a panel.

    Attributes
    ----------
    names : tuple of str
        Of the S states.
    state : ndarray of int64, shape (T,)
        Of each row of the panel; -1 where it is not known.
    """

    names: tuple[str, ...]
    state: NDArray[np.int64]

    def of_long_segments(self, offsets: NDArray[np.int64], rows: int) -> KnownStates:
        """Return those of the segments of at least ``rows`` rows; ``offsets`` are all segments'."""
        long = np.repeat(np.diff(offsets) >= rows, np.diff(offsets))
        return replace(self, state=self.state[long])

    def held_against(
        self, regime: NDArray[np.int64], rows: NDArray[np.int64], n_regimes: int
    ) -> KnownRecord:
        """Compare the causal labels (N,) of rows (N,) with their states."""
        state = self.state[rows]
        both = (state >= 0) & (regime >= 0)
        counts = contingency(regime[both], state[both], n_regimes, len(self.names))
        mapping = best_matching(counts)
        here = np.arange(n_regimes)
        mapping = np.where((mapping >= 0) & (counts[here, mapping] > 0), mapping, -1)
        agreed = counts[here, mapping][mapping >= 0].sum()
        return KnownRecord(
            states=self.names,
            rows=int(both.sum()),
            counts=tuple(map(tuple, counts.tolist())),
            mapping=tuple(mapping.tolist()),
            share=float(agreed / both.sum()) if both.any() else 0.0,
            adjusted_rand=adjusted_rand(counts) if both.any() else 0.0,
        )


def known_states(y: Any, source: Source) -> KnownStates | None:
    """Read the states of the rows of a source.

    Parameters
    ----------
    y : array-like, shape (T,), or None
        Whole numbers or text, in the order of the rows that were given. Not known: -1, NaN, None
        and empty text.
    source : Source
        In memory, of one array or frame.

    Returns
    -------
    KnownStates or None
        ``None`` without a known row.

    Raises
    ------
    DataError
        Other values, another number of them, or more than 1000 states.
    ConfigError
        The rows are not in memory, or of a mapping, or gathered in bins.

    Warns
    -----
    DataWarning
        No row is known.
    """
    if y is None:
        return None
    if not isinstance(source, PanelSource) or isinstance(source.panel.data, dict):
        raise ConfigError(
            "y is given, and the rows are those of files or of a mapping. Give one frame with a "
            "column that names the instruments (by), or leave y out."
        )
    if source.reading.resample is not None:
        raise ConfigError(
            f"y is given, and resample is {source.reading.resample!r}, which makes other rows. "
            "Gather rows and states first, or leave one of the two out."
        )
    panel = source.panel
    texts = _texts(y)
    given = len(panel.values) if panel.place is None else len(panel.place)
    if len(texts) != given:
        raise DataError(f"y has {len(texts)} states and there are {given} rows; give one for each.")
    names = sorted(set(filter(None, texts)), key=_order)
    if not names:
        warnings.warn("y knows the state of no row; it is left out", DataWarning, stacklevel=3)
        return None
    if len(names) > _MOST or not all(map(is_plain, names)):
        raise DataError(
            f"y has {len(names)} states, such as {names[0]!r}; at most {_MOST} are taken, without "
            "control characters. Give states, not measurements."
        )
    codes = {"": UNKNOWN, **{name: code for code, name in enumerate(names)}}
    state = np.array([codes[text] for text in texts], dtype=np.int64)
    if panel.place is not None:
        in_order = np.full(len(panel.values), UNKNOWN)
        here = panel.place >= 0
        in_order[panel.place[here]] = state[here]
        state = in_order
    return KnownStates(tuple(map(_called, names)), state)


def _texts(y: Any) -> list[str]:
    """Return states as text, empty where not known."""
    values = np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y)
    if values.ndim != 1:
        raise DataError(f"y has shape {values.shape}; it must hold one state for each row.")
    if values.dtype.kind == "f":
        known = values[np.isfinite(values)]
        if np.isinf(values).any() or not np.array_equal(known, np.rint(known)):
            raise DataError(
                "y holds numbers that are not whole; it must hold states as whole numbers or text, "
                "and -1 where one is not known."
            )
        values = np.where(np.isnan(values), UNKNOWN, values).astype(np.int64)
    if values.dtype.kind not in "iubOUST":
        raise DataError(f"y is of type {values.dtype}; it must hold whole numbers or text.")
    return ["" if (text := str(value).strip()) in _EMPTY else text for value in values.tolist()]


def _order(name: str) -> tuple[bool, int, str]:
    """Order numbers as numbers, before words."""
    is_number = name.lstrip("-").isdecimal()
    return not is_number, int(name) if is_number else 0, name


def _called(name: str) -> str:
    return f"state_{name}" if name.lstrip("-").isdecimal() else name
