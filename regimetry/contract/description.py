"""What a model file says about itself: the ``metadata_props`` beside the graph, as plain JSON."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from regimetry.contract.density import DensityRecord
from regimetry.contract.record import TrainingRecord
from regimetry.contract.wording import UNIT, counted, plural
from regimetry.series.rules import PLAIN, ReadingRules
from regimetry.series.scaling import InstrumentScaling
from regimetry.series.schema import Schema

FORMAT_VERSION = 5
READABLE_VERSIONS = ("1", "2", "3", "4", "5")
"""In version 1, which has no ``evidence``, windows tell the regimes. Version 3 knows instruments,
version 4 convolutions and rules of reading, version 5 embeddings of two halves. Files from version
4 on are sealed."""

SEALED_VERSION = 4
_NEW_IN = {
    3: ("by", "scaling"),
    4: ("reach", "label_offset", "reading", "density", "single_density", "single_score", "unit"),
    5: ("halves",),
}
"""Entries that a version has and older ones have not."""

_IF_SAID = ("unit", "density", "single_density", "single_score", "halves")
"""Those that the first files of version 4 have not: left out where they are the default."""

FORMAT_KEY = "regimetry.format_version"
CONTRACT_KEY = "regimetry.contract"
PRECISION_KEY = "regimetry.precision"
FORM_KEY = "regimetry.form"
PRECISIONS = ("float32", "float16")


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


@dataclass(frozen=True, kw_only=True)
class ModelContract:
    """Frozen description of a model file.

    Attributes
    ----------
    window_size : int
        W, rows that the encoder sees.
    window_rows : int
        R, rows of the graph's input: W, ``reach``, and one more where a column is differenced.
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
        In canonical order: mean volatility of the scaled features rises. After a refit with
        ``align_to``, in the earlier model's order, and those born since in canonical order.
    transition_matrix : tuple of tuple of float
        Share of bars in regime i that are followed by regime j, in training.
    jump_penalty, smooth_penalty : float
        Price of a change of regime, in units of ``distance``; causal and whole-series.
    evidence : {"window", "bar"}
        What ``distance`` describes: the whole window, by the distance to each regime's centroid; or
        its newest bar given those before, by minus log-likelihood in nats, less the least.
    sharpness : float
        b in ``probability = softmax(-b V)`` with the costs V of the causal recursion.
    novelty_memory : float
        a in ``m += a (novelty - m)``, the running mean that detects a novel state; it begins with
        the first value. 1 in a file without it: no memory.
    novelty_threshold : float or None
        A bar is novel if that mean exceeds it; 5 % of known bars do. ``None`` in a file without
        it: no bar is novel.
    by : str or None
        Column that named the instrument of each row in training; ``None`` for a model fitted on
        one series.
    scaling : InstrumentScaling or None
        Brings each instrument's rows to common units before the graph reads them; ``None`` if the
        graph reads all rows without scaling.
    reach : int
        Rows before a window that the encoder's convolutions read.
    label_offset : int or None
        Bars between the one that a window describes best and its last one; ``None`` in a file
        without convolutions, where that is half a window.
    halves : bool
        The embedding's first half describes the middle of the window, its second half the newest
        rows. Where windows tell the regimes, ``distance`` is then of the second half, and the graph
        has one more output, ``hindsight``, of the first.
    reading : ReadingRules
        What becomes of missing values, gaps in time and irregular clocks; the default where a file
        says nothing. ``max_gap`` is the one that the fit decided.
    density : DensityRecord or None
        Of the next row in each regime; ``None`` in a file without it.
    single_density : DensityRecord or None
        Of the next row whichever regime holds, where it says more of the next row than the regimes
        do, by the Bayesian information criterion of the training rows' log scores.
    single_score : float or None
        Mean log score of the training rows by such a density, whether it is kept or not; ``None``
        of one regime alone.
    unit : str
        What a row is called to people, in one word.
    training : TrainingRecord
        What the file keeps of its fit.
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
    evidence: str = "window"
    novelty_memory: float = 1.0
    novelty_threshold: float | None = None
    by: str | None = None
    scaling: InstrumentScaling | None = None
    reach: int = 0
    label_offset: int | None = None
    reading: ReadingRules = PLAIN
    density: DensityRecord | None = None
    single_density: DensityRecord | None = None
    single_score: float | None = None
    unit: str = UNIT
    halves: bool = False
    training: TrainingRecord = field(default_factory=TrainingRecord)

    @property
    def n_features(self) -> int:
        """F, columns of the graph's input."""
        return len(self.schema.feature_names)

    @property
    def n_regimes(self) -> int:
        """K."""
        return len(self.regimes)

    @property
    def units(self) -> str:
        """What several rows are called."""
        return plural(self.unit)

    def counted(self, count: float, form: str = "d") -> str:
        """Return a number of rows as text, in the model's unit: ``12 samples``."""
        return counted(count, self.unit, form)

    @property
    def hindsight(self) -> str:
        """The output that labels with hindsight are of."""
        return "hindsight" if self.halves and self.evidence == "window" else "distance"

    @property
    def is_named(self) -> bool:
        """Whether any regime has a name that is more than its number."""
        return not all(re.fullmatch(r"regime_\d+", regime.name) for regime in self.regimes)

    @property
    def regimes_without_bars(self) -> tuple[str, ...]:
        """Names of regimes in which no bar of training is."""
        return tuple(regime.name for regime in self.regimes if regime.share == 0)

    @property
    def looks(self) -> tuple[int, ...]:
        """Number of each regime's colour and line in reports; kept over refits, as names are."""
        alignment = self.training.alignment
        return (alignment and alignment.looks) or tuple(range(self.n_regimes))

    @property
    def bars_until_label(self) -> int:
        """Bars between the one that ``distance`` describes and the window's last, with hindsight.

        Evidence of a whole window fits its centre best.
        """
        if self.evidence != "window":
            return 0
        return self.window_size // 2 if self.label_offset is None else self.label_offset

    @property
    def format_version(self) -> int:
        """The oldest version that has all the entries of this contract."""
        defaults = {entry.name: entry.default for entry in fields(self)}
        said = [
            version
            for version, names in _NEW_IN.items()
            if any(getattr(self, name) != defaults[name] for name in names)
        ]
        return max(said, default=2)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the contract's text; a model from a different fit has a different one."""
        return hashlib.sha256(self.to_metadata()[CONTRACT_KEY].encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the contract as plain data, the value of the metadata key."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["schema"] = self.schema.to_list()
        data["regimes"] = [dict(vars(regime)) for regime in self.regimes]
        data["scaling"] = None if self.scaling is None else self.scaling.to_dict()
        data["training"] = self.training.to_dict()
        data["reading"] = dict(vars(self.reading))
        for name in ("density", "single_density"):
            data[name] = None if data[name] is None else dict(vars(data[name]))
        for version, names in _NEW_IN.items():
            if self.format_version < version:
                for name in names:
                    del data[name]
        for entry in fields(self):
            if entry.name in _IF_SAID and data.get(entry.name) == entry.default:
                data.pop(entry.name, None)
        return data

    def to_metadata(self) -> dict[str, str]:
        """Return the ``metadata_props`` of a model file; equal contracts give equal text."""
        return {
            FORMAT_KEY: str(self.format_version),
            CONTRACT_KEY: json.dumps(
                self.to_dict(), sort_keys=True, allow_nan=False, ensure_ascii=False
            ),
        }
