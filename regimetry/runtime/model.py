"""A model file, ready to run: numpy, onnxruntime and the extension, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import INPUT_NAME, OUTPUT_NAMES, ModelContract
from regimetry.errors import DataError, ModelError
from regimetry.runtime.batch import run_windows
from regimetry.runtime.jump import jump_forward, jump_path
from regimetry.runtime.probability import probabilities
from regimetry.runtime.session import available_threads, open_session
from regimetry.runtime.stream import Stream
from regimetry.series.frames import is_frame, like_frame
from regimetry.series.preprocessing import log_columns, require_positive
from regimetry.series.series import as_series
from regimetry.windows import rolling_windows

MISSING = -1
"""The label of a bar that has none, in numpy results; frames get their own missing value."""


@dataclass(frozen=True)
class Labelling:
    """What the model says of every bar, in the kind of the data; bar t knows bars up to t.

    Attributes
    ----------
    regime : ndarray of int64, shape (T,), or Series
    probability : ndarray of float64, shape (T, K), or DataFrame
    novelty : ndarray of float32, shape (T,), or Series
    """

    regime: Any
    probability: Any
    novelty: Any


class RegimeModel:
    """A fitted model, read from a file by :func:`regimetry.load`.

    Data are an array (T, F) in the model's column order, or a pandas or polars frame whose columns
    are found by name. Results have one row a bar and come in the kind that was given. The first
    ``contract.window_rows - 1`` bars have no full window behind them and are missing.

    Methods may be called from several threads; a :class:`Stream` belongs to one.

    Parameters
    ----------
    source : path or bytes
        The model file, or its content.
    device : {"auto", "cpu", "cuda", "cuda:N"}
        Only "auto" may fall back to the CPU.
    threads : int or None
        Threads for batches; ``None`` takes the CPUs this process may use. Streams use one, where
        more only raise the slowest tick.

    Raises
    ------
    ModelError
        The file is missing, damaged, or not a regimetry model.
    DeviceError
        The device did not load.
    InstallError
        Neither or both onnxruntime distributions are installed.
    """

    def __init__(
        self,
        source: str | PathLike[str] | bytes,
        *,
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        self._source = source if isinstance(source, bytes) else Path(source)
        self._device = device
        self._threads = threads or available_threads()
        name = "The model" if isinstance(self._source, bytes) else str(self._source)
        self._session = open_session(self._source, device=device, threads=self._threads)
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.contract = ModelContract.from_metadata(metadata, name)
        self._names = self.contract.schema.feature_names
        self._logs = log_columns(self.contract.transforms)
        _require_signature(self._session, self.contract, name)

    def __repr__(self) -> str:
        contract = self.contract
        return (
            f"RegimeModel(n_regimes={contract.n_regimes}, window_size={contract.window_size}, "
            f"columns={contract.schema.names})"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {"source": self._source, "device": self._device, "threads": self._threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        RegimeModel.__init__(
            self, state["source"], device=state["device"], threads=state["threads"]
        )

    @property
    def content(self) -> bytes:
        """The content of the model file."""
        return self._source if isinstance(self._source, bytes) else self._source.read_bytes()

    @cached_property
    def _stream_session(self) -> Any:
        if self._threads == 1:
            return self._session
        return open_session(self._source, device=self._device, threads=1)

    def label(self, data: Any) -> Labelling:
        """Give every bar its regime, probabilities and novelty in one pass, causally.

        Parameters
        ----------
        data : array (T, F) or frame

        Returns
        -------
        Labelling
            Every entry of bar t uses bars up to t.

        Raises
        ------
        DataError
            The data do not fit the model's columns, are not finite, or are too short.
        """
        outputs = self.outputs(data)
        labels, costs = jump_forward(outputs["distance"], self.contract.jump_penalty)
        probability = probabilities(costs, self.contract.sharpness)
        names = [regime.name for regime in self.contract.regimes]
        return Labelling(
            regime=self._per_bar(data, labels, ["regime"]),
            probability=self._per_bar(data, probability, names),
            novelty=self._per_bar(data, outputs["novelty"], ["novelty"]),
        )

    def predict(self, data: Any) -> Any:
        """Label every bar, causally: the label of bar t uses bars up to t.

        Parameters
        ----------
        data : array (T, F) or frame

        Returns
        -------
        ndarray of int64, shape (T,), or Series
            0 to K - 1; missing (-1 in an array) for the first bars.

        Raises
        ------
        DataError
            As for :meth:`label`.
        """
        return self.label(data).regime

    def predict_proba(self, data: Any) -> Any:
        """Return filtered probabilities: row t uses bars up to t.

        Parameters
        ----------
        data : array (T, F) or frame

        Returns
        -------
        ndarray of float64, shape (T, K), or DataFrame with the regimes' names
            NaN for the first bars. The largest of a row is the label that :meth:`predict` gives.

        Raises
        ------
        DataError
            As for :meth:`label`.
        """
        return self.label(data).probability

    def novelty(self, data: Any) -> Any:
        """Return how far the window behind each bar lies from all that training saw.

        Parameters
        ----------
        data : array (T, F) or frame

        Returns
        -------
        ndarray of float32, shape (T,), or Series
            1 is typical of training; NaN for the first bars. Row t uses bars up to t.

        Raises
        ------
        DataError
            As for :meth:`label`.
        """
        return self.label(data).novelty

    def smooth(self, data: Any) -> Any:
        """Label every bar with hindsight: **looks ahead**, for study only.

        The path of least cost through the whole series (Viterbi 1967), with a window's label at
        its centre.

        Parameters
        ----------
        data : array (T, F) or frame

        Returns
        -------
        ndarray of int64, shape (T,), or Series
            Missing for the half window at either end.

        Raises
        ------
        DataError
            As for :meth:`label`.
        """
        labels = jump_path(self.outputs(data)["distance"], self.contract.smooth_penalty)
        return self._per_bar(data, labels, ["regime"], after=self.contract.window_size // 2)

    def embed(self, data: Any) -> NDArray[np.float32]:
        """Embed every full window.

        Parameters
        ----------
        data : array (T, F) or frame

        Returns
        -------
        ndarray of float32, shape (N, D)
            Row i belongs to the window whose last bar is ``i + contract.window_rows - 1``.

        Raises
        ------
        DataError
            As for :meth:`label`.
        """
        return self.outputs(data)["embedding"]

    def outputs(self, data: Any) -> dict[str, NDArray[Any]]:
        """Return the graph's own outputs for every full window, in one pass.

        Parameters
        ----------
        data : array (T, F) or frame

        Returns
        -------
        dict
            ``embedding`` (N, D), ``distance`` (N, K), ``regime`` (N,), ``novelty`` (N,).

        Raises
        ------
        DataError
            As for :meth:`label`.
        """
        series = as_series(data, self.contract.schema)
        rows = self.contract.window_rows
        if len(series.values) < rows:
            raise DataError(
                f"The data have {len(series.values)} rows; the model reads {rows} at once. "
                "Give more history."
            )
        require_positive(series.values, self._logs, self._names)
        windows = rolling_windows(series.values, rows)
        return dict(
            zip(OUTPUT_NAMES, run_windows(self._session, windows, OUTPUT_NAMES), strict=True)
        )

    def stream(self) -> Stream:
        """Start a live series, in which rows come one at a time."""
        return Stream(self._stream_session, self.contract)

    def _per_bar(self, data: Any, values: NDArray[Any], names: list[str], *, after: int = 0) -> Any:
        """Put window results at bars: ``after`` bars before each window's last one."""
        before = self.contract.window_rows - 1 - after
        missing = MISSING if values.dtype.kind == "i" else np.nan
        shape = (len(values) + before + after, *values.shape[1:])
        result = np.full(shape, missing, dtype=values.dtype)
        result[before : before + len(values)] = values
        return like_frame(data, result, names, missing=MISSING) if is_frame(data) else result


def _require_signature(session: Any, contract: ModelContract, name: str) -> None:
    found = {item.name: list(item.shape[1:]) for item in session.get_inputs()}
    found |= {item.name: list(item.shape[1:]) for item in session.get_outputs()}
    expected = {
        INPUT_NAME: [contract.window_rows, contract.n_features],
        "embedding": [contract.embedding_size],
        "distance": [contract.n_regimes],
        "regime": [],
        "novelty": [],
    }
    if found != expected:
        raise ModelError(
            f"The graph of {name} has inputs and outputs {found}; its metadata promise {expected}. "
            "The file was changed after it was written; fit and save again."
        )


def load(
    path: str | PathLike[str], *, device: str = "auto", threads: int | None = None
) -> RegimeModel:
    """Open a model file; see :class:`RegimeModel` for parameters and errors."""
    return RegimeModel(path, device=device, threads=threads)
