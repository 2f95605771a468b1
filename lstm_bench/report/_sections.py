"""The parts of a page: sections, blocks and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from lstm_bench.report._text_table import TextTable
from lstm_bench.results import COLUMN_WIDTH, as_pdf, as_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure with the stem of its file, a short description, and its caption."""

    stem: str
    figure: Figure
    alt: str
    caption: str
    title: str = ""  # of the part of the page that can be opened, where it is in one
    hints: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What the marks of an SVG group say when they are pointed at, by the id of the group."""

    column: bool = False  # whether it is also drawn for one column of a page of two

    @property
    def file_names(self) -> tuple[str, ...]:
        """The names of the files of the figure: SVG and PDF, and a PDF for one column."""
        names = (f"{self.stem}.svg", f"{self.stem}.pdf", f"{self.stem}-column.pdf")
        return names[: 2 + self.column]

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yields the names of the files of the figure with their content."""
        widths = (None, COLUMN_WIDTH)[: 1 + self.column]
        pdfs = (as_pdf(self.figure, width) for width in widths)
        yield from zip(self.file_names, (self.svg, *pdfs), strict=True)

    @cached_property
    def svg(self) -> bytes:
        """The figure as an SVG file."""
        return as_svg(self.figure)


@dataclass(frozen=True)
class Block:
    """Sentences, a figure, a table with its caption, and notes; each may be missing."""

    heading: str = ""
    sentences: tuple[str, ...] = ()
    picture: Picture | None = None
    table: TextTable | None = None
    caption: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A titled part of a page."""

    title: str
    blocks: tuple[Block, ...]


def pictures(sections: Sequence[Section]) -> Iterator[Picture]:
    """Yields the pictures of the sections, in order."""
    for section in sections:
        yield from (block.picture for block in section.blocks if block.picture is not None)
