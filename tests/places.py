"""Where the checkout keeps what the tests read."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MODEL = ROOT / "models" / "sp500.onnx"
"""The shipped model, which needs no fit."""
