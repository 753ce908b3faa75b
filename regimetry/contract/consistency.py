"""Whether what a model file says of itself can be, whoever wrote it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from regimetry.errors import ModelError
from regimetry.series.preprocessing import TRANSFORMS, rows_before

if TYPE_CHECKING:
    from regimetry.contract import ModelContract, RegimeSummary


def require_consistent(contract: ModelContract, source: str) -> None:
    """Raise :class:`ModelError` naming the first entry that cannot be; ``source`` is the file."""
    for name, (found, holds, expected) in _claims(contract).items():
        if not holds:
            raise ModelError(
                f"The metadata of {source} contradict themselves: {name} is "
                f"{repr(found)[:60]}; expected {expected}. Fit and save the model again."
            )


def _claims(contract: ModelContract) -> dict[str, tuple[Any, bool, str]]:
    """Return for each entry what was found, whether it can be so, and what is expected."""
    n_features, n_regimes = contract.n_features, contract.n_regimes
    rows = (
        contract.window_size + rows_before(contract.transforms)
        if _count(contract.window_size)
        else 0
    )
    names = contract.schema.feature_names
    numbers = (contract.clip, contract.jump_penalty, contract.smooth_penalty, contract.sharpness)
    shape = [len(row) for row in contract.transition_matrix]
    return {
        "window_size": (contract.window_size, _count(contract.window_size), "a number of rows"),
        "window_rows": (contract.window_rows, contract.window_rows == rows, str(rows)),
        "embedding_size": (contract.embedding_size, _count(contract.embedding_size), "a width"),
        "schema": (names, 0 < len(set(names)) == len(names), "columns of different names"),
        "transforms": (
            contract.transforms,
            len(contract.transforms) == n_features and set(contract.transforms) <= set(TRANSFORMS),
            f"{n_features} of {', '.join(TRANSFORMS)}",
        ),
        "mean": (contract.mean, _finite(contract.mean, n_features), f"{n_features} numbers"),
        "scale": (contract.scale, _finite(contract.scale, n_features), f"{n_features} numbers"),
        "clip, jump_penalty, smooth_penalty, sharpness": (
            numbers,
            _finite(numbers, 4) and min(numbers) >= 0,
            "a number of at least 0 each",
        ),
        "evidence": (contract.evidence, contract.evidence in ("window", "bar"), "window or bar"),
        "novelty_memory": (
            contract.novelty_memory,
            _finite([contract.novelty_memory], 1) and 0 < contract.novelty_memory <= 1,
            "a share",
        ),
        "novelty_threshold": (
            contract.novelty_threshold,
            contract.novelty_threshold is None or _finite([contract.novelty_threshold], 1),
            "a number or null",
        ),
        "regimes": (
            n_regimes,
            n_regimes > 0 and all(map(_is_plain, contract.regimes)),
            "at least one, each with a name and finite numbers",
        ),
        "transition_matrix": (
            shape,
            shape == [n_regimes] * n_regimes
            and all(_finite(row, n_regimes) for row in contract.transition_matrix),
            f"{n_regimes} rows of {n_regimes} numbers",
        ),
        "by": (contract.by, contract.by is None or type(contract.by) is str, "a name or null"),
        "scaling": (
            None if contract.scaling is None else contract.scaling.instruments[:3],
            contract.scaling is None
            or bool(np.isfinite([contract.scaling.factor, contract.scaling.offset]).all()),
            "finite numbers",
        ),
        "training": (contract.training, isinstance(contract.training, dict), "a mapping"),
    }


def _is_plain(regime: RegimeSummary) -> bool:
    numbers = (regime.share, regime.spells, regime.mean_dwell, *regime.mean, *regime.deviation)
    return type(regime.name) is str and _finite(numbers, len(numbers))


def _count(value: object) -> bool:
    return type(value) is int and value > 0


def _finite(values: Sequence[object], length: int) -> bool:
    return len(values) == length and all(
        type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
        for value in values
    )
