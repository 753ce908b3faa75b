"""A model file, ready to run: numpy, onnxruntime and the extension, nothing else."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, Unpack

from regimetry.errors import DataWarning
from regimetry.runtime import live_outputs
from regimetry.runtime.bank import RegimeBank
from regimetry.runtime.batch import Advance
from regimetry.runtime.densities import DensityModel
from regimetry.runtime.given import Given
from regimetry.runtime.labelling import MISSING, at_bars, nearest_at_ends
from regimetry.runtime.modelfile import Settings
from regimetry.runtime.recursion import Labelling, Recursion, jump_path, running_mean
from regimetry.runtime.stream import Stream
from regimetry.series.time_options import TimeKeywords

TOLD_SHARE = 0.05
"""Of the bars: :meth:`RegimeModel.smooth` says it if more have the label of another bar."""

__all__ = ["MISSING", "Labelling", "RegimeModel", "load"]


class RegimeModel(DensityModel):
    """A fitted model, read from a file by :func:`regimetry.load`.

    Data are an array (T, F) in the model's column order, or a pandas, polars or Arrow table whose
    columns are found by name. A model that was fitted on features of bars takes the bars, here and
    wherever else it takes rows, and computes the features itself; a table that has no bars, but all
    features by name, is read as features. Results have one row per bar and the kind of the data.
    The first ``rows - 1`` bars have no full window and are missing. For many instruments, give a
    frame with a column that names them (``by``), or a mapping of names to arrays or frames: no
    window crosses from one into the next, each begins anew, and one that is shorter than a window
    is missing throughout. The times of frames are found, or named and described by keywords: see
    :meth:`label`. Arrays of float32 and float64 are not copied, memory-mapped files
    included: memory holds the results and a few batches.

    Rows with missing values, gaps in time and equal times are read by :attr:`rules`, those of the
    fit, or by others with :meth:`with_rules`. Methods that take data raise :class:`DataError` where
    they do not fit the model's columns, hold what the rules refuse, or are too short.

    Any number of threads may share a model. A :class:`Stream` belongs to one. In a forked process
    the model opens again by itself on the CPU and is refused on other devices. It pickles as its
    path, or as its content if it was made from bytes.

    Parameters
    ----------
    source : path or bytes
        The model file, or its content.
    sha256 : str or None
        The sum that the file must have, in hexadecimals; ``regimetry inspect`` prints it.
    **settings
        See :class:`~regimetry.runtime.modelfile.Settings`.

    Raises
    ------
    ModelError, DeviceError, ConfigError, InstallError
        As for :class:`~regimetry.runtime.modelfile.ModelFile`.
    """

    def label(
        self,
        data: Any,
        *,
        by: str | None = None,
        advance: Advance | None = None,
        **time: Unpack[TimeKeywords],
    ) -> Labelling:
        """Give every bar regime, probabilities, novelty and whether it is novel, causally.

        Parameters
        ----------
        data : array (T, F), frame or mapping
        by : str or None
            As for :meth:`outputs`.
        advance : callable or None
            As for :meth:`outputs`.
        **time
            ``time_column``, ``day_first``, ``time_format`` of frames: see
            :class:`~regimetry.series.time_options.TimeOptions`.

        Returns
        -------
        Labelling
            Every entry of bar t uses bars up to t.
        """
        given = self._given(data, by, time)
        outputs = ("distance", "novelty")
        return Labelling(*self._labelled(given, Labelling._fields, outputs, advance))

    def predict(
        self,
        data: Any,
        *,
        by: str | None = None,
        advance: Advance | None = None,
        **time: Unpack[TimeKeywords],
    ) -> Any:
        """Label every bar, causally: the label of bar t uses bars up to t.

        ``by``, ``advance`` and ``time`` are as for :meth:`label`.

        Returns
        -------
        ndarray of int64, shape (T,), or Series
            0 to K - 1; missing (-1 in an array) for the first bars.
        """
        given = self._given(data, by, time)
        distance = self._outputs(given, ("distance",), advance)["distance"]
        labels = Recursion.of(self.contract).labels(distance, given.boundaries)
        return given.per_bar(labels, ["regime"])

    def predict_proba(
        self, data: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]
    ) -> Any:
        """Return filtered probabilities: row t uses bars up to t.

        Returns
        -------
        ndarray of float64, shape (T, K), or DataFrame with the regimes' names
            NaN for the first bars. The largest of a row is the label that :meth:`predict` gives.
        """
        given = self._given(data, by, time)
        return self._labelled(given, ("probability",), ("distance",))[0]

    def novelty(self, data: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Return how improbable the window behind each bar is under those of training.

        Returns
        -------
        ndarray of float32, shape (T,), or Series
            The mixture of Gaussians of training gives the window's statistics a density p; novelty
            is ``sqrt(-2 log(p / p_max))`` over its median in training: 1 is typical. NaN for the
            first bars. Row t uses bars up to t.
        """
        given = self._given(data, by, time)
        return given.per_bar(self._outputs(given, ("novelty",))["novelty"], ["novelty"])

    def novel(self, data: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Say which bars belong to a state that training has not seen.

        The running mean of :meth:`novelty`, with the contract's ``novelty_memory``, exceeds
        ``novelty_threshold``. Training set it so that 5 % of known bars are flagged.

        Returns
        -------
        ndarray of bool, shape (T,), or Series
            Row t uses bars up to t; False for the first bars.
        """
        given, recursion = self._given(data, by, time), Recursion.of(self.contract)
        novelty = self._outputs(given, ("novelty",))["novelty"]
        means = running_mean(novelty, recursion.memory, given.boundaries)
        return given.per_bar(means > recursion.threshold, ["novel"])

    def smooth(self, data: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Label every bar with hindsight: **looks ahead**, for study only.

        The path of least cost through the whole series (Viterbi 1967). Where windows tell the
        regimes (``contract.evidence``), a window's label stands at its centre.

        Returns
        -------
        ndarray of int64, shape (T,), or Series
            Bars before the first label, and after the last, have the nearest one. Missing where
            there is no full window at all.

        Warns
        -----
        DataWarning
            More than one bar in twenty has its label from another.
        """
        given, contract = self._given(data, by, time), self.contract
        name = contract.hindsight
        distance = self._outputs(given, (name,))[name]
        path = jump_path(distance, contract.smooth_penalty, given.boundaries)
        labels = at_bars(given.panel, path, given.rows, earlier=contract.bars_until_label)
        labels, share = nearest_at_ends(given.panel, labels)
        if share > TOLD_SHARE:
            warnings.warn(
                f"{share:.0%} of the bars lie before the first label or after the last one, and "
                "have the nearest",
                DataWarning,
                stacklevel=2,
            )
        return given.panel.give(labels, ["regime"], missing=MISSING)

    def embed(
        self,
        data: Any,
        *,
        by: str | None = None,
        every_bar: bool = False,
        advance: Advance | None = None,
        **time: Unpack[TimeKeywords],
    ) -> Any:
        """Embed every full window.

        Parameters
        ----------
        data : array (T, F), frame or mapping
        by, advance, **time
            As for :meth:`label`.
        every_bar : bool
            Give the first ``rows - 1`` bars, which have no full window, a row of NaN.

        Returns
        -------
        ndarray of float32, shape (N, D) or (T, D), or DataFrame with columns e0, e1, ...
            Row i belongs to the window whose last bar is ``i + rows - 1``, or the bar under whose
            index it stands; with ``every_bar`` to bar i.
        """
        given = self._given(data, by, time)
        embedding = self._outputs(given, ("embedding",), advance)["embedding"]
        names = [f"e{i}" for i in range(embedding.shape[1])]
        if every_bar:
            return given.per_bar(embedding, names)
        return given.panel.give_rows(embedding, given.panel.ends(given.rows), names)

    def _labelled(
        self,
        given: Given,
        names: Sequence[str],
        outputs: Sequence[str],
        advance: Advance | None = None,
    ) -> list[Any]:
        """Return fields of the :class:`Labelling` that follows from these outputs, at their bars.

        Each instrument begins afresh.
        """
        found = self._outputs(given, outputs, advance)
        labels, _ = Recursion.of(self.contract)(
            found["distance"], found.get("novelty"), offsets=given.boundaries
        )
        regimes = [regime.name for regime in self.contract.regimes]
        return [
            given.per_bar(getattr(labels, name), regimes if name == "probability" else [name])
            for name in names
        ]

    def stream(
        self,
        *,
        outputs: Sequence[str] = live_outputs.DEFAULT,
        late: Literal["refuse", "skip"] = "refuse",
        instrument: str | None = None,
        max_jump: Any = None,
    ) -> Stream:
        """Start a live series, in which rows come one at a time.

        Parameters
        ----------
        outputs : sequence of str
            What a tick has: ``regime``, always there, ``novelty``, ``embedding``. The less, the
            faster; what is not asked for is ``None``. Names are those of :meth:`outputs`.
        late : {"refuse", "skip"}
            What becomes of a row whose timestamp is not after the last one: an error, or nothing.
        instrument : str or None
            Whose rows come, for a model that scales each instrument by itself. Rows of ``None``,
            and of an instrument that the fit has not seen, are read without scaling.
        max_jump : number, timedelta, timedelta64 or None
            How far a row's timestamp may lie behind the last one; a number is in seconds where
            timestamps are times. A row beyond is treated as a late one, and said by a
            ``DataWarning``, since one that is dated wrongly would make all later rows late. If the
            next row comes soon after it, time has really moved on, and goes on from there.
        """
        return Stream(self._file, outputs, late, instrument, rules=self.rules, max_jump=max_jump)

    def bank(
        self,
        n_streams: int,
        *,
        outputs: Sequence[str] = live_outputs.DEFAULT,
        capacity: int | None = None,
        instruments: Sequence[str] | None = None,
    ) -> RegimeBank:
        """Start many live series, whose rows come together.

        Parameters
        ----------
        n_streams : int
            Series that exist from the start.
        outputs : sequence of str
            What a push returns, as for :meth:`stream`.
        capacity : int or None
            The most there can be; ``n_streams`` by default.
        instruments : sequence of str or None
            Whose rows each series takes, as for :meth:`stream`.

        Raises
        ------
        ConfigError
            There is no such output.
        DataError
            Impossible numbers, or more than memory holds.
        """
        return RegimeBank(
            self._file,
            n_streams,
            outputs=outputs,
            capacity=capacity,
            instruments=instruments,
            rules=self.rules,
        )


def load(
    path: str | PathLike[str], *, sha256: str | None = None, **settings: Unpack[Settings]
) -> RegimeModel:
    """Open a model file.

    Parameters
    ----------
    path : str or PathLike
    sha256 : str or None
        The sum that the file must have, in hexadecimals, as ``regimetry inspect`` prints it. A file
        with another one is refused.
    **settings
        ``device``, ``providers``, ``threads``, ``batch_size``, ``arena``, ``warm_up``,
        ``cuda_graphs``: see :class:`~regimetry.runtime.modelfile.Settings`; errors as for
        :class:`RegimeModel`.
    """
    return RegimeModel(path, sha256=sha256, **settings)
