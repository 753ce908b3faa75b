"""One fit of one method on one market, kept as a file."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import regimetry
from benchmarks.encoders.features import sum_of
from benchmarks.market.answer import Answer, Density
from benchmarks.market.methods import METHODS
from benchmarks.market.series import bars_of, options_of
from benchmarks.regimes.unit import fingerprint
from regimetry.files import replacing

_PACKAGE = Path(regimetry.__file__).parent
_HERE = Path(__file__).parent
# What every answer depends on; that of the package's own model on the whole package besides.
CODE = (
    *(_HERE / f"{name}.py" for name in ("answer", "rivals", "series")),
    *(_PACKAGE / "backtest" / f"{name}.py" for name in ("bars", "density", "options")),
)


@dataclass(frozen=True)
class Unit:
    """A method's fit to the bars before ``begin``, asked about those up to ``end``."""

    market: str
    method: str
    first: int
    begin: int
    end: int

    @property
    def path(self) -> str:
        """File name of its result; the hash is of all that the result depends on."""
        method = METHODS[self.method]
        own = (_PACKAGE, _HERE / "ours.py") if method.of_package else ()
        content = {
            "unit": vars(self),
            "code": fingerprint((*own, *CODE)),
            "versions": {name: metadata.version(name) for name in method.packages},
            "weights": sum_of(None) if method.of_package else None,
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return f"{self.market}_{self.method}_{self.begin}_{digest[:16]}.npz"

    def run(self, folder: Path) -> tuple[Answer, float]:
        """Return the answer and the seconds it took, from the folder if it is there."""
        path = folder / self.path
        if not path.exists():
            bars = bars_of(self.market)
            assert bars is not None
            part = bars.within(self.first, self.end)
            start = time.perf_counter()
            answer = METHODS[self.method].answer(part, part.time < self.begin)
            with replacing(path) as temporary:
                np.savez_compressed(temporary, **_arrays(answer, time.perf_counter() - start))
        with np.load(path, allow_pickle=False) as arrays:
            return _answer(arrays), float(arrays["seconds"])


def units_of(market: str, method: str) -> list[Unit]:
    """List the fits of a method over a market."""
    bars = bars_of(market)
    assert bars is not None
    return [Unit(market, method, *span) for span in options_of(market).spans(bars.n_times)]


def _arrays(answer: Answer, seconds: float) -> dict[str, Any]:
    densities = {f"density_{n}": np.stack([d.log, d.below]) for n, d in answer.densities.items()}
    return {"probability": answer.probability, "seconds": np.array(seconds), **densities}


def _answer(arrays: Any) -> Answer:
    prefix = "density_"
    densities = {
        name.removeprefix(prefix): Density(*arrays[name])
        for name in arrays.files
        if name.startswith(prefix)
    }
    return Answer(densities, arrays["probability"])
