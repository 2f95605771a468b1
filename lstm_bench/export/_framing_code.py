"""The framing of sequences in a script: its lines of code, and the same steps in this process.

Each framing is written twice, as lines (`code`) and as the samples that those lines make
(`samples`): code that contains a user's text is never run here. The tests run it, and check that
both give the same samples.

A script calls the parts of a sequence `inputs`, `targets` and `counts`: which targets count.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from lstm_bench.export._symbols import Numbers, SymbolSequence
from lstm_bench.recipes import Framing


class FramedSample(NamedTuple):
    """A sample as lists: its symbols, its target, and 1 where the target counts, else 0.

    Targets and counts are lists too where the network has an output at every step.
    """

    inputs: Numbers
    target: int | Numbers
    counts: int | Numbers


FramedSamples = Iterator[FramedSample]

STREAM = '''\
def stream(role, *path):
    """Returns a random generator that depends only on the seed and on what it is used for."""
    key = np.random.SeedSequence(SEED, spawn_key=(role, *path))
    return np.random.Generator(np.random.Philox(key))
'''


def data_stream(seed: int, number: int) -> Generator:
    """Returns `stream(1, number)` of a script of `seed`: the generator of sequence `number`.

    `lstm_bench.seeds.stream` is another one: it tells apart the sources of a crossed seed, which
    scripts do not have.
    """
    return Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(1, number))))


class FramingCode(ABC):
    """How a script frames one sequence, in the body of a loop over the sequences."""

    numbered: bool = False
    """Whether the loop counts the sequences in `number`."""

    @abstractmethod
    def code(self, framing: Framing) -> list[str]:
        """Returns the lines that append to the script's lists `samples` and `answers`."""

    @abstractmethod
    def samples(self, framing: Framing, sequence: SymbolSequence, rng: Generator) -> FramedSamples:
        """Yields the samples that the lines of `code` append for one sequence.

        `rng` is `data_stream` of the sequence.
        """


class _Pairs(FramingCode):
    def code(self, framing: Framing) -> list[str]:
        return [
            "for step in range(len(inputs)):",
            "    samples.append([inputs[step]])",
            "    answers.append(targets[step])",
        ]

    def samples(self, framing: Framing, sequence: SymbolSequence, rng: Generator) -> FramedSamples:
        inputs, targets, counts = sequence
        for step in range(len(inputs)):
            yield FramedSample([inputs[step]], targets[step], counts[step])


class _Window(FramingCode):
    def code(self, framing: Framing) -> list[str]:
        window = getattr(framing, "window", 1)
        return [
            f"for start in range(len(inputs) - {window - 1}):",
            f"    samples.append(inputs[start : start + {window}])",
            f"    answers.append(targets[start + {window - 1}])",
        ]

    def samples(self, framing: Framing, sequence: SymbolSequence, rng: Generator) -> FramedSamples:
        inputs, targets, counts = sequence
        window = getattr(framing, "window", 1)
        for start in range(len(inputs) - (window - 1)):
            last = start + window - 1
            yield FramedSample(inputs[start : start + window], targets[last], counts[last])


class _Prefixes(FramingCode):
    def code(self, framing: Framing) -> list[str]:
        return [
            "for step in range(len(inputs)):",
            "    samples.append(inputs[: step + 1])",
            "    answers.append(targets[step])",
        ]

    def samples(self, framing: Framing, sequence: SymbolSequence, rng: Generator) -> FramedSamples:
        inputs, targets, counts = sequence
        for step in range(len(inputs)):
            yield FramedSample(inputs[: step + 1], targets[step], counts[step])


class _Substrings(FramingCode):
    numbered = True

    def code(self, framing: Framing) -> list[str]:
        count, longest = (getattr(framing, key) for key in ("substrings", "max_length"))
        return [
            "rng = stream(1, number)  # 1: data",
            f"starts = rng.integers(0, len(inputs) - 1, size={count})",
            f"ends = rng.integers(starts, np.minimum(starts + {longest}, len(inputs)))",
            "for start, end in zip(starts, ends):",
            "    samples.append(inputs[start : end + 1])",
            "    answers.append(targets[end])",
        ]

    def samples(self, framing: Framing, sequence: SymbolSequence, rng: Generator) -> FramedSamples:
        inputs, targets, counts = sequence
        count, longest = (getattr(framing, key) for key in ("substrings", "max_length"))
        starts = rng.integers(0, len(inputs) - 1, size=count)
        ends = rng.integers(starts, np.minimum(starts + longest, len(inputs)))
        for start, end in zip(starts, ends, strict=True):
            yield FramedSample(inputs[start : end + 1], targets[end], counts[end])


class _Whole(FramingCode):
    def code(self, framing: Framing) -> list[str]:
        return ["samples.append(inputs)", "answers.append(targets)"]

    def samples(self, framing: Framing, sequence: SymbolSequence, rng: Generator) -> FramedSamples:
        yield FramedSample(*sequence)


FRAMING_CODE: dict[str, FramingCode] = {
    "pairs": _Pairs(),
    "window": _Window(),
    "feature_window": _Window(),
    "prefixes": _Prefixes(),
    "substrings": _Substrings(),
    "whole": _Whole(),
}
"""How a script writes each framing, by the framing's name."""
