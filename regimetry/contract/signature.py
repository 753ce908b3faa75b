"""The tensors of a graph: what it reads, what it gives, and how far two computations may differ.

One table has name, type, shape and tolerance of every output. The export assembles the graph from
it, the fit compares by it, and all code that opens, replays, serves or shows a model file reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from regimetry.contract import ModelContract

INPUT_NAME = "window"
SERIES_INPUT_NAME = "series"
FLOAT, INTEGER = np.dtype(np.float32), np.dtype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Output:
    """One output of the graph.

    Attributes
    ----------
    name : str
    dtype : dtype
    shape : tuple of {"D", "K"}
        Sizes after the batch, by letter: of the embedding, and the number of regimes.
    tolerance : float
        Largest difference that is allowed; for an integer, how many windows may differ.
    relative_to : float or None
        ``None``: the difference is absolute. A number: it is relative to the output's largest
        entry, or to this number where that is larger.
    """

    name: str
    dtype: np.dtype[Any] = FLOAT
    shape: tuple[str, ...] = ()
    tolerance: float
    relative_to: float | None = None


OUTPUTS = (
    Output(name="embedding", shape=("D",), tolerance=2e-5, relative_to=1e-30),
    Output(name="distance", shape=("K",), tolerance=1e-3),
    Output(name="regime", dtype=INTEGER, tolerance=0),
    Output(name="novelty", tolerance=1e-3, relative_to=1.0),
)
"""The outputs of every graph, in its order.

Every runtime adds in its own order: on the shipped model this changes the embedding by 1e-6
and distances by up to 3e-5. The tolerances leave room for wider encoders, and one changed weight
still exceeds them. The scale of an embedding is that of its weights, so its difference is relative.
Distances lie between 0 and 2, or 20 where single bars tell the regimes, and are compared with each
other, so their difference is absolute. Novelty is typically 1; a smaller one rounds as 1 does.
"""

OUTPUT_NAMES = tuple(output.name for output in OUTPUTS)

HINDSIGHT = Output(name="hindsight", shape=("K",), tolerance=1e-3)
"""The distances of the middle of a window, which a graph gives besides where its embeddings have
two halves and windows tell the regimes."""

ALL_OUTPUTS = (*OUTPUTS, HINDSIGHT)


class Tensor(NamedTuple):
    """One input or output of a model; ``shape`` leaves out the batch."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Signature:
    """The input and the outputs of a model."""

    input: Tensor
    outputs: tuple[Tensor, ...]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs, in the graph's order."""
        return [output.name for output in self.outputs]

    @classmethod
    def of(cls, contract: ModelContract, input_name: str = INPUT_NAME) -> Signature:
        """Return what a model's graph reads and gives.

        Parameters
        ----------
        contract : ModelContract
        input_name : {"window", "series"}
            The form of the graph. In the series form, the rows take the place of the batch.
        """
        shape = (contract.window_rows, contract.n_features)
        sizes = {"D": contract.embedding_size, "K": contract.n_regimes}
        return cls(
            Tensor(input_name, FLOAT, shape if input_name == INPUT_NAME else shape[1:]),
            output_tensors(sizes, hindsight=contract.hindsight == HINDSIGHT.name),
        )


def output_tensors(sizes: Mapping[str, int], *, hindsight: bool) -> tuple[Tensor, ...]:
    """Return the outputs with the letters of their shapes replaced by sizes."""
    return tuple(
        Tensor(output.name, output.dtype, tuple(sizes[letter] for letter in output.shape))
        for output in (ALL_OUTPUTS if hindsight else OUTPUTS)
    )
