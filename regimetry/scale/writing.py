"""Labels as Arrow tables, as `regimetry predict` writes them, behind their keys."""

from __future__ import annotations

from typing import Any

from regimetry.runtime.labelling import MISSING
from regimetry.runtime.model import RegimeModel
from regimetry.runtime.recursion import Labelling
from regimetry.scale.chunks import Chunk
from regimetry.scale.columns import Columns
from regimetry.scale.folder import import_pyarrow

DECIMALS = 6
NAME = "regime_name"
"""A column of models whose regimes have names."""


def label_schema(columns: Columns, model: RegimeModel, *, in_path: bool) -> Any:
    """Return the schema of an output file: instrument, time and labels.

    ``in_path``: the file lies in the same ``key=value`` folders as the input, which readers take
    for columns; the instrument then stands in the file only if it did before.
    """
    pa = import_pyarrow()
    fields = []
    if columns.instrument is not None and (columns.instrument_in_file or not in_path):
        fields.append((columns.instrument, columns.instrument_type or pa.string()))
    if columns.time is not None:
        fields.append((columns.time, columns.time_type))
    kinds = {"regime": pa.int64(), NAME: pa.string(), "novelty": pa.float32(), "novel": pa.bool_()}
    names = label_names(model)
    return pa.schema([*fields, *((name, kinds.get(name, pa.float64())) for name in names)])


def label_names(model: RegimeModel) -> list[str]:
    """Return the names of the columns that labels take."""
    probabilities = [f"p_{regime.name}" for regime in model.contract.regimes]
    return ["regime", *[NAME] * model.contract.is_named, *probabilities, "novelty", "novel"]


def table_of_labels(chunk: Chunk, found: Labelling, schema: Any, model: RegimeModel) -> Any:
    """Return the labels of a chunk as a table of that schema."""
    pa = import_pyarrow()
    arrays = label_arrays(found, model)
    if chunk.times is not None:
        arrays.insert(0, chunk.times)
    if len(schema) > len(arrays):
        names = pa.array(chunk.names).cast(schema.field(0).type)
        arrays.insert(0, names.take(pa.array(chunk.which)))
    return pa.Table.from_arrays(arrays, schema=schema)


def label_arrays(found: Labelling, model: RegimeModel) -> list[Any]:
    """Return what :func:`label_names` names as Arrow arrays, null where missing."""
    pa = import_pyarrow()
    missing = found.regime == MISSING
    numbers = [*found.probability.T.round(DECIMALS), found.novelty.round(DECIMALS)]
    regime = pa.array(found.regime, mask=missing)
    called = pa.array([one.name for one in model.contract.regimes])
    return [
        regime,
        *[called.take(regime)] * model.contract.is_named,
        *(pa.array(column, mask=missing) for column in numbers),
        pa.array(found.novel, mask=missing),
    ]
