"""The results of a fit: encoder, head and the evidence that tells the regimes apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regimetry.fit.options import FitOptions
from regimetry.regimes.clustering.head import Head
from regimetry.series.preprocessing import Preprocessing
from regimetry.windows import Windows

if TYPE_CHECKING:
    from regimetry.contract import Alignment, Candidate
    from regimetry.fit.fitted_encoder import FittedEncoder
    from regimetry.regimes.density.fit import FittedDensity
    from regimetry.regimes.evidence.refine import Refinement
    from regimetry.regimes.novelty import NoveltyMap


@dataclass(frozen=True)
class Learned:
    """What a fit learned.

    Attributes
    ----------
    preprocessing : Preprocessing
    encoder : FittedEncoder
    read : Windows, shape (N, W + reach, F)
        The training windows, preprocessed, as the encoder reads them.
    windows : Windows, shape (N, W, F)
        Their last W rows.
    embeddings : ndarray of float32, shape (N, D)
        Of these, by onnxruntime.
    head : Head
        Finds the regimes, and tells them apart by whole windows.
    candidates : tuple of Candidate
        Of window size and number of regimes; one is chosen.
    refinement : Refinement or None
        Tells the same regimes apart by single bars; ``None`` where the head does it itself.
    density : FittedDensity or None
        Of the next row in each regime; ``None`` where there are too few rows.
    single_density : FittedDensity or None
        Of the next row in one regime for all; ``None`` where there is one regime alone.
    novelty : NoveltyMap
    novelty_threshold : float
        Of its running mean; 5 % of known bars exceed it.
    alignment : Alignment or None
        How the regimes stand to an earlier model's.
    """

    preprocessing: Preprocessing
    encoder: FittedEncoder
    read: Windows
    windows: Windows
    embeddings: NDArray[np.float32]
    head: Head
    candidates: tuple[Candidate, ...]
    refinement: Refinement | None
    density: FittedDensity | None
    single_density: FittedDensity | None
    novelty: NoveltyMap
    novelty_threshold: float
    alignment: Alignment | None = None

    def penalties(self, options: FitOptions) -> tuple[float, float]:
        """Return the prices of a change, causal and whole-series: as given, or the defaults."""
        causal, whole = penalties_of(self.head, self.refinement)
        given, given_whole = options.jump_penalty, options.smooth_penalty
        return (
            causal if given == "auto" else float(given),
            whole if given_whole == "auto" else float(given_whole),
        )

    @cached_property
    def distance(self) -> NDArray[np.float64]:
        """The cost of each regime in each training window, (N, K)."""
        return self.told(self.windows, self.embeddings)["distance"]

    def told(
        self, windows: Windows, embeddings: NDArray[np.floating]
    ) -> dict[str, NDArray[np.float64]]:
        """Return the costs (N, K) of each regime in windows (N, W, F) with their embeddings.

        As the graph's outputs that are of regimes: ``distance``, and ``hindsight`` if there is one.
        """
        if self.refinement is None:
            return self.head.outputs(embeddings)
        return {"distance": windows.map(self.refinement.emission.costs)}

    def reordered(self, order: NDArray[np.integer]) -> Learned:
        """Return the same with regime ``order[new]`` at place ``new``."""
        refinement = None if self.refinement is None else self.refinement.reordered(order)
        density = None if self.density is None else self.density.reordered(order)
        return replace(
            self, head=self.head.reordered(order), refinement=refinement, density=density
        )


def penalties_of(head: Head, refinement: Refinement | None) -> tuple[float, float]:
    """Return the default prices of a change for the evidence, causal and whole-series."""
    if refinement is None:
        return head.causal_penalty, head.penalty
    return refinement.causal_penalty, refinement.penalty
