"""The parts that a page is put together from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lstm_bench.report._text_tables import Grid


@dataclass(frozen=True)
class Picture:
    """A figure: the file's stem, its SVG, what it shows in a few words, and its caption."""

    stem: str
    svg: bytes
    alt: str
    caption: str


@dataclass(frozen=True)
class Block:
    """Sentences, then a figure, then a table with its caption, then notes; each may be missing."""

    heading: str = ""
    said: tuple[str, ...] = ()
    picture: Picture | None = None
    grid: Grid | None = None
    caption: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A titled part of a page."""

    title: str
    blocks: tuple[Block, ...]


def pictures(sections: Sequence[Section]) -> Iterator[Picture]:
    """Yields the figures of the sections, in order."""
    for section in sections:
        yield from (block.picture for block in section.blocks if block.picture is not None)
