"""An encoder whose weights are settled: a part of the graph, and its twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import InstallError
from regimetry.export.assemble import assemble_encoder
from regimetry.export.part import EncoderPart
from regimetry.runtime.batch import run_gathered
from regimetry.runtime.shared_session import SharedSession
from regimetry.runtime.threads import available_threads
from regimetry.windows import rolling_windows

if TYPE_CHECKING:
    import keras


Twin = Callable[[NDArray[np.floating]], NDArray[np.floating]]
"""Preprocessed windows (N, W + reach, F) to embeddings (N, D)."""

BySeries = Callable[[NDArray[np.floating], int], NDArray[np.float32]]
"""Preprocessed rows (T, F) and a step to the embeddings (N, D) of the windows a step apart."""


@dataclass(frozen=True, kw_only=True)
class FittedEncoder:
    """An encoder of a fit.

    Attributes
    ----------
    description : dict
        Plain data: its configuration with window size and number of features set, or the layers
        of a model of the user's own.
    part : EncoderPart
        Writes it into a graph.
    twin : callable
        Embeds preprocessed windows by other code: the graph is compared with it.
    twin_is_fast : bool
        Whether it embeds all windows; otherwise those of the golden file.
    made_by_keras : bool
    keras_model : callable
        Gives it as a Keras model.
    history : mapping of str to list of float
        Loss curves; empty if untrained.
    device : str
        Where :meth:`embed` computes.
    by_series : callable or None
        Embeds every nth window of a series, where that takes less than one window after the other.
    halves : bool
        Embeddings have two halves, of the middle and of the newest rows of a window; see
        :class:`~regimetry.regimes.clustering.head.Head`.
    """

    description: dict[str, Any]
    part: EncoderPart
    twin: Twin
    twin_is_fast: bool
    made_by_keras: bool
    keras_model: Callable[[], keras.Model]
    history: Mapping[str, list[float]] = field(default_factory=dict)
    device: str = "cpu"
    by_series: BySeries | None = None
    halves: bool = False

    def embed(self, windows: NDArray[np.floating]) -> NDArray[np.float32]:
        """Embed windows (N, W + reach, F) by onnxruntime, as production does: (N, D)."""
        return run_gathered(self._session, windows, ("embedding",), threads=available_threads())[
            "embedding"
        ]

    def embed_series(
        self, rows: NDArray[np.floating], window_rows: int, step: int = 1
    ) -> NDArray[np.float32]:
        """Embed the windows of ``window_rows`` rows that begin every ``step`` rows: (N, D)."""
        if self.by_series is not None:
            return self.by_series(rows, step)
        return self.embed(rolling_windows(rows, window_rows)[::step])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_session"}

    @cached_property
    def _session(self) -> SharedSession:
        return SharedSession(assemble_encoder(self.part).SerializeToString(), device=self.device)


def require_keras(what: str) -> None:
    """Raise :class:`InstallError` unless what only Keras does can be done."""
    try:
        import tensorflow  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise InstallError(
            f"{what} needs TensorFlow and tf2onnx, and {error.name} is not installed. Run: pip "
            "install 'regimetry[train]', or fit an EncoderConfig with objective=None."
        ) from error
