"""The estimator: a series in; windows, encoder, regimes and export; a model file out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin

from regimetry.encoder.config import EncoderConfig
from regimetry.encoder.pretraining.config import PretrainedEncoder
from regimetry.errors import ConfigError
from regimetry.fit.options import FitOptions
from regimetry.fit.source import Source, panel_source, require_columns_of_options
from regimetry.fit.stages import Stages
from regimetry.fit.verbs import FittedVerbs
from regimetry.series.plain_frames import is_frame
from regimetry.series.rules import ReadingRules
from regimetry.series.time_options import TimeKeywords, TimeOptions

if TYPE_CHECKING:
    import keras

    from regimetry.fit.learned import Learned
    from regimetry.fit.package import Packaged
    from regimetry.fit.rows import TrainingRows
    from regimetry.series.features import OhlcvFeatures


class RegimeDetector(FittedVerbs, ClusterMixin, BaseEstimator):
    """Finds the regimes of a multivariate series, and makes the model file that recognises them.

    The T rows are in time order; unlike in most of scikit-learn, they are not exchangeable.

    :class:`~regimetry.fit.options.FitOptions` checks the parameters and describes them in detail.

    Parameters
    ----------
    window_size : int or "auto"
        W, number of bars that a label uses; "auto" chooses it together with K.
    n_regimes : int or "auto"
        K; "auto" takes one whose regimes are told apart at other times, last, and are stable.
    unit : str
        What a row is called in tables and messages, in one word, such as "bar" or "sample".
    names : "auto", sequence of str, mapping of int to str, or None
        Of the regimes: "auto" calls them by what they are, such as "calm rise" or "high pressure".
        Those of ``align_to`` keep their names; without names, regimes are numbers.
    min_dwell : int or None
        For "auto", the shortest time that a regime lasts, in bars; ``None`` sets no bound.
    align_to : path, RegimeModel, fitted RegimeDetector or None
        Earlier model of the same columns, whose names and order the same regimes keep.
    encoder : EncoderConfig, "pretrained", "auto", keras.Model, path or None
        Architecture; the weights that come with regimetry, or the path of others (.npz); or your
        own model, in Keras or an ONNX file. "auto" chooses between ``None``, the default encoder,
        and "pretrained".
    objective : {"vamp2", "masked", "contrast", "vicreg", "next_bar"} or None
        How to train the encoder; ``None`` leaves its weights as they are, random by default.
    epochs : int or None
        Most epochs of training; ``None`` takes the objective's own budget.
    difference : "auto", "none" or list of str
        Columns to difference before anything else; "auto" finds those near a unit root.
    categorical : sequence of str
        Columns of a frame whose values are names.
    missing : {"trim", "gap", "ffill", "error"}
        Rows with a missing value: leave out leading ones, split the series there, fill forward, or
        refuse.
    max_fill : int
        With "ffill", rows that a value may be old.
    max_gap : float, str or None
        Longest time between rows of a window, such as "5D"; "auto" finds sessions, ``None`` has no
        limit.
    after_gap : {"restart", "carry"}
        Whether the causal state begins afresh after a gap, or goes on.
    repeated : {"refuse", "keep"}
        Rows of equal times.
    resample, resample_how : str or None, {"last", "mean"}
        Gather rows in bins of this length, such as "1s".
    evidence : {"auto", "window"}
        What tells the regimes apart: single bars if they can ("auto"), or whole windows.
    jump_penalty, smooth_penalty : float or "auto"
        Prices of a change of regime in the causal labels and in those of :meth:`smooth`.
    n_landmarks : int
        M, largest number of windows that the spectral map is built on.
    max_windows : int
        Largest number of windows that the fit keeps; from more it takes a sample.
    scaling : {"instrument", "pooled"}
        Of many instruments: scale each by itself, or read all without scaling.
    opset : {17, 18}
        Of the model file.
    random_state : int, RandomState or None
        The same integer gives the same file on the same machine and versions.
    device : {"cpu", "cuda", "auto"}
        Where the fit embeds windows.
    deterministic : bool
        Use only operators that give the same bits every time, also on a GPU.
    progress : bool
        Show stages and time left on standard error.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (T,)
        Causal label of each training bar, -1 for the first ones, through a map fitted on all bars;
        for many instruments, what :meth:`predict` returns. Absent if rows were not in memory.
    embeddings_ : ndarray of float32, shape (N, D)
        Of the windows that the fit used.
    n_regimes_ : int
    transition_matrix_ : ndarray of float64, shape (K, K)
    candidates_ : tuple of Candidate
        What window sizes and numbers of regimes would look like, and why "auto" did not take them.
        If both were given, they stand alone.
    alignment_ : Alignment or None
        How the regimes correspond to those of ``align_to``.
    moved_ : Moved
        After :meth:`update`: what changed.
    eigenvalues_ : ndarray of float64
        Of the affinity.
    history_ : dict of list of float
    parity_ : ParityReport
        Graph against the fitted parts; against the encoder in numpy on the golden windows alone.
    encoder_ : keras.Model
        Needs Keras, which a fit without ``objective`` does not.
    golden_ : Golden
        Windows with the outputs that any runtime must give.
    model_ : RegimeModel
        What :meth:`save` writes.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, of a frame alone

    Examples
    --------
    >>> import regimetry as rg
    >>> series = rg.simulate("s2", n_rows=600, seed=0)
    >>> detector = rg.RegimeDetector(n_regimes=3, random_state=0)
    >>> detector.fit(series.values).n_regimes_
    3
    """

    def __init__(
        self,
        *,
        window_size: int | str = FitOptions.window_size,
        n_regimes: int | str = FitOptions.n_regimes,
        unit: str = FitOptions.unit,
        names: str | Sequence[str] | Mapping[int, str] | None = FitOptions.names,
        min_dwell: int | None = FitOptions.min_dwell,
        align_to: Any = None,
        encoder: EncoderConfig
        | PretrainedEncoder
        | keras.Model
        | str
        | PathLike[str]
        | None = None,
        objective: str | None = FitOptions.objective,
        epochs: int | None = FitOptions.epochs,
        difference: str | Sequence[str] = FitOptions.difference,
        categorical: Sequence[str] = FitOptions.categorical,
        missing: str = FitOptions.missing,
        max_fill: int = FitOptions.max_fill,
        max_gap: float | str | None = FitOptions.max_gap,
        after_gap: str = FitOptions.after_gap,
        repeated: str = FitOptions.repeated,
        resample: str | None = FitOptions.resample,
        resample_how: str = FitOptions.resample_how,
        evidence: str = FitOptions.evidence,
        jump_penalty: float | str = FitOptions.jump_penalty,
        smooth_penalty: float | str = FitOptions.smooth_penalty,
        n_landmarks: int = FitOptions.n_landmarks,
        max_windows: int = FitOptions.max_windows,
        scaling: str = FitOptions.scaling,
        opset: int = FitOptions.opset,
        random_state: Any = None,
        device: str = FitOptions.device,
        deterministic: bool = FitOptions.deterministic,
        progress: bool = False,
    ) -> None:
        self.window_size = window_size
        self.n_regimes = n_regimes
        self.unit = unit
        self.names = names
        self.min_dwell = min_dwell
        self.align_to = align_to
        self.encoder = encoder
        self.objective = objective
        self.epochs = epochs
        self.difference = difference
        self.categorical = categorical
        self.missing = missing
        self.max_fill = max_fill
        self.max_gap = max_gap
        self.after_gap = after_gap
        self.repeated = repeated
        self.resample = resample
        self.resample_how = resample_how
        self.evidence = evidence
        self.jump_penalty = jump_penalty
        self.smooth_penalty = smooth_penalty
        self.n_landmarks = n_landmarks
        self.max_windows = max_windows
        self.scaling = scaling
        self.opset = opset
        self.random_state = random_state
        self.device = device
        self.deterministic = deterministic
        self.progress = progress

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        by: str | None = None,
        features: OhlcvFeatures | None = None,
        **time: Unpack[TimeKeywords],
    ) -> Self:
        """Fit on a series, or on many instruments that share their regimes.

        Parameters
        ----------
        X : array (T, F), pandas or polars DataFrame, mapping of names to these, or Source
            Not infinite; NaN is a missing value. In a frame, columns of numbers and booleans are
            read, and those declared categorical; what is constant or empty is left out. Timestamps,
            if any, must rise, for many instruments within each.
        y : array-like of int or str, shape (T,), or None
            States of rows, where they are known, otherwise -1 (or NaN, None, empty text). The
            clusters of windows begin at them, and regimes are called by them; nothing else
            changes. Labels stay causal: ``y`` is read at the fit alone.
        by : str or None
            Column that names the instrument of each row. No window crosses from one into the next.
        features : OhlcvFeatures or None
            What computed ``X`` from price bars, which the model will then take.
        **time
            ``time_column``, ``day_first``, ``time_format`` of frames: see
            :class:`~regimetry.series.time_options.TimeOptions`.

        Returns
        -------
        self

        Raises
        ------
        DataError
            Too few rows, a value that is not finite, a constant column, timestamps out of order,
            fewer different windows than regimes, no instrument as long as a window.
        ConfigError
            A value is not allowed, or ``features`` or ``align_to`` are of other columns.
        InstallError
            An objective or a Keras model, without TensorFlow.
        ExportError
            The encoder has a layer that ONNX cannot express.
        ExportParityError
            The graph does not compute what the fitted model computes.
        """
        options, stages = FitOptions.of(self), Stages(self.progress)
        from regimetry.fit.known import known_states
        from regimetry.fit.learn import learn, measured_rows
        from regimetry.fit.package import package
        from regimetry.fit.refit import aligned, earlier_model, require_same_columns
        from regimetry.fit.rows import with_states

        if features is not None and options.resample is not None:
            raise ConfigError(
                f"resample is {options.resample!r}, and features are made of bars before the fit "
                "sees them. Gather the bars first, or leave resample out."
            )
        earlier = earlier_model(self.align_to)
        source = self._source(X, by, options, features, TimeOptions(**time))
        require_columns_of_options(source.schema, options.difference, features)
        require_same_columns(earlier, source.schema, features)
        known = known_states(y, source)
        with stages:
            rows = with_states(measured_rows(source, options), known)
            learned = aligned(learn(rows, options, stages), rows, options, earlier)
            packaged = package(learned, rows, options, features, stages)
        self._keep(rows, learned, packaged)
        return self

    def _source(
        self,
        X: Any,
        by: str | None,
        options: FitOptions,
        features: OhlcvFeatures | None,
        time: TimeOptions,
    ) -> Source:
        """Return where the rows come from, and remember the columns."""
        self.__dict__.pop("feature_names_in_", None)
        if hasattr(X, "lagged_sums"):
            source: Source = X
        else:
            asked = () if isinstance(options.difference, str) else options.difference
            asked = asked if features is None else features.names
            rules = ReadingRules.of(options)
            source = panel_source(X, by, options.categorical, rules=rules, named=asked, time=time)
            if is_frame(next(iter(X.values())) if isinstance(X, Mapping) else X):
                self.feature_names_in_ = np.array(source.schema.names, dtype=object)
        self.n_features_in_ = len(source.schema.columns)
        return source

    def _keep(self, rows: TrainingRows, learned: Learned, packaged: Packaged) -> None:
        """Set what users read, from the outputs of the file itself."""
        from regimetry.contract.card import Candidates
        from regimetry.fit.package import training_labels

        self.__dict__.pop("labels_", None)
        labels = training_labels(rows, packaged)
        if labels is not None:
            self.labels_ = labels
        contract = packaged.model.contract
        self.embeddings_ = packaged.outputs["embedding"]
        self.n_regimes_ = contract.n_regimes
        self.transition_matrix_ = np.array(contract.transition_matrix)
        self.candidates_ = Candidates(learned.candidates)
        self.alignment_ = contract.training.alignment
        self.eigenvalues_ = learned.head.eigenvalues
        self.history_ = dict(learned.encoder.history)
        self.parity_ = packaged.parity
        self._encoder = learned.encoder
        self.golden_ = packaged.golden
        self.model_ = packaged.model
