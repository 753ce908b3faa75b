"""From a model file's record to the columns that the model reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regimetry.errors import ModelError, RegimetryError
from regimetry.series.features.pipeline import KIND, OhlcvFeatures

if TYPE_CHECKING:
    from regimetry.contract import ModelContract

RECORD = "features"
"""Entry of ``contract.training``; absent where a model reads the columns as they are."""


def features_of(contract: ModelContract) -> OhlcvFeatures | None:
    """Return the features that a model was fitted on.

    Parameters
    ----------
    contract : ModelContract

    Returns
    -------
    OhlcvFeatures or None
        ``None`` where the model reads the columns as they are.

    Raises
    ------
    ModelError
        Features that this release does not know, or a damaged record.
    """
    record = contract.training.get(RECORD)
    if record is None:
        return None
    try:
        if record["kind"] != KIND:
            raise ModelError(
                f"The model was fitted on features {record['kind']!r}; this release knows "
                f"{KIND!r}. Upgrade regimetry, or fit and save again."
            )
        features = OhlcvFeatures.from_dict(record)
        names = features.names
    except ModelError:
        raise
    except (KeyError, TypeError, AttributeError, RegimetryError) as error:
        raise ModelError(
            f"The model's record of its features is damaged ({error}). Fit and save again."
        ) from error
    if names != contract.schema.names:
        raise ModelError(
            f"The model reads {', '.join(contract.schema.names)}, and its record of features "
            f"makes {', '.join(names)}. Fit and save again."
        )
    return features


def as_read_by(contract: ModelContract, frame: Any) -> Any:
    """Return a frame as a model reads it: its features, if it was fitted on features of bars.

    Parameters
    ----------
    contract : ModelContract
    frame : pandas or polars DataFrame, T rows

    Returns
    -------
    DataFrame of the same kind
        The frame itself, or its features, which begin ``warm_up`` rows later.

    Raises
    ------
    DataError
        A column of the bars is missing, or a bar is no bar.
    ModelError
        As for :func:`features_of`.
    """
    features = features_of(contract)
    return frame if features is None else features.frame(frame)
