"""What regimes are called: by what they were like in training, or as the user says."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from math import log, sqrt

from regimetry.analysis.apart import Difference, apart
from regimetry.analysis.price import PRICE_NAMES
from regimetry.contract import ModelContract
from regimetry.contract.consistency import is_plain
from regimetry.errors import RegimeWarning

_MOVE = 0.1
"""Of the deviation over a mean spell: a price that moves less goes sideways."""

_CALM = log(4 / 3)
"""Logarithm of the deviation of all bars over a regime's: calm above, turbulent below minus."""

_SMALL = 0.2
"""A difference of this size is small (Cohen 1988); a regime with none above it has no name."""


def named(contract: ModelContract, names: Sequence[str] | None) -> ModelContract:
    """Name the regimes of a fit.

    A regime that an earlier model had keeps that model's name. Then a list of the user's own
    counts, then states that were known, then automatic names. A name that is taken, or that an
    earlier model gave up, gets a number: ``calm rise 2``.

    Parameters
    ----------
    contract : ModelContract
        Whose regimes are called ``regime_0`` and so on, but for those of an earlier model.
    names : "auto", sequence of str, or None
        :func:`automatic_names`; one for each regime, where empty text and what is missing leave
        the number; or ``None``: numbers.

    Returns
    -------
    ModelContract
        Also the record of the alignment, if any, has the names.

    Warns
    -----
    RegimeWarning
        There are more names than regimes.
    """
    known = contract.training.known
    if names is None and known is None:
        return contract
    alignment = contract.training.alignment
    own = [regime.name for regime in contract.regimes]
    wanted = [*(automatic_names(contract) if names == "auto" else names or ())]
    if left := [name for name in wanted[len(own) :] if name]:
        text = f"not used, since there are {len(own)} regimes: the name{'s' * (len(left) > 1)} "
        warnings.warn(text + ", ".join(left), RegimeWarning, stacklevel=5)
    wanted = [*wanted, *[""] * len(own)][: len(own)]
    if known is not None:
        pairs = zip(wanted, known.names, strict=True)
        wanted = [state or name if names == "auto" else name or state for name, state in pairs]
    if alignment is not None:
        wanted = [
            name if old < 0 else "" for name, old in zip(wanted, alignment.mapping, strict=True)
        ]
    used = [name for name, other in zip(own, wanted, strict=True) if not other]
    used += [] if alignment is None else alignment.retired
    for number, name in enumerate(wanted):
        if name:
            own[number] = _free(name, used)
            used.append(own[number])
    regimes = tuple(
        replace(one, name=name) for one, name in zip(contract.regimes, own, strict=True)
    )
    training = contract.training
    if alignment is not None:
        born = tuple(name for name, old in zip(own, alignment.mapping, strict=True) if old < 0)
        training = replace(training, alignment=replace(alignment, names=tuple(own), born=born))
    return replace(contract, regimes=regimes, training=training)


def automatic_names(contract: ModelContract) -> list[str]:
    """Return what each regime is called by its training statistics; may be empty, may repeat.

    Of a price, which is a column differenced in logarithms: *rise* or *fall* if its mean return
    times the root of the mean spell is above a tenth of the return's deviation, or below minus
    that, otherwise *sideways*; *calm* or *turbulent* before it if that deviation is less than 3/4,
    or more than 4/3, of that of all bars. Of other data: the channel in which the regime is
    farthest from the nearest other one. By means, in deviations inside regimes: *high*, *low* or,
    between others, *middle* X; of a differenced X *rising*, *falling*, *flat*. By the logarithms of
    deviations: *unsteady*, *steady*, *moderate* X. No name below .2.
    """
    price = _price(contract)
    return _by_channels(contract) if price is None else _by_price(contract, price)


def _price(contract: ModelContract) -> int | None:
    """Return the feature that is a price: one that is called so, or else the first."""
    names = [name.lower() for name in contract.schema.feature_names]
    found = [i for i, how in enumerate(contract.transforms) if how == "log_difference"]
    called = [i for known in PRICE_NAMES for i in found if names[i] == known]
    return next(iter([*called, *found]), None)


def _by_price(contract: ModelContract, price: int) -> list[str]:
    regimes = contract.regimes
    mean = sum(one.share * one.mean[price] for one in regimes)
    variance = sum(
        one.share * (one.deviation[price] ** 2 + (one.mean[price] - mean) ** 2) for one in regimes
    )
    found = []
    for one in regimes:
        deviation = one.deviation[price]
        if not deviation:
            found.append("")
            continue
        move = one.mean[price] * sqrt(one.mean_dwell) / deviation
        way = "rise" if move > _MOVE else "fall" if move < -_MOVE else "sideways"
        calm = 0.5 * log(variance) - log(deviation)
        found.append(
            f"calm {way}" if calm > _CALM else f"turbulent {way}" if calm < -_CALM else way
        )
    return found


def _by_channels(contract: ModelContract) -> list[str]:
    found, names = apart(contract.regimes), []
    for regime in range(contract.n_regimes):
        told = [_by_difference(contract, one) for one in found.ranked(regime) if one.size >= _SMALL]
        names.append(next(filter(None, told), ""))
    return names


def _by_difference(contract: ModelContract, found: Difference) -> str:
    """Return what a difference is called; empty if the channel's name is not to be printed."""
    if found.kind == "spread":
        words = {-1: "steady", 0: "moderate", 1: "unsteady"}
    elif contract.transforms[found.channel] == "level":
        words = {-1: "low", 0: "middle", 1: "high"}
    else:
        words = {-1: "falling", 0: "flat", 1: "rising"}
    channel = contract.schema.feature_names[found.channel]
    name = " ".join([words[found.place], *channel.split()])
    return name if is_plain(name) else ""


def _free(name: str, used: Iterable[str]) -> str:
    """Return a name with the first number that makes it another than all in use."""
    used = set(used)
    numbered = (name if number == 1 else f"{name} {number}" for number in count(1))
    return next(one for one in numbered if one not in used)
