"""Text and tables in Markdown."""

from __future__ import annotations

from tabulate import tabulate

from lstm_bench.report import _wording as wording
from lstm_bench.report._text_table import LinkedText, TextTable
from lstm_bench.safety import escape_markdown


def markdown_text(text: str) -> str:
    """Returns text as Markdown shows it literally, with minus signs."""
    return escape_markdown(wording.typeset(text).replace("\u00a0", " "))


def markdown_cell(cell: str) -> str:
    """Returns the text of a cell in Markdown, as a link if it is one."""
    text = markdown_text(cell)
    if not isinstance(cell, LinkedText):
        return text
    address = cell.url.replace("(", "%28").replace(")", "%29").replace("|", "%7C")
    return f"[{text}]({address})"


def markdown_table(table: TextTable) -> str:
    """Returns a table in Markdown; the best row is bold, wrong predictions end in a cross."""
    table, rows = table.verdicts_first, []
    for index, cells in enumerate(table.rows):
        line = [markdown_cell(cell) for cell in cells]
        if table.mark(index) == "best":
            line[0] = f"**{line[0]}**"
        if table.mark(index) == "wrong":
            line[4] += " ✗"
        rows.append(line)
    align = ["right" if numeric else "left" for numeric in table.numeric]
    titles = [markdown_text(title) for title in table.titles]
    return tabulate(rows, titles, tablefmt="pipe", colalign=align, disable_numparse=True)
