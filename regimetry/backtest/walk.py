"""The walk: every refit by itself, then names, positions and gains over all of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regimetry.backtest.bars import Bars
from regimetry.backtest.names import named
from regimetry.backtest.options import WalkForwardOptions
from regimetry.backtest.refit import Refit, fit_once
from regimetry.backtest.result import Backtest
from regimetry.backtest.rule import Rule, require_known, require_rule
from regimetry.backtest.store import Store, refit_key
from regimetry.backtest.trade import Step, told, traded_frame
from regimetry.errors import ConfigError, RegimetryError
from regimetry.parameters import require_integer

if TYPE_CHECKING:
    import pandas as pd

    from regimetry.detector import RegimeDetector
    from regimetry.series.features import OhlcvFeatures

Advance = Callable[[int], None]


def walk_forward(
    frame: pd.DataFrame,
    detector: RegimeDetector | None = None,
    *,
    price: Any = None,
    by: str | None = None,
    rule: Rule | None = None,
    features: OhlcvFeatures | None = None,
    folder: str | PathLike[str] | None = None,
    jobs: int = 1,
    advance: Advance | None = None,
    **options: Any,
) -> Backtest:
    """Fit on the past, label the bars after it, move on; trade a rule on the labels.

    The model in force at bar t was fitted on the ``train`` bars that end before its first labelled
    bar, which is t or earlier. Labels and probabilities of bar t use bars up to t; its log score
    uses the bars before t; its position was decided ``1 + delay`` bars before. Names are those of
    the refit before, by bars that both have seen. So nothing that the result says of bar t depends
    on a later bar.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows in rising time, within each instrument, with their times as the index.
    detector : RegimeDetector or None
        Unfitted: every refit fits a copy. ``None``: with the defaults.
    price : str, array (T,) or None
        Column, or values, that returns are of; ``None`` finds the column.
    by : str or None
        Column that names the instrument of each row. They share regimes and models.
    rule : mapping of str to float, or None
        Position by name of a regime; those not named are held, 1. ``None``: out of the regime with
        the lowest mean of next returns in training, long in the others.
    features : OhlcvFeatures or None
        What computed ``frame`` from price bars.
    folder : path or None
        Where refits are kept as they are done; those that are there are not fitted again. Rule,
        costs and delay may differ.
    jobs : int
        Processes; refits do not wait for each other.
    advance : callable or None
        Called with 1 after every refit, done before or now.
    **options
        ``train``, ``refit``, ``cost``, ``delay``, ``bars_per_year``: see
        :class:`~regimetry.backtest.WalkForwardOptions`.

    Returns
    -------
    Backtest

    Raises
    ------
    ConfigError
        An option is not allowed, the rule names no regime, or the detector aligns to a model.
    DataError
        Too few bars for the walk or for a fit, a price that is not positive, no price.
    RegimetryError
        A process of several died.
    """
    asked = WalkForwardOptions(**options)
    require_rule(rule)
    require_integer("jobs", jobs, 1)
    detector = _default() if detector is None else detector
    if detector.align_to is not None:
        raise ConfigError(
            "align_to is given, and a walk aligns each refit to the one before. Leave it out."
        )
    bars = Bars.of(frame, price, by)
    spans = list(asked.spans(bars.n_times))
    parts = [bars.within(first, end) for first, _, end in spans]
    store = None if folder is None else Store(Path(folder))
    begins = [begin for _, begin, _ in spans]
    work = [(detector, part, begin, features) for part, begin in zip(parts, begins, strict=True)]
    refits = _refits(work, store, jobs, advance or (lambda count: None))
    found = tuple(named(refits, [part.row for part in parts]))
    names = tuple(dict.fromkeys(name for one in found for name in one.names))
    require_known(rule, names)
    steps = list(map(Step, parts, begins, refits, found))
    tables = told(bars, steps, names, rule)
    whole = traded_frame(bars, tables, asked)
    return Backtest(whole, tables.regimes, tables.refits, names, asked, by, found)


def _default() -> RegimeDetector:
    from regimetry.detector import RegimeDetector

    return RegimeDetector(random_state=0)


def _refits(
    work: list[tuple[RegimeDetector, Bars, int, Any]],
    store: Store | None,
    jobs: int,
    advance: Advance,
) -> list[Refit]:
    """Return every refit, from the store or fitted now; each is kept as soon as it is done."""
    from joblib import Parallel, delayed

    keys = [None if store is None else refit_key(*one) for one in work]
    done = {
        number: refit
        for number, key in enumerate(keys)
        if store is not None and key is not None and (refit := store.get(key)) is not None
    }
    advance(len(done))
    todo = [number for number in range(len(work)) if number not in done]
    running = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(_numbered)(number, *work[number]) for number in todo
    )
    try:
        for number, refit in running:
            key = keys[number]
            if store is not None and key is not None:
                store.keep(key, refit)
            done[number] = refit
            advance(1)
    except BrokenProcessPool as error:
        raise RegimetryError(
            "A process died, perhaps for lack of memory. With a folder, finished refits are kept; "
            "go on with fewer jobs."
        ) from error
    return [done[number] for number in range(len(work))]


def _numbered(number: int, *work: Any) -> tuple[int, Refit]:
    return number, fit_once(*work)
