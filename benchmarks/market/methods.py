"""All methods by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.market import ours, rivals
from benchmarks.market.answer import Answer
from regimetry.backtest.bars import Bars


@dataclass(frozen=True)
class Method:
    """A method of the benchmark.

    Attributes
    ----------
    title : str
    answer : callable
    packages : tuple of str
        Distributions whose versions the answer depends on.
    of_package : bool
        The answer is of this package's own model, and depends on all of its code.
    """

    title: str
    answer: Callable[[Bars, NDArray[np.bool_]], Answer]
    packages: tuple[str, ...] = ("scipy",)
    of_package: bool = False


METHODS = {
    "one_t": Method("one Student t", rivals.one_t),
    "ewma": Method("EWMA, t(6)", rivals.ewma),
    "garch": Method("GJR-GARCH-t (arch)", rivals.garch, ("scipy", "arch")),
    "jump": Method("jump model (jumpmodels)", rivals.jump, ("scipy", "jumpmodels")),
    **{
        f"hmm{k}": Method(
            f"hmmlearn, K {k}", partial(rivals.hmm, n_regimes=k), ("scipy", "hmmlearn")
        )
        for k in (2, 3, 4)
    },
    **{
        f"switching{k}": Method(
            f"Markov switching variance (statsmodels), K {k}",
            partial(rivals.switching, n_regimes=k),
            ("scipy", "statsmodels"),
        )
        for k in (2, 3)
    },
    "regimetry": Method(
        "regimetry, defaults", ours.regimetry, ("scipy", "scikit-learn"), of_package=True
    ),
    "pretrained": Method(
        "regimetry, pretrained encoder",
        partial(ours.regimetry, encoder="pretrained"),
        ("scipy", "scikit-learn"),
        of_package=True,
    ),
}
