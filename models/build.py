"""Rebuild the shipped model, its golden file and its card: ``make model``.

The same machine and versions give the same bytes; another machine may round differently.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import regimetry as rg
from regimetry.cli.output import regime_table
from regimetry.contract import ModelContract
from regimetry.runtime.jump import jump_forward
from regimetry.series.samples import market_sample

FOLDER = Path(__file__).parent
PARAMETERS = {"window_size": 20, "n_regimes": 3, "random_state": 0}
SPREAD, CONSECUTIVE = 24, 40


def golden_rows(labels: np.ndarray) -> np.ndarray:
    """Choose windows: some spread over the whole history, and a run with changes of regime."""
    changes = np.flatnonzero(np.diff(labels)) + 1
    counts = [np.sum((changes > start) & (changes < start + CONSECUTIVE)) for start in changes - 5]
    start = int(changes[int(np.argmax(counts))]) - 5
    spread = np.linspace(0, len(labels) - 1, SPREAD).astype(int)
    return np.concatenate([np.arange(start, start + CONSECUTIVE), spread])


def golden(detector: rg.RegimeDetector, values: np.ndarray) -> dict[str, object]:
    """Collect inputs and expected outputs in plain lists, readable from any language."""
    contract = detector.model_.contract
    outputs = detector.model_.outputs(values)
    rows = golden_rows(detector.labels_[contract.window_rows - 1 :])
    windows = rg.rolling_windows(values.astype(np.float32), contract.window_rows)[rows]
    labels, _ = jump_forward(outputs["distance"][rows[:CONSECUTIVE]], contract.jump_penalty)
    return {
        "about": f"The first {CONSECUTIVE} windows follow each other; labels_from_start are their "
        "causal labels for a stream that begins with them.",
        "window": windows.tolist(),
        "embedding": outputs["embedding"][rows].tolist(),
        "distance": outputs["distance"][rows].tolist(),
        "regime": outputs["regime"][rows].tolist(),
        "novelty": outputs["novelty"][rows].tolist(),
        "jump_penalty": contract.jump_penalty,
        "labels_from_start": labels.tolist(),
    }


def card(contract: ModelContract) -> str:
    """Describe the model for people."""
    training = contract.training
    versions = ", ".join(f"{name} {number}" for name, number in training["versions"].items())
    encoder = json.dumps(training["configuration"]["encoder"], sort_keys=True)
    return f"""# sp500.onnx

Regimes of the S&P 500, daily. Made by `make model` (`models/build.py`).

- **Data**: {training["rows"]} daily bars, {training["start"]} to {training["end"]}, as the `arch`
  package carries them. Columns: `close` (index points; its logarithmic difference is taken inside
  the graph) and `range` (logarithm of the day's high over its low).
- **Fingerprint** of the training data (SHA-256): `{training["fingerprint"]}`
- **Input** `window`: float32 (batch, {contract.window_rows}, {contract.n_features}), raw units.
- **Configuration**: window {contract.window_size}, {contract.n_regimes} regimes, objective
  `{training["configuration"]["objective"]}`, at most {training["configuration"]["epochs"]} epochs,
  seed {training["seed"]}; encoder `{encoder}`.
- **Versions**: {versions}
- **Golden file**: `sp500.golden.json`, {SPREAD + CONSECUTIVE} windows with the expected outputs and
  {CONSECUTIVE} causal labels. `tests/test_golden.py` runs it through onnxruntime.

Regimes by the causal labels over the training span, the calmest first:

```
{regime_table(contract)}
```

The labels describe the past. They were fitted on the whole span, so figures inside it are in
sample, and nothing here is a forecast or advice.
"""


def main() -> None:
    """Fit, and write the three files."""
    frame = market_sample("sp500")
    detector = rg.RegimeDetector(**PARAMETERS).fit(frame)
    detector.save(FOLDER / "sp500.onnx")
    content = json.dumps(golden(detector, frame.to_numpy()), indent=None, separators=(",", ":"))
    (FOLDER / "sp500.golden.json").write_text(content + "\n")
    (FOLDER / "README.md").write_text(card(detector.model_.contract))
    print(f"{FOLDER}: {detector.n_regimes_} regimes, parity {detector.parity_}")


if __name__ == "__main__":
    main()
