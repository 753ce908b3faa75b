"""Results of an analysis as tables in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from regimetry.markup import html_section, html_table


class Shown:
    """The base of dataclasses that a notebook shows as tables, one for each shape of field.

    Numbers and words stand in one table. Arrays of one length are the columns of another; row i is
    regime i where the arrays have shape (K,). Each matrix has its own, and results inside results
    unfold at a click.
    """

    def _repr_html_(self) -> str:
        return _html(self)


def _html(result: Any) -> str:
    values = _entries(result)
    facts = {name: value for name, value in values.items() if _is_fact(value)}
    parts = []
    if facts:
        parts.append(html_table(("", ""), facts.items()))
    parts += _columns({n: v for n, v in values.items() if isinstance(v, np.ndarray)})
    for name, value in values.items():
        parts += _inner(name, value)
    return "".join(parts)


def _entries(result: Any) -> dict[str, Any]:
    if hasattr(result, "_asdict"):
        return dict(result._asdict())
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    return {n: v.item() if isinstance(v, np.generic) else v for n, v in values.items()}


def _columns(arrays: Mapping[str, Any]) -> Iterator[str]:
    lengths = dict.fromkeys(len(array) for array in arrays.values() if array.ndim == 1)
    for length in lengths:
        alike = {n: a for n, a in arrays.items() if a.ndim == 1 and len(a) == length}
        rows = zip(range(length), *(array.tolist() for array in alike.values()), strict=True)
        yield html_table(("", *map(_words, alike)), rows)
    for name, array in arrays.items():
        if array.ndim == 2:
            header = ("", *map(str, range(array.shape[1])))
            numbered = ((i, *row) for i, row in enumerate(array.tolist()))
            yield html_table(header, numbered, caption=_words(name))


def _inner(name: str, value: Any) -> Iterator[str]:
    if _is_result(value):
        yield html_section(_words(name), _html(value))
    elif isinstance(value, Mapping):
        for key, one in value.items():
            if _is_result(one):
                yield html_section(str(key), _html(one))
    elif isinstance(value, tuple) and value and all(map(_is_result, value)):
        table = [_entries(one) for one in value]
        header = list(map(_words, table[0]))
        yield html_table(header, (list(row.values()) for row in table), caption=_words(name))


def _is_result(value: Any) -> bool:
    return (is_dataclass(value) and not isinstance(value, type)) or hasattr(value, "_asdict")


def _is_fact(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return not any(map(_is_result, value)) and not hasattr(value, "_asdict")
    return isinstance(value, str | int | float | bool | None)


def _words(name: str) -> str:
    return name.replace("_", " ")
