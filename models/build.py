"""Rebuild the shipped model, its golden file and its card: ``make model``.

The same machine and versions give the same bytes; another machine may round differently.
"""

from __future__ import annotations

import json
from pathlib import Path

import regimetry as rg
from regimetry.check.golden import Golden
from regimetry.cli.output import regime_lines
from regimetry.contract import ModelContract
from regimetry.series.samples import market_sample

FOLDER = Path(__file__).parent
PARAMETERS = {"window_size": 20, "n_regimes": 3, "random_state": 0}


def card(contract: ModelContract, golden: Golden) -> str:
    """Describe the model for people."""
    training = contract.training
    versions = ", ".join(f"{name} {number}" for name, number in training.versions.items())
    encoder = json.dumps(training.configuration["encoder"], sort_keys=True)
    return f"""# sp500.onnx

Regimes of the S&P 500, daily. Made by `make model` (`models/build.py`).

- **Data**: {training.rows} daily bars, {training.start} to {training.end}, from the
  `arch` package. Columns: `close` (index points; its logarithmic difference is taken inside
  the graph) and `range` (logarithm of the day's high over its low).
- **Fingerprint** of the training data (SHA-256): `{training.fingerprint}`
- **Input** `window`: float32 (batch, {contract.window_rows}, {contract.n_features}), raw units.
- **Configuration**: window {contract.window_size}, {contract.n_regimes} regimes, objective
  `{training.configuration["objective"]}`, seed {training.seed}; encoder `{encoder}`.
- **Versions**: {versions}
- **Golden file**: `sp500.golden.json`, {len(golden.window)} windows with the outputs of the
  encoder and the head in numpy, and {len(golden.labels_from_start)} causal labels.
  `regimetry verify models/sp500.onnx` replays it through every runtime that is installed.

Regimes by the causal labels over the training span, the calmest first:

```
{regime_lines(contract)}
```

The labels describe the past. They were fitted on the whole span, so figures inside it are in
sample, and nothing here is a forecast or advice.
"""


def main() -> None:
    """Fit, and write the three files."""
    frame = market_sample("sp500")
    detector = rg.RegimeDetector(**PARAMETERS).fit(frame)
    detector.save(FOLDER / "sp500.onnx")  # and the golden file beside it
    (FOLDER / "README.md").write_text(card(detector.model_.contract, detector.golden_))
    print(f"{FOLDER}: {detector.n_regimes_} regimes, parity {detector.parity_}")


if __name__ == "__main__":
    main()
