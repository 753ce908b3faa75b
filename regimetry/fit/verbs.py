"""The methods of a fitted detector: those of its model, ``update`` and ``save``."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from regimetry.errors import ConfigError
from regimetry.series.plain_frames import is_frame
from regimetry.series.time_options import TimeKeywords, TimeOptions

if TYPE_CHECKING:
    import keras

    from regimetry.analysis import Moved
    from regimetry.check.golden import Golden
    from regimetry.fit.fitted_encoder import FittedEncoder
    from regimetry.fit.learned import Learned
    from regimetry.fit.package import Packaged
    from regimetry.fit.rows import TrainingRows
    from regimetry.runtime.forecast import Forecast
    from regimetry.runtime.model import RegimeModel
    from regimetry.runtime.regime_card import RegimeCard


class FittedVerbs(TransformerMixin):
    """The verbs of an estimator whose fit sets ``model_`` and ``golden_``."""

    model_: RegimeModel
    golden_: Golden
    moved_: Moved
    _encoder: FittedEncoder
    progress: bool

    if TYPE_CHECKING:  # of the estimator

        def _keep(self, rows: TrainingRows, learned: Learned, packaged: Packaged) -> None: ...

    @property
    def encoder_(self) -> keras.Model:
        """The encoder as a Keras model."""
        check_is_fitted(self)
        return self._encoder.keras_model()

    def fit_predict(self, X: Any, y: Any = None, **options: Any) -> Any:
        """Fit, and return ``labels_``: causal, through a map fitted on all bars."""
        return self.fit(X, y, **options).labels_

    def update(
        self,
        X: Any,
        *,
        of: Any = None,
        by: str | None = None,
        **time: Unpack[TimeKeywords],
    ) -> Self:
        """Refit on rows to which new ones came; the regimes go on from an earlier model's.

        Encoder, units of columns, window and number of regimes are kept. Its labels are where the
        regimes begin, and they follow the rows from there. What they are called stays.

        Parameters
        ----------
        X : array (T, F), frame or mapping
            All rows that the model shall stand on, as for :meth:`predict`: bars, for a model of
            features. Of each regime at least W windows.
        of : path, RegimeModel, fitted RegimeDetector or None
            The earlier model; ``None`` is the one that this detector fitted.
        by : str or None
            As for :meth:`predict`.
        **time
            As for :meth:`fit`.

        Returns
        -------
        self
            ``moved_`` says what moved, see :class:`~regimetry.analysis.Moved`.

        Raises
        ------
        ConfigError
            ``window_size`` or ``n_regimes`` is another number than the earlier model's.
        DataError
            The rows do not fit the model's columns, or lack one of its regimes.
        ModelError
            The encoder cannot be taken out of the file.
        ExportParityError
            The graph does not compute what the fitted model computes.
        """
        from regimetry.fit.options import FitOptions
        from regimetry.fit.refit import earlier_model
        from regimetry.fit.stages import Stages
        from regimetry.fit.update import updated

        earlier = self._fitted() if of is None else earlier_model(of, "of")
        if earlier is None:
            raise ConfigError(f"of is {of!r}, which has no model; fit that detector first.")
        with Stages(self.progress) as stages:
            found = updated(
                X,
                earlier,
                self._encoder if of is None else None,
                FitOptions.of(self),
                stages,
                by=by,
                time=TimeOptions(**time),
            )
        self._keep(found.rows, found.learned, found.packaged)
        self.moved_ = found.moved
        schema = self.model_.contract.schema
        self.n_features_in_ = len(schema.columns)
        if is_frame(next(iter(X.values())) if isinstance(X, Mapping) else X):
            self.feature_names_in_ = np.array(schema.names, dtype=object)
        return self

    def predict(self, X: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Label every bar, causally; see :meth:`RegimeModel.predict`."""
        return self._fitted().predict(X, by=by, **time)

    def predict_proba(self, X: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Return filtered probabilities; see :meth:`RegimeModel.predict_proba`."""
        return self._fitted().predict_proba(X, by=by, **time)

    def smooth(self, X: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Label with hindsight: looks ahead; see :meth:`RegimeModel.smooth`."""
        return self._fitted().smooth(X, by=by, **time)

    def novelty(self, X: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Return the novelty of every bar; see :meth:`RegimeModel.novelty`."""
        return self._fitted().novelty(X, by=by, **time)

    def novel(self, X: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Say which bars belong to a state never seen; see :meth:`RegimeModel.novel`."""
        return self._fitted().novel(X, by=by, **time)

    @property
    def regimes_(self) -> tuple[RegimeCard, ...]:
        """What each regime says of its rows; see :attr:`RegimeModel.regimes`."""
        return self._fitted().regimes

    def log_score(self, X: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Return the log density of each row given those before; :meth:`RegimeModel.log_score`."""
        return self._fitted().log_score(X, by=by, **time)

    def pit(self, X: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Return the probability integral transform of each row; see :meth:`RegimeModel.pit`."""
        return self._fitted().pit(X, by=by, **time)

    def score(self, X: Any, y: None = None, **time: Unpack[TimeKeywords]) -> float:
        """Return the mean log score, in nats a row; see :meth:`RegimeModel.score`."""
        return self._fitted().score(X, y, **time)

    def aic(self, X: Any, **time: Unpack[TimeKeywords]) -> float:
        """Return Akaike's information criterion; see :meth:`RegimeModel.aic`."""
        return self._fitted().aic(X, **time)

    def bic(self, X: Any, **time: Unpack[TimeKeywords]) -> float:
        """Return the Bayesian information criterion; see :meth:`RegimeModel.bic`."""
        return self._fitted().bic(X, **time)

    def forecast(
        self, X: Any, horizon: int = 1, *, random_state: int = 0, **time: Unpack[TimeKeywords]
    ) -> Forecast:
        """Return the density of the next rows; see :meth:`RegimeModel.forecast`."""
        return self._fitted().forecast(X, horizon, random_state=random_state, **time)

    def sample(
        self, n_samples: int = 1, *, random_state: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Draw rows and their regimes; see :meth:`RegimeModel.sample`."""
        return self._fitted().sample(n_samples, random_state=random_state)

    def transform(self, X: Any, *, by: str | None = None, **time: Unpack[TimeKeywords]) -> Any:
        """Embed every bar's window, (T, D), NaN for the first bars; see :meth:`RegimeModel.embed`.

        ``set_output`` of scikit-learn chooses the container.
        """
        return self._fitted().embed(X, by=by, every_bar=True, **time)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]  # embeddings are float32, always
        return tags

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns of :meth:`transform`; ``input_features`` is ignored."""
        size = self._fitted().contract.embedding_size
        return np.array([f"e{i}" for i in range(size)], dtype=object)

    def _html_repr(self) -> str:
        """Return what a notebook shows: scikit-learn's view, and the model after a fit."""
        model = getattr(self, "model_", None)
        return super()._html_repr() + ("" if model is None else model._repr_html_())

    def _fitted(self) -> RegimeModel:
        check_is_fitted(self)
        return self.model_

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
        from regimetry.fit.package import write_files

        write_files(self._fitted().content, self.golden_ if golden else None, path)
