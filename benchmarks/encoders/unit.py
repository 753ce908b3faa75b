"""One piece of work: features fitted to a series, or to its first 60 %, and scored."""

from __future__ import annotations

import hashlib
import json
import math
import time
import warnings
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import benchmarks
import regimetry
from benchmarks.encoders.features import features_of, sum_of
from benchmarks.encoders.fitted import Labelled, fit
from benchmarks.encoders.sets import load, n_states, score, tasks_of
from benchmarks.outside.sets import Series
from benchmarks.protocol import training_rows
from benchmarks.regimes.unit import fingerprint
from benchmarks.rivals.fitted import Labels, Values
from regimetry.errors import DataError, DataWarning, RegimeWarning
from regimetry.files import replacing
from regimetry.fit.options import FitOptions

PACKAGES = ("numpy", "scipy", "scikit-learn", "onnxruntime")

_HERE = Path(benchmarks.__file__).parent
CODE = (
    Path(regimetry.__file__).parent,
    _HERE / "protocol.py",
    *(_HERE / "rivals" / f"{name}.py" for name in ("fitted", "statistics")),
    *(_HERE / "outside" / f"{name}.py" for name in ("scores", "sets", "toys")),
    *(_HERE / "encoders" / f"{name}.py" for name in ("features", "fitted", "sets", "unit")),
)


@dataclass(frozen=True)
class Unit:
    """What is fitted.

    Attributes
    ----------
    features : str
    series : Series
    training : bool
        The first 60 % are fitted, and the rest is labelled; else all rows, for both other tasks.
    chosen : bool
        K is chosen; else it is given.
    bars : bool
        Single bars are tried as evidence too.
    window_size : int or None
        W; ``None``: chosen.
    weights : Path or None
        Of the pretrained encoder; ``None``: the built-in ones.
    """

    features: str
    series: Series
    training: bool = False
    chosen: bool = False
    bars: bool = False
    window_size: int | None = None
    weights: Path | None = None

    @property
    def path(self) -> str:
        """File name of its result; the hash is of all that the result depends on."""
        place = f"{self.features}_{self.series.set}_{self.series.name}_{self.series.seed}"
        plain = "".join(letter if letter.isalnum() else "_" for letter in place)
        return f"{plain}_{self.digest()[:16]}.json"

    def digest(self) -> str:
        """Return the SHA-256 of the unit, the code, its packages and the sum of the weights."""
        pretrained = features_of(self.features, self.weights).pretrained
        content = {
            "unit": {**asdict(self), "weights": sum_of(self.weights) if pretrained else None},
            "code": fingerprint(CODE),
            "versions": {name: _version(name) for name in PACKAGES},
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def run(self, folder: Path) -> None:
        """Fit, score and write the result, whole or not at all."""
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            warnings.simplefilter("ignore", RegimeWarning)
            result = self._result()
        result["seconds"] = round(time.perf_counter() - start, 2)
        with replacing(folder / self.path) as temporary:
            temporary.write_text(json.dumps(result, indent=1) + "\n")

    def fitted(self, values: Values) -> dict[str, Labelled]:
        """Fit to the rows (T, F) of the series; with ``training``, to the first 60 % alone."""
        rows = values[: training_rows(len(values))] if self.training else values
        options = FitOptions(
            window_size=self.window_size or "auto",
            n_regimes="auto" if self.chosen else n_states(self.series),
            seed=self.series.seed,
        )
        features = features_of(self.features, self.weights)
        return fit(features, np.ascontiguousarray(rows), options, bars=self.bars)

    def _result(self) -> dict[str, Any]:
        values, states = load(self.series)
        found = self.fitted(values)
        result: dict[str, Any] = {
            "n_regimes": found["window"].n_regimes,
            "window": found["window"].window_size,
            "refused": None,
            "scores": {},
        }
        try:
            result["scores"] = {
                evidence: self._scores(labelled, values, states)
                for evidence, labelled in found.items()
            }
        except DataError as error:
            if not self.training:  # only later rows may be such that the product refuses them
                raise
            result["refused"] = str(error)
        return result

    def _scores(
        self, labelled: Labelled, values: Values, states: Labels
    ) -> dict[str, dict[str, float | None]]:
        tasks = [t for t in tasks_of(self.series) if (t == "out of sample") == self.training]
        found = {}
        for task in tasks:
            labels = labelled.offline(values) if task == "offline" else labelled.causal(values)
            scores = score(self.series, states, labels, task)
            found[task] = {
                name: None if math.isnan(value) else value for name, value in scores.items()
            }
        return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # onnxruntime has two distributions
        return None
