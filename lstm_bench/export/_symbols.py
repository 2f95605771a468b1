"""The lines of a script that define its `symbols` and `sequences`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from lstm_bench.export._embedded import MAX_WRITTEN, packed_expression
from lstm_bench.export._literals import list_assignment, string_literal, wrapped_literal
from lstm_bench.tasks import Problem

Numbers = list[int]


class NotReadableError(Exception):
    """The samples of a recipe cannot be written as readable code, only as arrays."""


class SymbolSequence(NamedTuple):
    """A sequence as three lists (T,): symbols in, symbols out, and 1 where a target counts."""

    inputs: Numbers
    targets: Numbers
    counts: Numbers


@dataclass(frozen=True)
class Symbols:
    """The sequences of a problem of symbols, and the label of each symbol."""

    labels: tuple[str, ...]
    sequences: tuple[SymbolSequence, ...]

    @classmethod
    def from_problem(cls, labels: tuple[str, ...], problem: Problem) -> Symbols:
        """Returns the training sequences of a problem.

        Raises `NotReadableError` where they are not symbols, or cannot be packed: many numbers are
        packed into one array, which needs sequences of equal length.
        """
        sequences = tuple(
            SymbolSequence(s.inputs.tolist(), s.targets.tolist(), s.scored.astype(int).tolist())
            for s in problem.train
        )
        rows = itertools.chain.from_iterable(sequences)
        if not all(isinstance(n, int) for row in rows for n in row):
            raise NotReadableError("the sequences have real values")
        symbols = cls(labels, sequences)
        if symbols.packed and len(set(symbols.lengths)) > 1:
            raise NotReadableError("many sequences, of unequal lengths")
        return symbols

    @cached_property
    def lengths(self) -> list[int]:
        """The number of steps of each sequence."""
        return [len(inputs) for inputs, _, _ in self.sequences]

    @cached_property
    def masked(self) -> bool:
        """Whether some targets do not count; the script then has a list `counts`."""
        return not all(all(counts) for _, _, counts in self.sequences)

    @cached_property
    def chained(self) -> bool:
        """Whether every target is the next input: the script then writes each sequence once."""
        shifted = (inputs[1:] == targets[:-1] for inputs, targets, _ in self.sequences)
        return not self.masked and all(shifted)

    @cached_property
    def packed(self) -> bool:
        """Whether `code` calls `unpacked`."""
        return sum(len(row) for rows in self._rows for row in rows) > MAX_WRITTEN

    @property
    def loop_variables(self) -> str:
        """The variables of a loop over the script's `sequences`."""
        return "sequence" if self.chained else "inputs, targets" + ", counts" * self.masked

    @cached_property
    def _rows(self) -> list[tuple[Numbers, ...]]:
        """The lists that are written for each sequence: one, two or three."""
        if self.chained:
            return [(inputs + targets[-1:],) for inputs, targets, _ in self.sequences]
        return [sequence if self.masked else sequence[:2] for sequence in self.sequences]

    @cached_property
    def _single(self) -> bool:
        """Whether every label is one character."""
        return all(len(label) == 1 for label in self.labels)

    @cached_property
    def _spelled(self) -> bool:
        """Whether sequences are written as texts, one character a step."""
        return self._single and not self.masked and not self.packed

    # `code` and `read_sequences` belong together: the code itself is never run here, because it
    # contains labels, which are text from data.

    def code(self) -> Iterator[str]:
        """Yields the lines that define `symbols` and `sequences`."""
        if self._single:
            yield f"symbols = {string_literal(''.join(self.labels))}"
        elif self.labels == tuple(map(str, range(len(self.labels)))):
            yield f"symbols = [str(number) for number in range({len(self.labels)})]"
        else:
            yield f"symbols = {wrapped_literal(self.labels)}"
        if self._spelled:
            yield "char_to_int = {char: number for number, char in enumerate(symbols)}"
            texts = [[self._text(row) for row in rows] for rows in self._rows]
            numbers = "[char_to_int[char] for char in text]"
            if self.chained:
                yield from list_assignment("texts", list(itertools.chain(*texts)))
                yield f"sequences = [{numbers} for text in texts]"
            else:
                yield "# The inputs and the targets of each sequence."
                yield from list_assignment("texts", [f"({', '.join(pair)})" for pair in texts])
                yield f"sequences = [[{numbers} for text in pair] for pair in texts]"
            return
        parts = ": inputs, targets" + ", 1 where a target counts" * self.masked
        yield f"# Each sequence as numbers of symbols{'' if self.chained else parts}."
        rows = [lists[0] if self.chained else list(lists) for lists in self._rows]
        if self.packed:
            array = np.array(rows, np.min_scalar_type(len(self.labels)))
            yield f"sequences = {packed_expression(array)}.tolist()"
        else:
            yield from list_assignment("sequences", [wrapped_literal(row) for row in rows])

    def read_sequences(self) -> Iterator[SymbolSequence]:
        """Yields the sequences that the script reads from its code.

        They differ from `sequences` where texts are written and two symbols share a label.
        """
        char_to_int = {char: number for number, char in enumerate(self.labels)}
        for inputs, targets, counts in self.sequences:
            if self._spelled:
                inputs = [char_to_int[self.labels[n]] for n in inputs]
                targets = [char_to_int[self.labels[n]] for n in targets]
            yield SymbolSequence(inputs, targets, counts)

    def _text(self, numbers: Numbers) -> str:
        return string_literal("".join(self.labels[n] for n in numbers))
