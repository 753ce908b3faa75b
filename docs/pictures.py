"""Draw the pictures of the documentation: ``python docs/pictures.py``."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

import regimetry as rg
from regimetry.encoder.positions import sinusoidal_table

IMAGES = Path(__file__).parent / "images"
W, D = 30, 64


def trained_positions() -> NDArray[np.float32]:
    """Return learnable positions (W, D) after training on a simulated series."""
    config = rg.EncoderConfig(
        embedding_dim=D, encoding_method="learnable", head_size=16, num_transformer_blocks=1
    )
    detector = rg.RegimeDetector(
        window_size=W, n_regimes=3, encoder=config, objective="masked", epochs=6, random_state=0
    )
    detector.fit(rg.simulate("s2", n_rows=2000, seed=0).values)
    return np.asarray(detector.encoder_.get_layer("positions").get_weights()[0])


def draw_positions(path: Path) -> None:
    """Draw the positional encodings beside each other: rows are bars, columns token dimensions."""
    import matplotlib.pyplot as plt

    panels = {
        "sinusoidal, interleaved": sinusoidal_table(W, D, "interleaved"),
        "sinusoidal, stacked": sinusoidal_table(W, D, "stacked"),
        "learnable, after training": trained_positions(),
    }
    figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), layout="constrained", sharey=True)
    for axis, (title, table) in zip(axes, panels.items(), strict=True):
        largest = float(np.abs(table).max())
        image = axis.imshow(
            table, cmap="RdBu", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest"
        )
        axis.set(title=title, xlabel="token dimension")
        figure.colorbar(image, ax=axis)
    axes[0].set_ylabel("bar of the window")
    figure.savefig(path, dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    mpl.use("agg")
    draw_positions(IMAGES / "positions.png")
