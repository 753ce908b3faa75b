"""Which columns a model reads, in which order, and how categories become numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regimetry.errors import DataError


@dataclass(frozen=True)
class Column:
    """One input column.

    Attributes
    ----------
    name : str
    categories : tuple of str or None
        ``None`` for a numeric column, else the values seen in training, one feature each (1 where
        the row holds the value, 0 elsewhere).
    """

    name: str
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Schema:
    """The columns of a series in the model's order; the input columns make F features."""

    columns: tuple[Column, ...]

    @classmethod
    def numeric(cls, names: tuple[str, ...]) -> Schema:
        """Return a schema of numeric columns."""
        return cls(tuple(Column(name) for name in names))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the input columns."""
        return tuple(column.name for column in self.columns)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the F features; a categorical column gives ``name=value`` for each value."""
        return tuple(
            name
            for column in self.columns
            for name in (
                (column.name,)
                if column.categories is None
                else tuple(f"{column.name}={value}" for value in column.categories)
            )
        )

    def row(self, row: Mapping[str, Any]) -> list[Any]:
        """Return the F features of one row given by column name; further names are ignored.

        Raises
        ------
        DataError
            A column is missing, or its value is of no category seen in training.
        """
        missing = [name for name in self.names if name not in row]
        if missing:
            raise DataError(
                f"The row lacks {', '.join(map(repr, missing))}; the model reads "
                f"{', '.join(self.names)}."
            )
        features: list[Any] = []
        for column in self.columns:
            value = row[column.name]
            if column.categories is None:
                features.append(value)
            elif str(value) in column.categories:
                features.extend(float(str(value) == category) for category in column.categories)
            else:
                raise DataError(
                    f"Column {column.name!r} of the row holds {value!r}; the categories are "
                    f"{', '.join(column.categories)}."
                )
        return features

    def to_list(self) -> list[dict[str, Any]]:
        """Return the schema as plain data."""
        return [
            {
                "name": column.name,
                "categories": None if column.categories is None else list(column.categories),
            }
            for column in self.columns
        ]

    @classmethod
    def from_list(cls, data: list[Mapping[str, Any]]) -> Schema:
        """Build a schema from :meth:`to_list`'s data."""
        return cls(
            tuple(
                Column(
                    str(entry["name"]),
                    None if entry["categories"] is None else tuple(map(str, entry["categories"])),
                )
                for entry in data
            )
        )
