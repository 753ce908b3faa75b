"""The estimator: walks a series through windows, encoder, regimes and export."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from regimetry.encoder.config import EncoderConfig
from regimetry.errors import ConfigError
from regimetry.export.opset import require_opset
from regimetry.files import replacing
from regimetry.fit.rows import TrainingRows, slow_directions_of, training_rows
from regimetry.fit.source import PanelSource, Source, panel_source
from regimetry.fit.stages import stage_bar
from regimetry.parameters import require_choice, require_integer
from regimetry.runtime.jump import jump_forward
from regimetry.runtime.labelling import MISSING, per_bar
from regimetry.series.frames import is_frame
from regimetry.series.scaling import SCALINGS
from regimetry.series.schema import Schema

if TYPE_CHECKING:
    import keras

    from regimetry.contract import WindowCandidate
    from regimetry.fit.learn import Learned
    from regimetry.fit.package import Packaged
    from regimetry.series.features import OhlcvFeatures


class RegimeDetector(ClusterMixin, TransformerMixin, BaseEstimator):
    """Finds the regimes of a multivariate series, and makes the model file that recognises them.

    The series is a matrix of T rows in time order: rows are not exchangeable, which sets this
    estimator apart from most of scikit-learn's.

    Parameters
    ----------
    window_size : int or "auto", default 10
        W, bars that a label looks back on. "auto" takes the one of 10, 20, 40 and 80 whose windows
        say most of the windows after them; see :mod:`regimetry.regimes.choice.window`.
    n_regimes : int or "auto", default "auto"
        K; "auto" takes the largest number up to 8 whose regimes last and come back under
        resampling, or 1 where the windows form one cloud; see
        :mod:`regimetry.regimes.choice.count`.
    min_dwell : int or None, default None
        Bars that every regime must last for "auto" to believe in them: half of a regime's bars
        lie in spells at least that long. ``None`` takes five windows.
    align_to : path, RegimeModel, fitted RegimeDetector or None, default None
        Earlier model of the same columns, whose names and order the regimes keep where they are
        the same ones; see :class:`~regimetry.contract.Alignment`.
    encoder : EncoderConfig, keras.Model or None
        Architecture; its ``window_size`` and ``num_features`` are set from the detector and the
        data. A functional or Sequential model of your own, windows (batch, W, F) to embeddings
        (batch, D), takes its place: a fit trains a copy that starts from its weights. ``None``:
        tokens of 64, moments pooling, the config's defaults otherwise.
    objective : {"vamp2", "masked", "contrast", "vicreg", "next_bar"} or None, default None
        What the encoder is trained on; ``None`` leaves its random weights as they are, which the
        benchmark of docs/training.md finds as good. Ctrl-C ends the training, and the fit goes on.
    epochs : int or None, default None
        Most epochs of training; it stops early when the validation loss no longer falls. ``None``
        takes the objective's own budget.
    difference : "auto", "none" or list of str, default "auto"
        Columns to difference before anything else; "auto" finds those near a unit root.
    categorical : sequence of str, default ()
        Columns of a frame whose values are names.
    evidence : {"auto", "window"}, default "auto"
        What tells the regimes apart once the windows have found them. "auto": each bar, by its
        likelihood in each regime given the bars before, where those regimes say about as much of
        windows as the ones that windows gave; otherwise, and always with "window", the whole
        window, by its distance to each regime's centroid.
    jump_penalty : float or "auto", default "auto"
        Price of a change of regime in the causal labels, in units of distance. "auto": where bars
        tell the regimes the log odds of staying that the fit found, less 1 since the bar of the
        change is not known; else 1 (distances are 0 to 2).
    smooth_penalty : float or "auto", default "auto"
        The same for :meth:`smooth`: the log odds, or 3 where windows tell the regimes.
    n_landmarks : int, default 1000
        M, most windows that the spectral map is built on.
    max_windows : int, default 200_000
        Most windows that the fit looks at one by one. Beyond it the units of the columns and the
        slow directions come of all windows, in a pass each, and the rest of stretches of 1024
        windows, spread evenly over time and over instruments.
    scaling : {"instrument", "pooled"}, default "instrument"
        Of many instruments: bring each one's columns to the average mean and deviation before
        anything else, or read all as they are. The file keeps each instrument's map; one that the
        fit has not seen is read as it is, like an average one.
    opset : {17, 18}, default 17
        Of the model file; runtimes of 2023 and later read both.
    random_state : int, RandomState or None, default None
        Seed of weights, training, landmarks and k-means. The same integer gives the same file on
        the same machine and versions.
    deterministic : bool, default False
        Insist on operators that give the same bits every time, also on a GPU; TensorFlow keeps
        them on for the rest of the process. On a CPU a fit repeats without it.
    progress : bool, default False
        Show stages and time left on standard error.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (T,)
        Causal label of each training bar, -1 for the first ones; of many instruments what
        :meth:`predict` gives for them. The label of bar t uses bars up to t, through a map fitted
        on all bars. There are none after a fit on rows that memory does not hold.
    embeddings_ : ndarray of float32, shape (N, D)
        Of the windows that the fit looked at.
    n_regimes_ : int
    transition_matrix_ : ndarray of float64, shape (K, K)
    candidates_ : tuple of Candidate
        What each number of regimes would look like, and why "auto" did not take it.
    window_candidates_ : tuple of WindowCandidate
        The same of window sizes; empty where a number was given.
    alignment_ : Alignment or None
        How the regimes stand to those of ``align_to``.
    eigenvalues_ : ndarray of float64
        Of the affinity whose gaps the candidates hold.
    history_ : dict of list of float
        Loss curves; empty if untrained.
    parity_ : ParityReport
        Graph against Keras on all training windows.
    encoder_ : keras.Model
    golden_ : Golden
        Windows with the outputs of Keras and the numpy head, which any runtime must give.
    model_ : RegimeModel
        What :meth:`save` writes.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if a frame was fitted.

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
        window_size: int | str = 10,
        n_regimes: int | str = "auto",
        min_dwell: int | None = None,
        align_to: Any = None,
        encoder: EncoderConfig | keras.Model | None = None,
        objective: str | None = None,
        epochs: int | None = None,
        difference: str | Sequence[str] = "auto",
        categorical: Sequence[str] = (),
        evidence: str = "auto",
        jump_penalty: float | str = "auto",
        smooth_penalty: float | str = "auto",
        n_landmarks: int = 1000,
        max_windows: int = 200_000,
        scaling: str = "instrument",
        opset: int = 17,
        random_state: Any = None,
        deterministic: bool = False,
        progress: bool = False,
    ) -> None:
        self.window_size = window_size
        self.n_regimes = n_regimes
        self.min_dwell = min_dwell
        self.align_to = align_to
        self.encoder = encoder
        self.objective = objective
        self.epochs = epochs
        self.difference = difference
        self.categorical = categorical
        self.evidence = evidence
        self.jump_penalty = jump_penalty
        self.smooth_penalty = smooth_penalty
        self.n_landmarks = n_landmarks
        self.max_windows = max_windows
        self.scaling = scaling
        self.opset = opset
        self.random_state = random_state
        self.deterministic = deterministic
        self.progress = progress

    def fit(
        self,
        X: Any,
        y: None = None,
        *,
        by: str | None = None,
        features: OhlcvFeatures | None = None,
    ) -> Self:
        """Fit on a series, or on many instruments that share their regimes.

        Parameters
        ----------
        X : array (T, F), pandas or polars DataFrame, mapping of names to these, or Source
            Finite. Of a frame, columns of numbers and booleans are read, and those declared
            categorical. Its timestamps, if any, must rise, of many instruments within each. A
            :class:`~regimetry.fit.source.Source` gives rows that memory need not hold, as
            :mod:`regimetry.scale` makes of folders.
        y : None
            Ignored.
        by : str or None
            Column of a long frame that names the instrument of each row. No window crosses from
            one instrument into the next; regimes are those of all together.
        features : OhlcvFeatures or None
            What made ``X`` of price bars. The file keeps it, so that the command line makes the
            same of the bars it is given.

        Returns
        -------
        self

        Raises
        ------
        DataError
            Too few rows, a value that is not finite, a constant column, timestamps out of order,
            fewer different windows than regimes, no instrument as long as a window.
        ConfigError
            A parameter has a value that is not allowed, ``features`` did not make ``X``, or
            ``align_to`` reads other columns.
        ExportError
            The encoder has a layer that ONNX cannot express.
        ExportParityError
            The graph does not compute what the fitted model computes.
        """
        from regimetry.fit.learn import learn, window_candidates
        from regimetry.fit.package import package
        from regimetry.fit.refit import aligned, earlier_model
        from regimetry.regimes.choice.window import SIZES

        self._check_parameters()
        seed = self._seed()
        source = self._read(X, by)
        schema = source.schema
        if features is not None:
            _require_made_by(features, schema)
        earlier = None
        if self.align_to is not None:
            earlier = earlier_model(self.align_to, schema, features)
        stage = stage_bar(self.progress)
        read = partial(
            training_rows,
            source,
            max_windows=int(self.max_windows),
            difference=self.difference,
            own_units=self.scaling == "instrument",
        )
        self.window_candidates_: tuple[WindowCandidate, ...] = ()
        if self.window_size == "auto":
            self.window_candidates_ = window_candidates(
                read(window_size=SIZES[0]), self.encoder, seed
            )
        window_size = _chosen(self.window_candidates_, self.window_size)
        rows = read(window_size=window_size)
        learned = learn(
            rows.scaled.parts(),
            rows.preprocessing,
            window_size=window_size,
            n_regimes=None if self.n_regimes == "auto" else int(self.n_regimes),
            min_dwell=self.min_dwell,
            encoder=self.encoder,
            objective=self.objective,
            epochs=None if self.epochs is None else int(self.epochs),
            n_landmarks=int(self.n_landmarks),
            evidence=self.evidence,
            slow=None if rows.complete else partial(slow_directions_of, source, rows),
            seed=seed,
            deterministic=self.deterministic,
            progress=self.progress,
            stage=stage,
        )
        alignment = None
        if earlier is not None:
            penalty = _penalty(self.jump_penalty)
            learned, alignment = aligned(learned, schema, rows.sample, earlier, penalty)
        packaged = package(
            learned,
            schema,
            rows.scaled,
            jump_penalty=_penalty(self.jump_penalty),
            smooth_penalty=_penalty(self.smooth_penalty),
            opset=int(self.opset),
            by=source.by,
            scaling=rows.scaling,
            names=None if alignment is None else alignment.names,
            training=replace(
                rows.record,
                seed=seed,
                configuration=self._configuration(learned.description),
                window_candidates=self.window_candidates_,
                features=features,
                alignment=alignment,
            ),
            stage=stage,
        )
        self._keep(learned, packaged)
        self._label(source, rows, packaged)
        self.alignment_ = alignment
        return self

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _check_parameters(self) -> None:
        kinds = (int, np.integer)
        for name, minimum in (("n_landmarks", 2), ("max_windows", 2)):
            require_integer(name, getattr(self, name), minimum, kinds=kinds)
        if self.window_size != "auto":
            require_integer("window_size", self.window_size, 2, kinds=kinds, other="'auto' or ")
        elif _is_model(self.encoder):
            raise ConfigError(
                "window_size is 'auto', but the encoder is a model whose windows have one size; "
                "give that size."
            )
        if self.epochs is not None:
            require_integer("epochs", self.epochs, 1, kinds=kinds, other="None or ")
        require_opset(self.opset)
        require_choice("scaling", self.scaling, SCALINGS)
        if self.n_regimes != "auto":
            require_integer("n_regimes", self.n_regimes, 1, kinds=kinds, other="'auto' or ")
        if self.min_dwell is not None:
            require_integer("min_dwell", self.min_dwell, 1, kinds=kinds, other="None or ")
        for name in ("jump_penalty", "smooth_penalty"):
            value = getattr(self, name)
            if value != "auto" and (isinstance(value, str) or not value >= 0):
                raise ConfigError(f"{name} is {value!r}; it must be 'auto' or at least 0.")
        if not isinstance(self.encoder, EncoderConfig | None) and not _is_model(self.encoder):
            raise ConfigError(
                f"encoder is {self.encoder!r}; it must be an EncoderConfig, a Keras model or None."
            )
        if not isinstance(self.deterministic, bool):
            raise ConfigError(f"deterministic is {self.deterministic!r}; it must be True or False.")

    def _read(self, X: Any, by: str | None) -> Source:
        """Return where the rows come from, and remember the columns."""
        self.__dict__.pop("feature_names_in_", None)
        if hasattr(X, "lagged_sums"):
            source: Source = X
        else:
            source = panel_source(X, by, self.categorical)
            if is_frame(next(iter(X.values())) if isinstance(X, Mapping) else X):
                self.feature_names_in_ = np.array(source.schema.names, dtype=object)
        self.n_features_in_ = len(source.schema.columns)
        return source

    def _configuration(self, encoder: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters as plain data, the encoder's as they were used."""
        plain = {
            name: list(value) if isinstance(value, tuple | list) else value
            for name, value in self.get_params(deep=False).items()
            if name not in ("align_to", "encoder", "progress", "random_state")
        }
        return {**plain, "encoder": encoder}

    def _keep(self, learned: Learned, packaged: Packaged) -> None:
        """Set what users read, from the outputs of the file itself."""
        contract = packaged.model.contract
        self.encoder_ = learned.encoder
        self.history_ = learned.history
        self.candidates_ = learned.head.candidates
        self.eigenvalues_ = learned.head.eigenvalues
        self.parity_ = packaged.parity
        self.golden_ = packaged.golden
        self.model_ = packaged.model
        self.embeddings_ = packaged.outputs["embedding"]
        self.n_regimes_ = contract.n_regimes
        self.transition_matrix_ = np.array(contract.transition_matrix)

    def _label(self, source: Source, rows: TrainingRows, packaged: Packaged) -> None:
        """Set the causal labels of the training bars, where memory holds them."""
        self.__dict__.pop("labels_", None)
        if not isinstance(source, PanelSource):
            return
        panel, model = source.panel, packaged.model
        distance = packaged.outputs["distance"]  # of every window, unless it is a sample
        if not rows.complete:
            distance = model.outputs_of(panel.scaled(rows.scaling), ("distance",))["distance"]
        window_rows = model.contract.window_rows
        labels, _ = jump_forward(
            distance, model.contract.jump_penalty, offsets=panel.boundaries(window_rows)
        )
        if panel.instruments is None:
            self.labels_ = np.concatenate([np.full(window_rows - 1, MISSING), labels])
        else:
            self.labels_ = per_bar(panel, labels, ["regime"], window_rows)

    def predict(self, X: Any, *, by: str | None = None) -> Any:
        """Label every bar, causally; see :meth:`RegimeModel.predict`."""
        check_is_fitted(self)
        return self.model_.predict(X, by=by)

    def predict_proba(self, X: Any, *, by: str | None = None) -> Any:
        """Return filtered probabilities; see :meth:`RegimeModel.predict_proba`."""
        check_is_fitted(self)
        return self.model_.predict_proba(X, by=by)

    def smooth(self, X: Any, *, by: str | None = None) -> Any:
        """Label with hindsight: looks ahead; see :meth:`RegimeModel.smooth`."""
        check_is_fitted(self)
        return self.model_.smooth(X, by=by)

    def novelty(self, X: Any, *, by: str | None = None) -> Any:
        """Return the novelty of every bar; see :meth:`RegimeModel.novelty`."""
        check_is_fitted(self)
        return self.model_.novelty(X, by=by)

    def novel(self, X: Any, *, by: str | None = None) -> Any:
        """Say which bars belong to a state never seen; see :meth:`RegimeModel.novel`."""
        check_is_fitted(self)
        return self.model_.novel(X, by=by)

    def transform(self, X: Any, *, by: str | None = None) -> NDArray[np.float32]:
        """Embed every full window, (N, D); see :meth:`RegimeModel.embed`."""
        check_is_fitted(self)
        return self.model_.outputs(X, ("embedding",), by=by)["embedding"]

    def save(self, path: str | PathLike[str], *, golden: bool = True) -> None:
        """Write the model file and the golden file beside it: both complete or neither.

        Parameters
        ----------
        path : path
            Of the model file.
        golden : bool, default True
            Write ``<stem>.golden.json``, against which ``regimetry verify`` and other languages
            check a runtime. ``False`` removes one that lies there, since it is of another model.

        Raises
        ------
        DataError
            The folder does not exist or cannot be written to.
        """
        from regimetry.check.golden import golden_path, write_golden

        check_is_fitted(self)
        beside = golden_path(path)
        with replacing(path) as temporary:
            temporary.write_bytes(self.model_.content)
            # The golden file first: a new model never lies beside the file of an old one.
            if golden:
                with replacing(beside) as temporary_golden:
                    write_golden(self.golden_, temporary_golden)
            else:
                beside.unlink(missing_ok=True)


def _chosen(candidates: Sequence[WindowCandidate], given: int | str) -> int:
    return next((entry.window_size for entry in candidates if entry.chosen), None) or int(given)


def _penalty(value: float | str) -> float | None:
    return None if value == "auto" else float(value)


def _is_model(value: object) -> bool:
    """Whether a value is a Keras model; without importing Keras, which such a value has done."""
    loaded = sys.modules.get("keras")
    return loaded is not None and isinstance(value, loaded.Model)


def _require_made_by(features: OhlcvFeatures, schema: Schema) -> None:
    if schema.names != features.names:
        raise ConfigError(
            f"features makes {', '.join(features.names)}; the data to fit have "
            f"{', '.join(schema.names)}. Fit on what features.frame gives."
        )
