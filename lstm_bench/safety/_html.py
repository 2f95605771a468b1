"""HTML of values that may hold any text."""

from __future__ import annotations

import html
from collections.abc import Mapping


def html_table(rows: Mapping[str, str]) -> str:
    """Returns an HTML table with a name and a value in every row, both escaped."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
        f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
        for name, value in rows.items()
    )
    return f"<table>{cells}</table>"
