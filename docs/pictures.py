"""Draw the pictures of the documentation: ``python docs/pictures.py``."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

import regimetry as rg
from regimetry.encoder.positions import sinusoidal_table
from regimetry.encoder.pretraining.prior import ASPECTS, Drawn, draw_series
from regimetry.encoder.pretraining.prior.body import draw_body
from regimetry.encoder.pretraining.prior.cycles import draw_cycles
from regimetry.encoder.pretraining.prior.machine import draw_machine
from regimetry.encoder.pretraining.prior.path import draw_long_path
from regimetry.encoder.pretraining.prior.repeats import draw_repeats
from regimetry.report.colours import REGIME_COLOURS

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


def drawn_until(
    wanted: Callable[[Drawn], bool],
    allowed: tuple[str, ...] = ASPECTS,
    channels: int = 2,
    seed: int = 0,
) -> Drawn:
    """Return the first drawn series of 1024 rows and so many channels that is wanted.

    Channels that are rounded, clipped or late are passed over.
    """
    generator = np.random.default_rng(seed)
    without = set(ASPECTS) - set(allowed)
    while True:
        drawn = draw_series(generator, 1024, most_features=channels, without=without)
        whole = all(len(np.unique(channel)) > 1000 for channel in drawn.rows.T)
        if drawn.rows.shape[1] == channels and whole and wanted(drawn):
            return drawn


def n_stays(drawn: Drawn) -> int:
    """Return the number of stays of a series."""
    return 1 + int(np.count_nonzero(np.diff(drawn.states)))


def a_rare_state_shows(drawn: Drawn) -> bool:
    """Return whether a state of few rows is clearly wider than the others."""
    counts = np.bincount(drawn.states)
    rare = drawn.rows[drawn.states == counts.argmin()]
    return counts.min() < 50 and bool(rare.std() > 2.0)


def of_family(draw: Callable[..., tuple[NDArray[np.float64], frozenset[str]]], seed: int) -> Drawn:
    """Return two channels of long stays drawn by one family of processes."""
    generator = np.random.default_rng(seed)
    path = draw_long_path(generator, 1024)
    values, differ = draw(generator, path, 2, frozenset(ASPECTS))
    rows = ((values - values.mean(axis=0)) / values.std(axis=0)).astype(np.float32)
    return Drawn(rows, path.states, path.n_states, tuple(differ))


def prior_panels() -> dict[str, Drawn]:
    """Return a series of each aspect, of each family, and of each manner of visiting states."""
    also = {"kind": ("kind", "waveform", "jumps")}  # kinds that there are to choose from
    panels = {
        aspect: drawn_until(
            lambda d, aspect=aspect: (
                d.aspects == (aspect,) and d.n_states < 4 and 3 < n_stays(d) < 12
            ),
            also.get(aspect, (aspect,)),
            seed=seed,
        )
        for aspect, seed in zip(ASPECTS, (101, 101, 104, 102, 103, 104, 105, 102, 107), strict=True)
    }
    return panels | {
        "long cycles": of_family(draw_cycles, 5),
        "a body": of_family(draw_body, 0),
        "a machine": of_family(draw_machine, 4),
        "a rare state": drawn_until(a_rare_state_shows, ("volatility",)),
        "details of a cycle": of_family(draw_repeats, 5),
        "one regime (GARCH)": drawn_until(lambda d: d.n_states == 1, ("garch",)),
        "24 channels": drawn_until(
            lambda d: 3 < n_stays(d) < 8, ("level", "waveform"), channels=24
        ),
    }


def draw_prior(path: Path) -> None:
    """Draw series of the prior, the states of their rows in the background."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(4, 4, figsize=(9.5, 6.5), layout="constrained")
    for axis, (title, drawn) in zip(axes.flat, prior_panels().items(), strict=True):
        starts = np.flatnonzero(np.diff(drawn.states, prepend=-1, append=-1))
        for start, end in pairwise(starts):
            colour = REGIME_COLOURS[drawn.states[start]]
            axis.axvspan(start, end, color=colour, alpha=0.3, linewidth=0)
        spacing = 7.0 if drawn.rows.shape[1] < 3 else 3.0
        shifted = drawn.rows - spacing * np.arange(drawn.rows.shape[1])
        axis.plot(shifted, color="black", linewidth=0.35)
        axis.set_title(title, fontsize=9)
        axis.set(xlim=(0, len(drawn.rows)), xticks=[], yticks=[])
    figure.savefig(path, dpi=75, metadata={"Software": None})


if __name__ == "__main__":
    mpl.use("agg")
    draw_positions(IMAGES / "positions.png")
    draw_prior(IMAGES / "prior.png")
