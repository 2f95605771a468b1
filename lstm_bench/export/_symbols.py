"""The lines of a script that define its `symbols` and `sequences`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lstm_bench.export._embedded import LITERAL_UP_TO, packed
from lstm_bench.export._literals import assigned, literal, wrapped
from lstm_bench.tasks import Problem

Numbers = list[int]


@dataclass(frozen=True)
class Symbols:
    """Sequences of symbols: their labels, and of each sequence three lists of a step's numbers.

    They are what is shown, what is asked for, and what counts: 1, or 0 where the answer does not.
    """

    labels: tuple[str, ...]
    parts: tuple[tuple[Numbers, Numbers, Numbers], ...]

    @classmethod
    def of(cls, labels: tuple[str, ...], problem: Problem) -> Symbols | None:
        """Returns the sequences that a problem trains on; None where they are no symbols."""
        parts = tuple(
            (s.inputs.tolist(), s.targets.tolist(), s.scored.astype(int).tolist())
            for s in problem.train
        )
        if not all(isinstance(n, int) for part in parts for row in part for n in row):
            return None
        return cls(labels, parts)

    @cached_property
    def lengths(self) -> list[int]:
        """The steps of each sequence."""
        return [len(shown) for shown, _, _ in self.parts]

    @cached_property
    def masked(self) -> bool:
        """Whether some step does not count, so that the script says which."""
        return not all(all(counts) for _, _, counts in self.parts)

    @cached_property
    def chained(self) -> bool:
        """Whether the next symbol is asked for: the script then holds each sequence once."""
        return not self.masked and all(shown[1:] == asked[:-1] for shown, asked, _ in self.parts)

    @cached_property
    def writable(self) -> bool:
        """Whether `code` can be written: many numbers are packed, which takes equal lengths."""
        return not self.packed or len(set(self.lengths)) == 1

    @cached_property
    def packed(self) -> bool:
        """Whether `code` calls `unpacked`."""
        return self._count > LITERAL_UP_TO

    @property
    def names(self) -> str:
        """The variables of a loop over the script's `sequences`."""
        return "sequence" if self.chained else "shown, asked" + ", counts" * self.masked

    @cached_property
    def _rows(self) -> list[tuple[Numbers, ...]]:
        """What is written of each sequence: one list of numbers, two, or three."""
        if self.chained:
            return [(shown + asked[-1:],) for shown, asked, _ in self.parts]
        return [part if self.masked else part[:2] for part in self.parts]

    @cached_property
    def _count(self) -> int:
        return sum(len(row) for rows in self._rows for row in rows)

    @cached_property
    def _single(self) -> bool:
        return all(len(label) == 1 for label in self.labels)

    @cached_property
    def _spelled(self) -> bool:
        """Whether sequences are written as texts, a character a step."""
        return self._single and not self.masked and not self.packed

    # What the code makes is told by `numbers`, for nothing that is made of labels is ever run.

    def code(self) -> Iterator[str]:
        """Yields the lines that define `symbols` and `sequences`."""
        if self._single:
            yield f"symbols = {literal(''.join(self.labels))}"
        elif self.labels == tuple(map(str, range(len(self.labels)))):
            yield f"symbols = [str(number) for number in range({len(self.labels)})]"
        else:
            yield f"symbols = {wrapped(self.labels)}"
        if self._spelled:
            yield "char_to_int = {char: number for number, char in enumerate(symbols)}"
            texts = [[self._text(row) for row in rows] for rows in self._rows]
            numbers = "[char_to_int[char] for char in text]"
            if self.chained:
                yield from assigned("texts", list(itertools.chain(*texts)))
                yield f"sequences = [{numbers} for text in texts]"
            else:
                yield "# What is shown, and what is asked for."
                yield from assigned("texts", [f"({', '.join(pair)})" for pair in texts])
                yield f"sequences = [[{numbers} for text in pair] for pair in texts]"
            return
        parts = ": what is shown, what is asked for" + ", what counts" * self.masked
        yield f"# Each sequence as the numbers of its symbols{'' if self.chained else parts}."
        rows = [each[0] if self.chained else list(each) for each in self._rows]
        if self.packed:
            array = np.array(rows, np.min_scalar_type(len(self.labels)))
            yield f"sequences = {packed(array)}.tolist()"
        else:
            yield from assigned("sequences", [wrapped(row) for row in rows])

    def numbers(self) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
        """Yields what a loop over the `sequences` of `code` sees: shown, asked and counts."""
        char_to_int = {char: number for number, char in enumerate(self.labels)}
        for shown, asked, counts in self.parts:
            if self._spelled:  # not the same numbers, where two symbols share a label
                yield (
                    [char_to_int[self.labels[n]] for n in shown],
                    [char_to_int[self.labels[n]] for n in asked],
                    counts,
                )
            else:
                yield shown, asked, counts

    def _text(self, numbers: Numbers) -> str:
        return literal("".join(self.labels[n] for n in numbers))
