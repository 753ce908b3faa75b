"""One series, fitted and scored."""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import regimetry
from benchmarks.outside.scores import equal_pieces, filled, scores
from benchmarks.outside.sets import Series
from benchmarks.regimes.unit import fingerprint
from regimetry.errors import DataWarning
from regimetry.files import replacing

_HERE = Path(__file__).parent
CODE = (
    Path(regimetry.__file__).parent,
    *(_HERE / f"{n}.py" for n in ("scores", "sets", "toys", "unit")),
)


@dataclass(frozen=True)
class Unit:
    """What is fitted: a series, with window size and number of regimes chosen or given.

    Attributes
    ----------
    series : Series
    true_count : bool
        K is given; else it is chosen.
    window_size : int or None
        W; ``None``: chosen.
    """

    series: Series
    true_count: bool = False
    window_size: int | None = None

    @property
    def path(self) -> str:
        """File name of its result; the hash is of all that the result depends on."""
        content = json.dumps([asdict(self), fingerprint(CODE)], sort_keys=True)
        return (
            f"{self.series.set}_{hashlib.sha256(content.encode()).hexdigest()[:20]}.json".replace(
                " ", "_"
            )
        )

    def run(self, folder: Path) -> dict[str, Any]:
        """Return the result, from the folder if it is there."""
        path = folder / self.path
        if not path.exists():
            with replacing(path) as temporary:
                temporary.write_text(json.dumps(self._result()) + "\n")
        return json.loads(path.read_text())

    def _result(self) -> dict[str, Any]:
        values, states = self.series.load()
        count = len(np.unique(states))
        detector = regimetry.RegimeDetector(
            window_size=self.window_size or "auto",
            n_regimes=count if self.true_count else "auto",
            random_state=0,
        )
        varies = np.ptp(values, axis=0) > 1e-6 * np.abs(values).max(axis=0)
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            detector.fit(values[:, varies])
        seconds = time.perf_counter() - start
        offline = filled(detector.smooth(values[:, varies]))
        causal = filled(detector.labels_)
        return {
            "window": detector.model_.contract.window_size,
            "evidence": detector.model_.contract.evidence,
            "count": detector.n_regimes_,
            "true_count": count,
            "seconds": round(seconds, 2),
            **scores(states, offline),
            "causal": scores(offline, causal)["ami"],
            "pieces": scores(states, equal_pieces(len(states), count)),
            "spells": [_spells(states), _spells(offline)],
        }


def _spells(labels: np.ndarray) -> list[list[int]]:
    """Return first row and label of each spell."""
    begins = np.concatenate([[0], np.flatnonzero(np.diff(labels)) + 1])
    return [begins.tolist(), labels[begins].tolist(), [len(labels)]]
