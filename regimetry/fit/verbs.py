"""The methods of a fitted detector: those of its model, and ``save``."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from regimetry.series.time_options import TimeKeywords

if TYPE_CHECKING:
    import keras

    from regimetry.check.golden import Golden
    from regimetry.fit.fitted_encoder import FittedEncoder
    from regimetry.runtime.model import RegimeModel


class FittedVerbs(TransformerMixin):
    """The verbs of an estimator whose fit sets ``model_`` and ``golden_``."""

    model_: RegimeModel
    golden_: Golden
    _encoder: FittedEncoder

    @property
    def encoder_(self) -> keras.Model:
        """The encoder as a Keras model."""
        check_is_fitted(self)
        return self._encoder.keras_model()

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
