"""From a configuration and a table to what :meth:`RegimeDetector.fit` takes."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

from regimetry.configuration.fields import Configuration
from regimetry.errors import DataError
from regimetry.fit.options import FitOptions
from regimetry.series.features import BarColumns, OhlcvFeatures
from regimetry.series.features.pipeline import DEFAULT_WINDOW
from regimetry.series.layout import layout_of
from regimetry.series.left_out import refuse_constant
from regimetry.series.time_options import TimeOptions

if TYPE_CHECKING:
    import pandas as pd

    from regimetry.detector import RegimeDetector


class Prepared(NamedTuple):
    """Rows to fit on, what made them, sentences on what was chosen, and known states of rows."""

    data: pd.DataFrame
    features: OhlcvFeatures | None
    notes: list[str]
    states: pd.Series | None


def prepare(configuration: Configuration, table: pd.DataFrame) -> Prepared:
    """Choose the columns, or make the features, that a configuration asks for.

    Parameters
    ----------
    configuration : Configuration
    table : pandas.DataFrame
        T rows, with their times as the index.

    Returns
    -------
    Prepared
        Row t of the data uses rows up to t; its state is that of the same row.

    Raises
    ------
    DataError
        A column is missing or holds something else, or a bar is no bar.
    """
    states = _states(configuration, table)
    if states is not None:
        table = table.drop(columns=states.name)
    if configuration.features is None:
        by = configuration.by
        if by is not None and by not in table.columns:
            raise DataError(f"by is {by!r}; the columns are {', '.join(map(str, table.columns))}.")
        schema = layout_of(
            table,
            columns=configuration.columns,
            categorical=configuration.categorical,
            exclude=(by,),
        )
        names = [*schema.names, *([] if by is None else [by])]
        data = table[names]
        if configuration.columns is not None:
            refuse_constant(table, schema)
            # Who names a counter of rows wants it.
            data = data.astype(dict.fromkeys(data.select_dtypes("integer"), float))
        return Prepared(data, None, [], states)
    window = configuration.feature_window
    features = OhlcvFeatures(
        _bar_columns(configuration, table), DEFAULT_WINDOW if window is None else window
    )
    time = TimeOptions(repeated=configuration.repeated == "keep")  # the table has its index
    data = features.frame(table, time)
    if states is not None:
        states = states.reindex(data.index)  # of bars that no feature begins with
    return Prepared(data, features, [_features_note(features, table)], states)


def _states(configuration: Configuration, table: pd.DataFrame) -> pd.Series | None:
    """Return the column of known states, if one was named."""
    name = configuration.labels_column
    if name is None:
        return None
    if name not in table.columns or name in (configuration.columns or ()):
        read = "a column that the model reads" if name in table.columns else "no column"
        raise DataError(
            f"labels_column is {name!r}, which is {read}; the columns are "
            f"{', '.join(map(str, table.columns))}. Name the one that holds states."
        )
    return table[name]


def _bar_columns(configuration: Configuration, table: pd.DataFrame) -> Any:

    if configuration.columns is None:
        return BarColumns.find(table.columns)
    schema = layout_of(table, columns=configuration.columns)
    return BarColumns.find(schema.names)


def _features_note(features: OhlcvFeatures, table: pd.DataFrame) -> str:
    names = features.columns.names
    unused = [str(name) for name in table.columns if name not in names]
    return (
        f"features over {features.window} bars, made of {', '.join(names)}"
        + ("" if features.columns.volume else "; there is no volume, and no feature of it")
        + (f"; not used: {', '.join(unused)}" if unused else "")
    )


def detector_of(configuration: Configuration, **settings: Any) -> RegimeDetector:
    """Return the unfitted detector of a configuration.

    Parameters
    ----------
    configuration : Configuration
    **settings
        Parameters of the detector that say nothing about the model, such as ``progress``.
    """
    from regimetry.detector import RegimeDetector

    parameters = {entry.name: getattr(configuration, entry.name) for entry in fields(FitOptions)}
    parameters["random_state"] = parameters.pop("seed")
    for name in ("objective", "names"):
        if parameters[name] == "none":
            parameters[name] = None
    if configuration.difference is None:
        # The windows of features overlap, which looks like a unit root and is none.
        parameters["difference"] = "auto" if configuration.features is None else "none"
    return RegimeDetector(**parameters, **settings)
