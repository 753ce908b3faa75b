"""Labels of many instruments: each by itself, all together, and how they move together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.analyse import Analysis, analyse_labels
from regimetry.analysis.labels import Floats, Labels
from regimetry.analysis.plain import plain
from regimetry.analysis.shown import Shown
from regimetry.contract.wording import counted
from regimetry.errors import DataError


@dataclass(frozen=True)
class PanelAnalysis(Shown):
    """Every field looks at all bars given.

    Attributes
    ----------
    pooled : Analysis
        Of all instruments; from one to the next there is no transition. ``last``, ``forecast`` and
        ``changes`` follow the order in which they were given.
    instruments : dict of str to Analysis
        Of those that have a label.
    unlabelled : tuple of str
        Instruments without any, such as those shorter than a window.
    """

    pooled: Analysis
    instruments: dict[str, Analysis]
    unlabelled: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "pooled": self.pooled.to_dict(),
            "instruments": {name: one.to_dict() for name, one in self.instruments.items()},
            "unlabelled": list(self.unlabelled),
        }


def analyse_panel(
    labels: Mapping[str, Labels], n_regimes: int, *, horizon: int = 20, level: float = 0.95
) -> PanelAnalysis:
    """Describe the labels of many instruments.

    Parameters
    ----------
    labels : mapping of str to ndarray of int, shape (T_i,)
        Negative where missing.
    n_regimes, horizon, level
        As for :func:`analyse_labels`.

    Returns
    -------
    PanelAnalysis

    Raises
    ------
    DataError
        No bar of any instrument has a label, or the labels are of another model.
    """
    kept = {name: np.asarray(one) for name, one in labels.items() if np.any(np.asarray(one) >= 0)}
    if not kept:
        raise DataError(
            f"None of {len(labels)} instruments has a label; at least one bar needs one. Give more "
            "history."
        )
    breaks = [np.arange(len(one)) == 0 for one in kept.values()]
    return PanelAnalysis(
        pooled=analyse_labels(
            np.concatenate(list(kept.values())),
            n_regimes,
            breaks=np.concatenate(breaks),
            horizon=horizon,
            level=level,
        ),
        instruments={
            name: analyse_labels(one, n_regimes, horizon=horizon, level=level)
            for name, one in kept.items()
        },
        unlabelled=tuple(name for name in labels if name not in kept),
    )


@dataclass(frozen=True)
class Comovement(Shown):
    """How many instruments are in which regime, bar by bar; row t uses the labels of bar t.

    Attributes
    ----------
    times : ndarray, shape (B,)
        Every time at which any instrument has a bar, rising.
    counts : ndarray of int64, shape (B, K)
        Instruments in each regime.
    missing : ndarray of int64, shape (B,)
        Instruments that have a bar, and no label.
    """

    times: NDArray[Any]
    counts: NDArray[np.int64]
    missing: NDArray[np.int64]

    @property
    def share(self) -> Floats:
        """Of the labelled instruments, (B, K); NaN where there is none."""
        total = self.counts.sum(axis=1, keepdims=True)
        missing = np.full(self.counts.shape, np.nan)
        shares: Floats = np.divide(self.counts, total, out=missing, where=total > 0)
        return shares

    @property
    def concentration(self) -> Floats:
        """1 where all are in one regime, 1 / K where they are spread evenly, (B,).

        The Herfindahl-Hirschman index (Hirschman 1945) of the shares.
        """
        return np.asarray(np.sum(self.share**2, axis=1))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        times = self.times.astype(str) if self.times.dtype.kind == "M" else self.times
        return plain({**vars(self), "times": times})  # type: ignore[no-any-return]


def comovement(
    labels: Mapping[str, Labels], times: Mapping[str, NDArray[Any]], n_regimes: int
) -> Comovement:
    """Count at every time how many instruments are in which regime.

    Parameters
    ----------
    labels : mapping of str to ndarray of int, shape (T_i,)
        Negative where missing.
    times : mapping of str to ndarray, shape (T_i,)
        Of the same bars, of one type.
    n_regimes : int
        K.

    Returns
    -------
    Comovement

    Raises
    ------
    DataError
        An instrument lacks its times, or a label is K or more.
    """
    for name, one in labels.items():
        if name not in times or len(times[name]) != len(one):
            found = len(times[name]) if name in times else "no"
            raise DataError(
                f"Instrument {name!r} has {len(one)} labels and {found} times; give one time per "
                "bar."
            )
    found_labels = np.concatenate([np.asarray(one) for one in labels.values()])
    if len(found_labels) and int(found_labels.max()) >= n_regimes:
        raise DataError(
            f"The labels go up to {found_labels.max()}; the model has "
            f"{counted(n_regimes, 'regime')}. They come from another model: label the data again."
        )
    all_times, row = np.unique(
        np.concatenate([times[name] for name in labels]), return_inverse=True
    )
    column = np.where(found_labels < 0, n_regimes, found_labels)
    size = n_regimes + 1
    table = np.bincount(row * size + column, minlength=len(all_times) * size).reshape(-1, size)
    return Comovement(all_times, table[:, :n_regimes], table[:, n_regimes])
