"""An open model file: what it says about itself, and what its graph gives for data."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import OUTPUT_NAMES, ModelContract
from regimetry.errors import DataError
from regimetry.runtime.batch import Advance, run_gathered, run_windows
from regimetry.runtime.given import Given, as_given, graph_windows, require_windows
from regimetry.runtime.modelfile import ModelFile, Settings
from regimetry.series.panel import Panel
from regimetry.series.schema import Schema


class OpenModel:
    """The base of :class:`~regimetry.RegimeModel`."""

    def __init__(
        self,
        source: str | PathLike[str] | bytes,
        *,
        sha256: str | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        self._file = ModelFile(source, sha256=sha256, **settings)

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
        return self._file.provider

    @property
    def schema(self) -> Schema:
        """Columns of the rows that the model takes: the graph's, or those of bars."""
        return self._file.schema

    @property
    def rows(self) -> int:
        """Rows that a label needs: ``contract.window_rows``, and the warm-up of features."""
        return self._file.rows

    @property
    def content(self) -> bytes:
        """The content of the model file."""
        return self._file.graph.content

    @property
    def sha256(self) -> str:
        """SHA-256 of the content, in hexadecimals."""
        return self._file.graph.sha256

    @property
    def sealed(self) -> bool:
        """Whether the file ends with its seal, which was checked; of formats 1 to 3 none does."""
        return self._file.graph.seal is not None

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
            Called at times, from any thread, with the number of windows done since.

        Returns
        -------
        dict of str to ndarray
            The windows of an instrument lie together: those of a mapping in its order, those of a
            long frame in order of their names.
        """
        return self._outputs(as_given(data, self.contract, by), names, advance)

    def outputs_of(
        self, panel: Panel, names: Sequence[str] = OUTPUT_NAMES, advance: Advance | None = None
    ) -> dict[str, NDArray[Any]]:
        """Return :meth:`outputs` of a panel in the graph's column order and in common units."""
        return self._outputs(Given(panel, panel, self.contract.window_rows), names, advance)

    def _outputs(
        self, given: Given, names: Sequence[str], advance: Advance | None = None
    ) -> dict[str, NDArray[Any]]:
        file, rows, panel = self._file, self.contract.window_rows, given.read
        if panel.instruments is None and len(given.panel.values) < given.rows:
            raise DataError(
                f"The data have {len(given.panel.values)} rows; the model reads {given.rows} at "
                "once. Give more history."
            )
        return run_windows(
            file.session(names),
            panel.values,
            names,
            starts=None if panel.instruments is None else panel.ends(rows) - (rows - 1),
            threads=file.threads,
            batch_size=file.batch_size,
            advance=advance,
        )

    def run(
        self, windows: NDArray[np.floating], outputs: Sequence[str] = OUTPUT_NAMES
    ) -> dict[str, NDArray[Any]]:
        """Return the graph's own outputs for windows that need not follow each other.

        Parameters
        ----------
        windows : ndarray of float, shape (B, rows, F)
            Of the model's columns, or of bars (B, rows, C). Row i of a result uses window i alone.
        outputs : sequence of str
            As for :meth:`outputs`.
        """
        file = self._file
        session = file.session(outputs)
        require_windows(windows, file)
        return run_gathered(
            session,
            graph_windows(file, windows),
            outputs,
            threads=file.threads,
            batch_size=file.batch_size,
        )
