"""An open model file: what it says about itself, and what its graph gives for data."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from os import PathLike
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import OUTPUT_NAMES, ModelContract
from regimetry.contract.card import model_html
from regimetry.errors import DataError
from regimetry.runtime.batch import Advance, run_gathered, run_windows
from regimetry.runtime.given import Given, as_given, graph_windows, require_windows
from regimetry.runtime.modelfile import ModelFile, Settings
from regimetry.series.panel import Panel
from regimetry.series.rules import ReadingRules
from regimetry.series.schema import Schema
from regimetry.series.time_options import TimeKeywords, TimeOptions


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
        self._rules = self._file.contract.reading

    def __repr__(self) -> str:
        contract = self.contract
        return (
            f"RegimeModel(n_regimes={contract.n_regimes}, window_size={contract.window_size}, "
            f"columns={contract.schema.names})"
        )

    def _repr_html_(self) -> str:
        return model_html(self.contract)

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
    def rules(self) -> ReadingRules:
        """How rows are read: those of the fit, unless :meth:`with_rules` made this model."""
        return self._rules

    def with_rules(self, **changes: Any) -> Self:
        """Return the same open file that reads rows by other rules than those of the fit.

        Parameters
        ----------
        **changes
            Fields of :class:`~regimetry.series.rules.ReadingRules`, such as ``missing="gap"``. A
            ``max_gap`` of "auto" is that of the fit.
        """
        if changes.get("max_gap") == "auto":
            changes["max_gap"] = self.contract.reading.max_gap
        other = copy(self)
        other._rules = replace(self._rules, **changes)
        return other

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
        **time: Unpack[TimeKeywords],
    ) -> dict[str, NDArray[Any]]:
        """Return the graph's own outputs for every full window, in one pass.

        Parameters
        ----------
        data : array (T, F), frame or mapping
        names : sequence of str
            Which of ``embedding`` (N, D), ``distance`` (N, K), ``regime`` (N,), ``novelty`` (N,);
            ``hindsight`` (N, K) where ``contract.hindsight`` names it, which is not among these
            unless asked for.
        by : str or None
            Column of a frame that names the instrument of each row; ``None`` takes the one of
            training, where the frame has it.
        advance : callable or None
            Called at times, from any thread, with the number of windows done since.
        **time
            Of frames, as for :class:`~regimetry.series.time_options.TimeOptions`.

        Returns
        -------
        dict of str to ndarray
            The windows of an instrument lie together: those of a mapping in its order, those of a
            long frame in order of their names.
        """
        return self._outputs(self._given(data, by, time), names, advance)

    def _given(self, data: Any, by: str | None, time: TimeKeywords) -> Given:
        return as_given(data, self.contract, by, self._rules, TimeOptions(**time))

    def outputs_of(
        self, panel: Panel, names: Sequence[str] = OUTPUT_NAMES, advance: Advance | None = None
    ) -> dict[str, NDArray[Any]]:
        """Return :meth:`outputs` of a panel in the graph's column order and in common units."""
        return self._outputs(Given(panel, panel, self.contract.window_rows), names, advance)

    def _outputs(
        self, given: Given, names: Sequence[str], advance: Advance | None = None
    ) -> dict[str, NDArray[Any]]:
        file, rows, panel = self._file, self.contract.window_rows, given.read
        whole = len(panel.lengths) == 1
        if panel.instruments is None and not (given.panel.lengths >= given.rows).any():
            raise DataError(too_short(given.panel, given.rows))
        return run_windows(
            file.session(names),
            panel.values,
            names,
            starts=None if whole and len(panel.values) >= rows else panel.ends(rows) - (rows - 1),
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


def too_short(panel: Panel, rows: int) -> str:
    """Say that no segment of one series holds a window of ``rows`` rows."""
    if len(panel.lengths) < 2:
        return (
            f"The data have {len(panel.values)} rows; the model reads {rows} at once. Give more "
            "history."
        )
    return (
        f"The data fall into {len(panel.lengths)} segments, the longest of {panel.lengths.max()} "
        f"rows; the model reads {rows} at once. Give a longer max_gap, fill missing values forward "
        "(missing='ffill'), or fit with a smaller window_size."
    )
