"""Checks that the metadata of a model file do not contradict themselves."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np

from regimetry.contract.wording import is_word
from regimetry.errors import ModelError
from regimetry.series.preprocessing import TRANSFORMS, rows_before

if TYPE_CHECKING:
    from regimetry.contract import ModelContract

EVIDENCE = ("window", "bar")
_UNPRINTED = ("Cc", "Cs", "Zl", "Zp")  # categories of Unicode: control characters, ends of lines


def is_plain(text: str) -> bool:
    """Return whether text is there and moves no cursor, and so is safe in a line of a terminal."""
    return bool(text) and not any(unicodedata.category(sign) in _UNPRINTED for sign in text)


def require_consistent(contract: ModelContract, source: str) -> None:
    """Raise :class:`ModelError` naming the first impossible entry; ``source`` is the file."""
    for name, (found, holds, expected) in _claims(contract).items():
        if not holds:
            raise ModelError(
                f"The metadata of {source} contradict themselves: {name} is "
                f"{repr(found)[:60]}; expected {expected}. Fit and save the model again."
            )


def _claims(contract: ModelContract) -> dict[str, tuple[Any, bool, str]]:
    """Return for each entry what was found, whether it is possible, and what is expected."""
    n_features, n_regimes = contract.n_features, contract.n_regimes
    rows = contract.window_size + contract.reach + rows_before(contract.transforms)
    names = contract.schema.feature_names
    numbers = (contract.clip, contract.jump_penalty, contract.smooth_penalty, contract.sharpness)
    shape = [len(row) for row in contract.transition_matrix]
    scaling, features = contract.scaling, contract.training.features
    regimes = [regime.name for regime in contract.regimes]
    return {
        "window_size": (contract.window_size, contract.window_size > 0, "a number of rows"),
        "reach": (contract.reach, contract.reach >= 0, "a number of rows"),
        "window_rows": (contract.window_rows, contract.window_rows == rows, str(rows)),
        "embedding_size": (contract.embedding_size, contract.embedding_size > 0, "a width"),
        "schema": (names, 0 < len(set(names)) == len(names), "columns of different names"),
        "transforms": (
            contract.transforms,
            len(contract.transforms) == n_features and set(contract.transforms) <= set(TRANSFORMS),
            f"{n_features} of {', '.join(TRANSFORMS)}",
        ),
        "mean": (contract.mean, len(contract.mean) == n_features, f"{n_features} numbers"),
        "scale": (contract.scale, len(contract.scale) == n_features, f"{n_features} numbers"),
        "clip, jump_penalty, smooth_penalty, sharpness": (
            numbers,
            min(numbers) >= 0,
            "a number of at least 0 each",
        ),
        "evidence": (contract.evidence, contract.evidence in EVIDENCE, " or ".join(EVIDENCE)),
        "novelty_memory": (contract.novelty_memory, 0 < contract.novelty_memory <= 1, "a share"),
        "regimes": (n_regimes, n_regimes > 0, "at least one"),
        "regimes[].name": (
            regimes,
            0 < len(set(regimes)) == len(regimes) and all(map(is_plain, regimes)),
            "different names without control characters",
        ),
        "transition_matrix": (
            shape,
            shape == [n_regimes] * n_regimes,
            f"{n_regimes} rows of {n_regimes} numbers",
        ),
        "scaling": (
            None if scaling is None else scaling.instruments[:3],
            scaling is None or bool(np.isfinite([scaling.factor, scaling.offset]).all()),
            "finite numbers",
        ),
        "reading.max_gap": (
            contract.reading.max_gap,
            contract.reading.max_gap != "auto",
            "the gap that the fit decided",
        ),
        "unit": (contract.unit, is_word(contract.unit), "one word"),
        "training.features": (
            features,
            features is None or features.names == contract.schema.names,
            f"what makes {', '.join(contract.schema.names)}",
        ),
        "training.known": (
            contract.training.known,
            contract.training.known is None or contract.training.known.is_possible(n_regimes),
            f"states that {n_regimes} regimes are",
        ),
        "single_density without density": (
            "single_density",
            contract.single_density is None or contract.density is not None,
            "both, or density alone",
        ),
        **_densities(contract),
    }


def _densities(contract: ModelContract) -> dict[str, tuple[Any, bool, str]]:
    """Return the claims of the densities that there are."""
    most = contract.window_rows - rows_before(contract.transforms) - 1
    found = {"density": contract.n_regimes, "single_density": 1}
    return {
        name: (
            vars(record),
            record.is_possible(count, contract.n_features, most),
            f"parameters of a density in {count} regime{'s' if count > 1 else ''}",
        )
        for name, count in found.items()
        if (record := getattr(contract, name)) is not None
    }
