"""What a sequence problem is: sequences to train on, sequences to be scored on, and "solved"."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from lstm_bench.statistics import Kind

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Sequence:
    """One sequence of T steps: what goes in, what should come out, which steps count.

    Symbols: `inputs` (T,) and `targets` (T,) are integers. Real values: (T, F) and (T, K) floats.
    A `cyclic` sequence goes on from its last step to its first.
    """

    inputs: NDArray[np.generic]
    targets: NDArray[np.generic]
    scored: NDArray[np.bool_]
    cyclic: bool = False

    def __len__(self) -> int:
        return len(self.inputs)

    @classmethod
    def next_symbol(cls, symbols: list[int] | NDArray[np.integer]) -> Sequence:
        """Returns the sequence that asks for the next symbol at every step.

        >>> Sequence.next_symbol([3, 0, 1, 2, 3]).targets
        array([0, 1, 2, 3])
        """
        array = np.asarray(symbols, dtype=np.int64)
        return cls(array[:-1], array[1:], np.ones(len(array) - 1, bool))


@dataclass(frozen=True)
class Problem:
    """The sequences of one seed: `train` to learn from, `unseen` to be scored on alone.

    Where there are unseen sequences they are what the score is of; else it is the training ones.
    """

    train: tuple[Sequence, ...]
    unseen: tuple[Sequence, ...] = ()

    @property
    def sequences(self) -> tuple[Sequence, ...]:
        """All sequences, in the order in which they are numbered."""
        return self.train + self.unseen

    @property
    def judged(self) -> list[tuple[int, Sequence]]:
        """What the score is of, with its numbers."""
        numbered = list(enumerate(self.sequences))
        return numbered[len(self.train) :] if self.unseen else numbered


class Task(BaseModel, ABC):
    """A sequence problem with its parameters, as a frozen value.

    A subclass states its `name`, its `kind` of target, the settings of its first published
    recipe (`defaults`), its `labels` and its `chance` (properties, or plain values), and returns
    its sequences from `problem`. Parameters are fields: they can be set, searched and recorded like
    any other setting of a recipe. Raise `version` whenever the sequences of a seed change, so that
    old results are not taken for new ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: ClassVar[str]
    kind: ClassVar[Kind] = "categorical"
    version: ClassVar[int] = 1
    source: ClassVar[str] = ""
    autoregressive: ClassVar[bool] = True
    """Whether a step's answer is the next step's input: what generation feeds back, and what a

    network that reads backwards must not see."""
    symbolic: ClassVar[bool] = True
    """Whether the inputs are symbols of an alphabet, or real values."""
    defaults: ClassVar[Mapping[str, object]] = {}
    tolerance: ClassVar[float] = 0.0
    in_search: ClassVar[Mapping[str, object]] = {}
    """Parameters that hold in a search alone: what keeps data back from it, to be judged by."""
    has_naive: ClassVar[bool] = False
    """Whether `naive` has answers, to which a network's are compared."""
    unnamed: ClassVar[frozenset[str]] = frozenset()
    """Parameters that a recipe's name leaves out."""
    asking: ClassVar[frozenset[str]] = frozenset()
    """Parameters that say which question is asked, of which data: they cannot be searched."""

    @classmethod
    def suited(cls, settings: Mapping[str, Any]) -> type[Task]:
        """Returns the class that `settings` call for: this one, unless data decide its kind."""
        return cls

    def naive(self, lags: int | None = None) -> Mapping[str, tuple[Floats, ...]]:
        """Returns what could be answered without a network: an array (T,) for each sequence.

        In the data's units, or the numbers of symbols. `lags` are the steps that a linear model
        looks at. Empty where nobody asks.
        """
        return {}

    def in_units(
        self, sequence: NDArray[np.integer], step: NDArray[np.integer], values: Floats
    ) -> Floats:
        """Returns values (M, K) that answer steps (M,) of sequences (M,) in the data's units."""
        return values

    def moments(
        self, sequence: NDArray[np.integer], step: NDArray[np.integer]
    ) -> tuple[NDArray[np.object_], NDArray[np.integer]]:
        """Returns what steps (M,) of sequences (M,) are called, and in which order they came.

        Asked where there are naive answers. Sequences run side by side, unless data say otherwise:
        their steps of one number share a time.
        """
        return np.asarray(step, object), np.asarray(step)

    @property
    def generates(self) -> bool:
        """Whether its answers can be fed back as the next inputs."""
        return self.autoregressive

    @property
    def known(self) -> Mapping[str, Any]:
        """What is to be remembered of the data beside an outcome, as plain values."""
        return {}

    def summary(self) -> tuple[str, ...]:
        """Returns what was found out about the data, a sentence each."""
        return ()

    @abstractmethod
    def problem(self, seed: int) -> Problem:
        """Returns the sequences for `seed`; the same seed gives the same sequences."""

    @property
    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """The printed name of each symbol; its length is the size of the alphabet.

        Empty for a task of real values.
        """

    @property
    @abstractmethod
    def chance(self) -> float:
        """Step accuracy of the best answer that looks at no input at all."""

    @property
    def ceiling(self) -> float:
        """Step accuracy of the best possible answer that remembers the whole sequence."""
        return 1.0

    @property
    def bar(self) -> float:
        """Step accuracy over all scored steps from which the task counts as solved."""
        return 1.0

    @property
    def fingerprint(self) -> str:
        """What else tells results on these data from results on others; part of a recipe's digest.

        Empty for the tasks of this package, whose `version` says so; else a hash of the data.
        """
        return "" if is_built_in(type(self)) else data_hash(self)

    @property
    def alphabet_size(self) -> int:
        """Number of symbols, on input and on output."""
        return len(self.labels)


# What is no parameter and depends on none may be stated as a plain value: `chance = 0.5`.
Task.__class_vars__.update({"labels", "chance", "ceiling", "bar"})


def is_built_in(task: type[Task]) -> bool:
    """Returns whether `task` is of this package, and not of a user's file or another package."""
    return task.__module__.startswith("lstm_bench.")


def data_hash(task: Task) -> str:
    """Returns 16 hexadecimal digits of the sequences of two seeds, and of how they are judged."""
    judged = (task.kind, task.labels, task.tolerance, task.bar)
    digest = hashlib.sha256(repr(judged).encode())
    for seed in (0, 1):  # two, so that another use of the seed is another state too
        problem = task.problem(seed)
        digest.update(repr((len(problem.train), len(problem.unseen))).encode())
        for sequence in problem.sequences:
            digest.update(repr(sequence.cyclic).encode())
            for array in (sequence.inputs, sequence.targets, sequence.scored):
                digest.update(repr((array.dtype.str, array.shape)).encode())
                digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def most_frequent(problem: Problem) -> float:
    """Returns the share of scored steps whose target is the most frequent one.

    >>> most_frequent(Problem((Sequence.next_symbol([0, 1, 2, 1, 2, 1]),)))
    0.6
    """
    targets = np.concatenate([s.targets[s.scored] for s in problem.train])
    return float(np.unique(targets, return_counts=True)[1].max() / len(targets))
