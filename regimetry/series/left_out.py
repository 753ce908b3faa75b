"""Columns of frames that hold nothing to learn from: empty ones, and constant ones."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from regimetry.errors import DataError, DataWarning
from regimetry.series.column_statistics import is_constant
from regimetry.series.frames import native_of, numbers_of
from regimetry.series.panel import Panel
from regimetry.series.plain_frames import is_frame
from regimetry.series.schema import Column, Schema


def without_empty(data: Any, schema: Schema, named: Collection[str] = ()) -> Schema:
    """Leave out columns in which every value is missing.

    Parameters
    ----------
    data : frame, or mapping of names to frames
    schema : Schema
    named : collection of str
        Columns that somebody asked for.

    Raises
    ------
    DataError
        A named column is empty, or every column is.

    Warns
    -----
    DataWarning
        Names them.
    """
    given = data.values() if isinstance(data, Mapping) else [data]
    natives = [native_of(frame) for frame in given if is_frame(frame)]
    empty = [
        column
        for column in schema.columns
        if column.categories is None
        and all(
            column.name in one.columns and np.isnan(numbers_of(one[column.name], column.name)).all()
            for one in natives
        )
    ]
    return leave_out(schema, empty, "are empty", named)


def refuse_constant(frame: Any, schema: Schema) -> None:
    """Raise :class:`DataError` where a column of numbers, which somebody named, is constant."""
    native = native_of(frame)
    for column in schema.columns:
        if column.categories is None:
            values = numbers_of(native[column.name], column.name)
            there = values[~np.isnan(values)]
            if len(there) > 1 and is_constant(there[:, None])[0]:
                raise DataError(
                    f"Column {column.name!r} is constant; it cannot tell regimes apart. Leave it "
                    "out."
                )


def without_constant(
    panel: Panel, schema: Schema, named: Collection[str] = ()
) -> tuple[Panel, Schema]:
    """Leave out columns that are constant in every instrument; as :func:`without_empty`."""
    if len(panel.values) < 2:
        return panel, schema
    names = list(dict.fromkeys(panel.instruments or [None]))
    parts: dict[Any, list[Any]] = {name: [] for name in names}
    for name, rows in panel.named:
        parts[name].append(rows)
    still = np.all([is_constant(np.concatenate(rows)) for rows in parts.values()], axis=0)
    if not still.any():
        return panel, schema
    features = dict(zip(schema.feature_names, still.tolist(), strict=True))
    constant = [
        column
        for column in schema.columns
        if column.name not in named
        and all(features[name] for name in Schema((column,)).feature_names)
    ]
    left = leave_out(schema, constant, "are constant")
    keep = [schema.feature_names.index(name) for name in left.feature_names]
    return replace(panel, values=panel.values[:, keep]), left


def leave_out(
    schema: Schema, columns: Sequence[Column], what: str, named: Collection[str] = ()
) -> Schema:
    """Return the schema without these columns, and say what they are; see :func:`without_empty`."""
    asked = [column.name for column in columns if column.name in named]
    if asked or (columns and len(columns) == len(schema.columns)):
        names = ", ".join(repr(name) for name in asked or schema.names)
        raise DataError(f"Columns {names} {what}; they cannot tell regimes apart.")
    if columns:
        names = ", ".join(column.name for column in columns)
        warnings.warn(f"left out, since they {what}: {names}", DataWarning, stacklevel=4)
    return Schema(tuple(column for column in schema.columns if column not in columns))
