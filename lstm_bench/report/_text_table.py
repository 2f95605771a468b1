"""A table of text, and cells that are links."""

from __future__ import annotations

from dataclasses import dataclass

from lstm_bench.safety import printable_line


@dataclass(frozen=True)
class TextTable:
    """A table of text: `numeric` columns are aligned right, `marks` style the rows."""

    titles: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[str, ...] = ()  # "", "best" or "wrong" for each row

    @property
    def judged(self) -> bool:
        """Whether a column has verdicts, which must be seen however narrow the page is."""
        return any(map(_is_verdict, self.titles))

    @property
    def verdicts_first(self) -> TextTable:
        """The same with the columns of verdicts after the first one."""
        last = len(self.titles)
        verdicts = [k for k in range(1, last) if _is_verdict(self.titles[k])]
        order = [0, *verdicts, *(k for k in range(1, last) if k not in verdicts)]
        rows = tuple(tuple(row[k] for k in order) for row in self.rows)
        titles = tuple(self.titles[k] for k in order)
        return TextTable(titles, tuple(self.numeric[k] for k in order), rows, self.marks)

    def mark(self, index: int) -> str:
        """Returns the style of a row."""
        return self.marks[index] if self.marks else ""


def _is_verdict(title: str) -> bool:
    return title == "Verdict" or title.endswith("differs")


class LinkedText(str):
    """The text of a cell that is a link to `url`, an address that was checked."""

    url: str

    def __new__(cls, text: str, url: str) -> LinkedText:
        """Returns `text` as a link to `url`."""
        linked = super().__new__(cls, text)
        linked.url = url
        return linked


def source_text(source: str, url: str) -> str:
    """Returns a source as the text of a cell, linked if it has an address; empty without both."""
    text = printable_line(source or url)
    return LinkedText(text, url) if url else text
