"""What a model file says about itself: the ``metadata_props`` beside the graph, as plain JSON."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from regimetry.errors import ModelError
from regimetry.series.preprocessing import TRANSFORMS, rows_before
from regimetry.series.schema import Schema

FORMAT_VERSION = 1
FORMAT_KEY = "regimetry.format_version"
CONTRACT_KEY = "regimetry.contract"

INPUT_NAME = "window"
OUTPUT_NAMES = ("embedding", "distance", "regime", "novelty")


@dataclass(frozen=True, kw_only=True)
class RegimeSummary:
    """What one regime was like over the training rows, by the causal labels.

    Attributes
    ----------
    name : str
    share : float
        Of the labelled bars.
    spells : int
        Uninterrupted stretches.
    mean_dwell : float
        Mean length of a stretch, in bars.
    mean, deviation : tuple of float
        Of each feature as the encoder reads it before scaling (differences where the transform
        says so), length F.
    """

    name: str
    share: float
    spells: int
    mean_dwell: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def is_plain(self) -> bool:
        """Return whether the entries are what they should be, whoever wrote them."""
        numbers = (self.share, self.spells, self.mean_dwell, *self.mean, *self.deviation)
        return type(self.name) is str and _finite(numbers, len(numbers))


@dataclass(frozen=True, kw_only=True)
class ModelContract:
    """Frozen description of a model file.

    Attributes
    ----------
    window_size : int
        W, rows that the encoder sees.
    window_rows : int
        Rows of the graph's input: W, or W + 1 where a column is differenced inside.
    schema : Schema
        Input columns in order, with the categories of those that are not numbers.
    transforms : tuple of str
        ``level``, ``difference`` or ``log_difference`` for each of the F features.
    mean, scale : tuple of float
        Of the transformed features; the graph computes ``(x - mean) * scale``.
    clip : float
        Limit of the scaled features, in standard deviations.
    embedding_size : int
        Width of the ``embedding`` output.
    regimes : tuple of RegimeSummary
        In canonical order: mean volatility of the scaled features rises.
    transition_matrix : tuple of tuple of float
        Share of bars in regime i that are followed by regime j, in training.
    jump_penalty, smooth_penalty : float
        Price of a change of regime, in units of ``distance``; causal and whole-series.
    sharpness : float
        b in ``probability = softmax(-b V)`` with the costs V of the causal recursion.
    training : mapping
        Plain data on the fit: rows, span, fingerprint, seed, configuration, loss curves, versions.
    """

    window_size: int
    window_rows: int
    schema: Schema
    transforms: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    clip: float
    embedding_size: int
    regimes: tuple[RegimeSummary, ...]
    transition_matrix: tuple[tuple[float, ...], ...]
    jump_penalty: float
    smooth_penalty: float
    sharpness: float
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_features(self) -> int:
        """F, columns of the graph's input."""
        return len(self.schema.feature_names)

    @property
    def n_regimes(self) -> int:
        """K."""
        return len(self.regimes)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the contract's text; a model that was fitted otherwise has another."""
        return hashlib.sha256(self.to_metadata()[CONTRACT_KEY].encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the contract as plain data, the value of the metadata key."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["schema"] = self.schema.to_list()
        data["regimes"] = [dict(vars(regime)) for regime in self.regimes]
        return data

    def to_metadata(self) -> dict[str, str]:
        """Return the ``metadata_props`` of a model file; equal contracts give equal text."""
        return {
            FORMAT_KEY: str(FORMAT_VERSION),
            CONTRACT_KEY: json.dumps(
                self.to_dict(), sort_keys=True, allow_nan=False, ensure_ascii=False
            ),
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], source: str) -> ModelContract:
        """Read a contract.

        Parameters
        ----------
        metadata : mapping of str to str
            ``metadata_props`` of a model file.
        source : str
            The file's name, for messages.

        Raises
        ------
        ModelError
            No regimetry model, a format version that this release cannot read, or damaged data.
        """
        if FORMAT_KEY not in metadata or CONTRACT_KEY not in metadata:
            raise ModelError(
                f"{source} is an ONNX file, but not a regimetry model: its metadata lack "
                f"{FORMAT_KEY!r}. Make one with `regimetry fit` or RegimeDetector.save."
            )
        if metadata[FORMAT_KEY] != str(FORMAT_VERSION):
            raise ModelError(
                f"{source} has format version {metadata[FORMAT_KEY]!r}; this release reads "
                f"{FORMAT_VERSION}. Use the release that wrote it, or fit and save again."
            )
        try:
            data = json.loads(metadata[CONTRACT_KEY], parse_constant=_no_constant)
            data["schema"] = Schema.from_list(data["schema"])
            data["regimes"] = tuple(
                RegimeSummary(**{**entry, **{k: tuple(entry[k]) for k in ("mean", "deviation")}})
                for entry in data["regimes"]
            )
            data["transition_matrix"] = tuple(map(tuple, data["transition_matrix"]))
            for name in ("transforms", "mean", "scale"):
                data[name] = tuple(data[name])
            contract = cls(**data)
            contract._require_consistent(source)
        except ModelError:
            raise
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ModelError(
                f"The metadata of {source} are damaged ({error}). Fit and save the model again."
            ) from error
        return contract

    def _require_consistent(self, source: str) -> None:
        for name, (found, holds, expected) in self._claims().items():
            if not holds:
                raise ModelError(
                    f"The metadata of {source} contradict themselves: {name} is "
                    f"{repr(found)[:60]}; expected {expected}. Fit and save the model again."
                )

    def _claims(self) -> dict[str, tuple[Any, bool, str]]:
        """Return for each entry what was found, whether it can be so, and what is expected."""
        n_features, n_regimes = self.n_features, self.n_regimes
        rows = self.window_size + rows_before(self.transforms) if _count(self.window_size) else 0
        names = self.schema.feature_names
        numbers = (self.clip, self.jump_penalty, self.smooth_penalty, self.sharpness)
        shape = [len(row) for row in self.transition_matrix]
        return {
            "window_size": (self.window_size, _count(self.window_size), "a number of rows"),
            "window_rows": (self.window_rows, self.window_rows == rows, str(rows)),
            "embedding_size": (self.embedding_size, _count(self.embedding_size), "a width"),
            "schema": (names, 0 < len(set(names)) == len(names), "columns of different names"),
            "transforms": (
                self.transforms,
                len(self.transforms) == n_features and set(self.transforms) <= set(TRANSFORMS),
                f"{n_features} of {', '.join(TRANSFORMS)}",
            ),
            "mean": (self.mean, _finite(self.mean, n_features), f"{n_features} numbers"),
            "scale": (self.scale, _finite(self.scale, n_features), f"{n_features} numbers"),
            "clip, jump_penalty, smooth_penalty, sharpness": (
                numbers,
                _finite(numbers, 4) and min(numbers) >= 0,
                "a number of at least 0 each",
            ),
            "regimes": (
                n_regimes,
                n_regimes > 0 and all(map(RegimeSummary.is_plain, self.regimes)),
                "at least one, each with a name and finite numbers",
            ),
            "transition_matrix": (
                shape,
                shape == [n_regimes] * n_regimes
                and all(_finite(row, n_regimes) for row in self.transition_matrix),
                f"{n_regimes} rows of {n_regimes} numbers",
            ),
            "training": (self.training, isinstance(self.training, dict), "a mapping"),
        }


def _count(value: object) -> bool:
    return type(value) is int and value > 0


def _finite(values: Sequence[object], length: int) -> bool:
    return len(values) == length and all(
        type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
        for value in values
    )


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")
