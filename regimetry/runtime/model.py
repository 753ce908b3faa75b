"""A model file, ready to run: numpy, onnxruntime and the extension, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import OUTPUT_NAMES, ModelContract
from regimetry.errors import DataError
from regimetry.parameters import require_choice
from regimetry.runtime.bank import RegimeBank
from regimetry.runtime.batch import Advance, run_gathered, run_windows
from regimetry.runtime.given import require_windows
from regimetry.runtime.jump import jump_forward, jump_labels, jump_path
from regimetry.runtime.labelling import MISSING, Labelling, per_bar
from regimetry.runtime.modelfile import ModelFile, Settings
from regimetry.runtime.novelty import exceeds, running_mean
from regimetry.runtime.probability import probabilities
from regimetry.runtime.stream import Stream
from regimetry.series.frames import is_frame
from regimetry.series.panel import Panel, as_panel
from regimetry.series.preprocessing import log_columns, require_positive

__all__ = ["MISSING", "Labelling", "RegimeModel", "load"]


class RegimeModel:
    """A fitted model, read from a file by :func:`regimetry.load`.

    Data are an array (T, F) in the model's column order, or a pandas, polars or Arrow table whose
    columns are found by name. Results have one row a bar and come in the kind that was given. The
    first ``contract.window_rows - 1`` bars have no full window behind them and are missing. Of many
    instruments give a frame with a column that names them (``by``) or a mapping of names to arrays
    or frames: no window crosses from one into the next, every one begins afresh, and one that is
    shorter than a window is missing throughout. Arrays
    of float32 and float64 are read where they lie, memory-mapped files included: memory holds the
    results and a few batches.

    Methods that take data raise :class:`DataError` where they do not fit the model's columns, are
    not finite, or are too short.

    Any number of threads may share a model. A :class:`Stream` belongs to one. In a forked process
    the model opens again by itself on the CPU and is refused elsewhere. It pickles as its path, or
    as its content where it was made from bytes.

    Parameters
    ----------
    source : path or bytes
        The model file, or its content.
    **settings
        See :class:`~regimetry.runtime.modelfile.Settings`.

    Raises
    ------
    ModelError, DeviceError, ConfigError, InstallError
        As for :class:`~regimetry.runtime.modelfile.ModelFile`.
    """

    def __init__(self, source: str | PathLike[str] | bytes, **settings: Unpack[Settings]) -> None:
        self._file = ModelFile(source, **settings)

    def __repr__(self) -> str:
        contract = self.contract
        return (
            f"RegimeModel(n_regimes={contract.n_regimes}, window_size={contract.window_size}, "
            f"columns={contract.schema.names})"
        )

    @property
    def contract(self) -> ModelContract:
        """What the file says about itself."""
        return self._file.contract

    @property
    def device(self) -> str:
        """The execution provider that computes, as onnxruntime names it."""
        return self._file.session.provider

    @property
    def content(self) -> bytes:
        """The content of the model file."""
        return self._file.content

    def label(
        self, data: Any, *, by: str | None = None, advance: Advance | None = None
    ) -> Labelling:
        """Give every bar regime, probabilities, novelty and whether it is novel, causally.

        Parameters
        ----------
        data : array (T, F), frame or mapping
        by : str or None
            As for :meth:`outputs`.
        advance : callable or None
            As for :meth:`outputs`.

        Returns
        -------
        Labelling
            Every entry of bar t uses bars up to t.
        """
        panel = self._panel(data, by)
        outputs = self.outputs_of(panel, ("distance", "novelty"), advance)
        labels, costs = self._labels(panel, outputs["distance"])
        return Labelling(
            regime=self._per_bar(panel, labels, ["regime"]),
            probability=self._probability(panel, costs),
            novelty=self._per_bar(panel, outputs["novelty"], ["novelty"]),
            novel=self._novel(panel, outputs["novelty"]),
        )

    def predict(self, data: Any, *, by: str | None = None) -> Any:
        """Label every bar, causally: the label of bar t uses bars up to t.

        Returns
        -------
        ndarray of int64, shape (T,), or Series
            0 to K - 1; missing (-1 in an array) for the first bars.
        """
        panel = self._panel(data, by)
        distance = self.outputs_of(panel, ("distance",))["distance"]
        labels, _ = jump_labels(
            distance, self.contract.jump_penalty, offsets=self._boundaries(panel)
        )
        return self._per_bar(panel, labels, ["regime"])

    def predict_proba(self, data: Any, *, by: str | None = None) -> Any:
        """Return filtered probabilities: row t uses bars up to t.

        Returns
        -------
        ndarray of float64, shape (T, K), or DataFrame with the regimes' names
            NaN for the first bars. The largest of a row is the label that :meth:`predict` gives.
        """
        panel = self._panel(data, by)
        _, costs = self._labels(panel, self.outputs_of(panel, ("distance",))["distance"])
        return self._probability(panel, costs)

    def novelty(self, data: Any, *, by: str | None = None) -> Any:
        """Return how improbable the window behind each bar is under those of training.

        Returns
        -------
        ndarray of float32, shape (T,), or Series
            The mixture of Gaussians of training gives the window's statistics a density p; novelty
            is ``sqrt(-2 log(p / p_max))`` over its median in training: 1 is typical. NaN for the
            first bars. Row t uses bars up to t.
        """
        panel = self._panel(data, by)
        return self._per_bar(panel, self.outputs_of(panel, ("novelty",))["novelty"], ["novelty"])

    def novel(self, data: Any, *, by: str | None = None) -> Any:
        """Say which bars belong to a state that training has not seen.

        The running mean of :meth:`novelty`, with the contract's ``novelty_memory``, exceeds
        ``novelty_threshold``. Training set it so that 5 % of known bars are flagged.

        Returns
        -------
        ndarray of bool, shape (T,), or Series
            Row t uses bars up to t; False for the first bars.
        """
        panel = self._panel(data, by)
        return self._novel(panel, self.outputs_of(panel, ("novelty",))["novelty"])

    def smooth(self, data: Any, *, by: str | None = None) -> Any:
        """Label every bar with hindsight: **looks ahead**, for study only.

        The path of least cost through the whole series (Viterbi 1967). Where windows tell the
        regimes (``contract.evidence``), a window's label stands at its centre.

        Returns
        -------
        ndarray of int64, shape (T,), or Series
            Missing where there is no full window: at the start, and where windows tell the regimes
            for half a window at either end.
        """
        panel = self._panel(data, by)
        labels = jump_path(
            self.outputs_of(panel, ("distance",))["distance"],
            self.contract.smooth_penalty,
            offsets=self._boundaries(panel),
        )
        return self._per_bar(panel, labels, ["regime"], earlier=self.contract.bars_until_label)

    def embed(self, data: Any, *, by: str | None = None, advance: Advance | None = None) -> Any:
        """Embed every full window; ``by`` and ``advance`` are as for :meth:`outputs`.

        Returns
        -------
        ndarray of float32, shape (N, D), or DataFrame with columns e0, e1, ...
            Row i belongs to the window whose last bar is ``i + contract.window_rows - 1``, or the
            bar under whose index it stands.
        """
        panel = self._panel(data, by)
        embedding = self.outputs_of(panel, ("embedding",), advance)["embedding"]
        names = [f"e{i}" for i in range(embedding.shape[1])]
        return panel.give_rows(embedding, panel.ends(self.contract.window_rows), names)

    def outputs(
        self,
        data: Any,
        names: Sequence[str] = OUTPUT_NAMES,
        *,
        by: str | None = None,
        advance: Advance | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Return the graph's own outputs for every full window, in one pass.

        Parameters
        ----------
        data : array (T, F), frame or mapping
        names : sequence of str
            Which of ``embedding`` (N, D), ``distance`` (N, K), ``regime`` (N,), ``novelty`` (N,).
        by : str or None
            Column of a frame that names the instrument of each row; ``None`` takes the one of
            training, where the frame has it.
        advance : callable or None
            Called with how many more windows are done, now and then, from any thread.

        Returns
        -------
        dict of str to ndarray
            The windows of an instrument lie together: those of a mapping in its order, those of a
            long frame in order of their names.
        """
        return self.outputs_of(self._panel(data, by), names, advance)

    def _panel(self, data: Any, by: str | None) -> Panel:
        """Check data, and bring each instrument's rows to common units."""
        contract = self.contract
        schema = contract.schema
        if by is not None and is_frame(data) and by not in data.columns:
            raise DataError(
                f"There is no column {by!r}; the columns are {', '.join(data.columns)}."
            )
        panel = as_panel(data, schema, by=contract.by if by is None else by)
        require_positive(panel.values, log_columns(contract.transforms), schema.feature_names)
        return panel.scaled(contract.scaling)

    def outputs_of(
        self, panel: Panel, names: Sequence[str] = OUTPUT_NAMES, advance: Advance | None = None
    ) -> dict[str, NDArray[Any]]:
        """Return :meth:`outputs` of a panel in the model's column order and in common units."""
        file, rows = self._file, self.contract.window_rows
        if panel.instruments is None and len(panel.values) < rows:
            raise DataError(
                f"The data have {len(panel.values)} rows; the model reads {rows} at once. "
                "Give more history."
            )
        return run_windows(
            file.session,
            panel.values,
            names,
            starts=None if panel.instruments is None else panel.ends(rows) - (rows - 1),
            threads=file.threads,
            batch_size=file.batch_size,
            advance=advance,
        )

    def _boundaries(self, panel: Panel) -> NDArray[np.int64]:
        return panel.boundaries(self.contract.window_rows)

    def _labels(
        self, panel: Panel, distance: NDArray[np.floating]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return causal labels (N,) and costs (N, K); each instrument begins afresh."""
        return jump_forward(distance, self.contract.jump_penalty, offsets=self._boundaries(panel))

    def run(
        self, windows: NDArray[np.floating], outputs: Sequence[str] = OUTPUT_NAMES
    ) -> dict[str, NDArray[Any]]:
        """Return the graph's own outputs for windows (B, R, F) that need not follow each other.

        Row i uses window i alone; ``outputs`` names which to give, as for :meth:`outputs`.
        """
        for name in outputs:
            require_choice("outputs", name, OUTPUT_NAMES)
        require_windows(windows, self.contract)
        file = self._file
        return run_gathered(
            file.session, windows, outputs, threads=file.threads, batch_size=file.batch_size
        )

    def stream(
        self, *, late: Literal["refuse", "skip"] = "refuse", instrument: str | None = None
    ) -> Stream:
        """Start a live series, in which rows come one at a time.

        Parameters
        ----------
        late : {"refuse", "skip"}
            What becomes of a row whose timestamp is not after the last one: an error, or nothing.
        instrument : str or None
            Whose rows come, of a model that reads each in its own units; ``None``, and an
            instrument that the fit has not seen: they are read as they are.
        """
        return Stream(self._file.session, self.contract, late, instrument)

    def bank(
        self,
        n_streams: int,
        *,
        capacity: int | None = None,
        instruments: Sequence[str] | None = None,
    ) -> RegimeBank:
        """Start many live series, whose rows come together.

        Parameters
        ----------
        n_streams : int
            Series that exist from the start.
        capacity : int or None
            The most there can be; ``n_streams`` by default.
        instruments : sequence of str or None
            Whose rows each series takes, as for :meth:`stream`.

        Raises
        ------
        DataError
            Impossible numbers, or more than memory holds.
        """
        return RegimeBank(self._file, n_streams, capacity=capacity, instruments=instruments)

    def _probability(self, panel: Panel, costs: NDArray[np.float64]) -> Any:
        names = [regime.name for regime in self.contract.regimes]
        return self._per_bar(panel, probabilities(costs, self.contract.sharpness), names)

    def _novel(self, panel: Panel, novelty: NDArray[np.float32]) -> Any:
        contract = self.contract
        mean = running_mean(novelty, contract.novelty_memory, self._boundaries(panel))
        return self._per_bar(panel, exceeds(mean, contract.novelty_threshold), ["novel"])

    def _per_bar(
        self, panel: Panel, values: NDArray[Any], names: list[str], *, earlier: int = 0
    ) -> Any:
        return per_bar(panel, values, names, self.contract.window_rows, earlier=earlier)


def load(path: str | PathLike[str], **settings: Unpack[Settings]) -> RegimeModel:
    """Open a model file.

    Parameters
    ----------
    path : str or PathLike
    **settings
        ``device``, ``providers``, ``threads``, ``batch_size``, ``arena``, ``warm_up``,
        ``cuda_graphs``: see :class:`~regimetry.runtime.modelfile.Settings`; errors as for
        :class:`RegimeModel`.
    """
    return RegimeModel(path, **settings)
