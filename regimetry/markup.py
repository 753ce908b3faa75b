"""Tables as HTML for notebooks, on nothing but the standard library."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

MISSING = "–"  # noqa: RUF001  a dash, as in any printed table
_MOST_ROWS = 30  # that a table shows; a notebook is no spreadsheet


def cell(value: Any) -> str:
    """Return a value as the text of a table's cell; what is missing is a dash."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if math.isnan(value):
            return MISSING
        return "never" if math.isinf(value) else format(value, ".4g")
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    return str(value)


def html_table(
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    caption: str = "",
    marked: int | None = None,
) -> str:
    """Return an HTML table; every text in it is escaped.

    Parameters
    ----------
    header : sequence of str
        C names; empty texts for a table of facts.
    rows : iterable of sequences, C values each
        The first value of a row is its name. Of more than 30 rows the first 30 are shown, and the
        number of the others is said.
    caption : str
    marked : int or None
        Row that stands out.
    """
    rows = list(rows)
    parts = ["<table>"]
    if caption:
        parts.append(f"<caption>{escape(caption)}</caption>")
    if any(header):
        parts.append(f"<thead>{_row(header, 'th')}</thead>")
    parts.append("<tbody>")
    for number, values in enumerate(rows[:_MOST_ROWS]):
        found = _row([cell(value) for value in values])
        parts.append(found.replace("td>", "th>") if number == marked else found)
    if len(rows) > _MOST_ROWS:
        more = f"and {len(rows) - _MOST_ROWS} more"
        parts.append(f'<tr><td colspan="{len(header)}">{more}</td></tr>')
    return "".join([*parts, "</tbody></table>"])


def html_section(title: str, content: str) -> str:
    """Return content that a click on its title shows."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _row(texts: Sequence[str], kind: str = "td") -> str:
    return "<tr>" + "".join(f"<{kind}>{escape(text)}</{kind}>" for text in texts) + "</tr>"
