"""The detector with its defaults, as its users run it: fitted, saved, loaded from the file."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import regimetry as rg
from benchmarks.rivals.fitted import Fitted, Values


def fit(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Fit by the public estimator; labels come from the saved file."""
    detector = rg.RegimeDetector(
        n_regimes="auto" if n_regimes is None else n_regimes, random_state=seed
    ).fit(values)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        detector.save(path, golden=False)
        model = rg.load(path, device="cpu")
    return Fitted(detector.n_regimes_, model.smooth, model.predict)
