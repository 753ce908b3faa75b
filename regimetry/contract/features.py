"""From the table that a user has to the columns that the model reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regimetry.contract import ModelContract


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
    """
    features = contract.training.features
    return frame if features is None else features.frame(frame)
