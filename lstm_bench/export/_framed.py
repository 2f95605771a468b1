"""The lines of a script that frame its sequences, and the same in this process.

Each framing is written twice, as the lines of `code` and as the lists that they make, for code
that holds a user's text is never run here. Tests run it, and hold the two together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np

from lstm_bench.recipes import Framing

Numbers = list[int]
Made = tuple[Numbers, int | Numbers, int | Numbers]
"""A sample, its answer and whether that counts; lists of these with an output at every step."""

STREAM = '''\
def stream(role, *path):
    """Returns random numbers that depend on nothing but the seed and what they are for."""
    key = np.random.SeedSequence(SEED, spawn_key=(role, *path))
    return np.random.Generator(np.random.Philox(key))
'''


def stream(seed: int, role: int, *path: int) -> np.random.Generator:
    """Returns the random numbers that `STREAM` gives a script of `seed`.

    Not those of `lstm_bench.seeds`, which tell a crossed seed's sources apart: a script does not.
    """
    key = np.random.SeedSequence(seed, spawn_key=(role, *path))
    return np.random.Generator(np.random.Philox(key))


class Framed(ABC):
    """How a script frames a sequence, in a loop that has `shown` and `asked`."""

    numbered: bool = False
    """Whether the loop counts its sequences in `number`."""

    @abstractmethod
    def code(self, framing: Framing) -> list[str]:
        """Returns the lines that append to `samples` and `answers`."""

    @abstractmethod
    def made(
        self, framing: Framing, seed: int, number: int, shown: Numbers, asked: Numbers, counts: Any
    ) -> Iterator[Made]:
        """Yields what these lines append, and from `counts` as they do from `asked`."""


class _Pairs(Framed):
    def code(self, framing: Framing) -> list[str]:
        return [
            "for step in range(len(shown)):",
            "    samples.append([shown[step]])",
            "    answers.append(asked[step])",
        ]

    def made(
        self, framing: Framing, seed: int, number: int, shown: Numbers, asked: Numbers, counts: Any
    ) -> Iterator[Made]:
        for step in range(len(shown)):
            yield [shown[step]], asked[step], counts[step]


class _Window(Framed):
    def code(self, framing: Framing) -> list[str]:
        window = getattr(framing, "window", 1)
        return [
            f"for start in range(len(shown) - {window - 1}):",
            f"    samples.append(shown[start : start + {window}])",
            f"    answers.append(asked[start + {window - 1}])",
        ]

    def made(
        self, framing: Framing, seed: int, number: int, shown: Numbers, asked: Numbers, counts: Any
    ) -> Iterator[Made]:
        window = getattr(framing, "window", 1)
        for start in range(len(shown) - (window - 1)):
            last = start + window - 1
            yield shown[start : start + window], asked[last], counts[last]


class _Prefixes(Framed):
    def code(self, framing: Framing) -> list[str]:
        return [
            "for step in range(len(shown)):",
            "    samples.append(shown[: step + 1])",
            "    answers.append(asked[step])",
        ]

    def made(
        self, framing: Framing, seed: int, number: int, shown: Numbers, asked: Numbers, counts: Any
    ) -> Iterator[Made]:
        for step in range(len(shown)):
            yield shown[: step + 1], asked[step], counts[step]


class _Substrings(Framed):
    numbered = True

    def code(self, framing: Framing) -> list[str]:
        count, longest = (getattr(framing, key) for key in ("substrings", "max_length"))
        return [
            "rng = stream(1, number)  # 1: data",
            f"starts = rng.integers(0, len(shown) - 1, size={count})",
            f"ends = rng.integers(starts, np.minimum(starts + {longest}, len(shown)))",
            "for start, end in zip(starts, ends):",
            "    samples.append(shown[start : end + 1])",
            "    answers.append(asked[end])",
        ]

    def made(
        self, framing: Framing, seed: int, number: int, shown: Numbers, asked: Numbers, counts: Any
    ) -> Iterator[Made]:
        count, longest = (getattr(framing, key) for key in ("substrings", "max_length"))
        rng = stream(seed, 1, number)
        starts = rng.integers(0, len(shown) - 1, size=count)
        ends = rng.integers(starts, np.minimum(starts + longest, len(shown)))
        for start, end in zip(starts, ends, strict=True):
            yield shown[start : end + 1], asked[end], counts[end]


class _Whole(Framed):
    def code(self, framing: Framing) -> list[str]:
        return ["samples.append(shown)", "answers.append(asked)"]

    def made(
        self, framing: Framing, seed: int, number: int, shown: Numbers, asked: Numbers, counts: Any
    ) -> Iterator[Made]:
        yield shown, asked, counts


FRAMED: dict[str, Framed] = {
    "pairs": _Pairs(),
    "window": _Window(),
    "feature_window": _Window(),
    "prefixes": _Prefixes(),
    "substrings": _Substrings(),
    "whole": _Whole(),
}
"""How each framing is written, by its name."""
