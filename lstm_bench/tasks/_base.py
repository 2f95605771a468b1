"""The base class of a sequence problem, and the sequences that it returns for a seed."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from lstm_bench.errors import RecipeError, TaskError
from lstm_bench.safety import pydantic_faults, shown_value
from lstm_bench.statistics import Kind

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Sequence:
    """One sequence of T time steps: its inputs, its targets, and which steps are scored.

    For symbols, `inputs` (T,) and `targets` (T,) are integers. For real values, `inputs` (T, F) and
    `targets` (T, K) are floats. `scored` (T,) is boolean. In a `cyclic` sequence the first step
    follows the last.

    `recall` (T,) marks the scored steps whose target depends on an earlier input. They have a
    separate accuracy, and `recall_weight` is their weight in the loss. `possible` (T, K) marks the
    symbols that can come next, if there are several. A step is then correct if each of them has a
    larger output than every other symbol, whichever of them is the target.

    >>> len(Sequence(np.array([0, 1]), np.array([1, 0]), np.array([True, True])))
    2
    """

    inputs: NDArray[np.generic]
    targets: NDArray[np.generic]
    scored: NDArray[np.bool_]
    cyclic: bool = False
    recall: NDArray[np.bool_] | None = None
    possible: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    @classmethod
    def next_symbol(cls, symbols: list[int] | NDArray[np.integer]) -> Sequence:
        """Returns the sequence whose target at every step is the next symbol.

        >>> Sequence.next_symbol([3, 0, 1, 2, 3]).targets
        array([0, 1, 2, 3])
        """
        try:
            array = np.asarray(symbols, dtype=np.int64)
        except (TypeError, ValueError, OverflowError):
            array = np.zeros((), np.int64)
        if array.ndim != 1 or len(array) < 2:
            rule = "next_symbol: must get two or more symbols as whole numbers, e.g. [0, 2, 1]"
            raise TaskError(f"{rule}, but got {shown_value(symbols)}")
        return cls(array[:-1], array[1:], np.ones(len(array) - 1, bool))

    def recalled_at(self, *steps: int) -> Sequence:
        """Returns this sequence with `steps` marked as steps that need memory.

        >>> Sequence.next_symbol([3, 0, 1, 3]).recalled_at(-1).recall
        array([False, False,  True])
        """
        recall = np.zeros(len(self), bool)
        recall[list(steps)] = True
        return replace(self, recall=recall)


@dataclass(frozen=True)
class Problem:
    """The sequences of one seed: `train` for training, `unseen` only for scoring.

    The score is computed on the unseen sequences alone, if there are any, else on `train`.

    >>> seen, unseen = (Sequence.next_symbol(symbols) for symbols in ([0, 1, 2], [0, 2, 1]))
    >>> len(Problem((seen,), unseen=(unseen,)).sequences)
    2
    """

    train: tuple[Sequence, ...]
    unseen: tuple[Sequence, ...] = ()

    @property
    def sequences(self) -> tuple[Sequence, ...]:
        """All sequences, in the order of their numbers: training sequences first."""
        return self.train + self.unseen

    @property
    def scored_sequences(self) -> list[tuple[int, Sequence]]:
        """The sequences on which the score is computed, each with its number."""
        numbered = list(enumerate(self.sequences))
        return numbered[len(self.train) :] if self.unseen else numbered


@dataclass(frozen=True)
class StoppingRule:
    """The rule by which training has succeeded, applied to the training sequences as they come.

    A sequence is a miss if the output at a scored step is off by `tolerance` or more, before the
    weights are updated with this sequence. The last `sequences` training sequences may have at most
    `misses` misses, and the mean of their largest errors must be below `mean_error`, if given. With
    `last_step`, only the last scored step of each sequence counts.

    >>> StoppingRule(sequences=2000, tolerance=0.04, mean_error=0.01).misses
    0
    """

    sequences: int
    tolerance: float
    misses: int = 0
    mean_error: float | None = None
    last_step: bool = False


class Task(BaseModel, ABC):
    """A sequence problem with its parameters, as a frozen value.

    A subclass defines its `name`, the `kind` of its targets, and the settings of its first
    published recipe (`defaults`). It defines `labels` and `chance`, as properties or plain values,
    and returns its sequences from `problem`. Its parameters are pydantic fields: they can be set,
    searched and recorded like any other setting of a recipe. Raise `version` whenever the sequences
    of a seed change, so that old results are not mistaken for results on the new sequences.

    >>> from lstm_bench.tasks import BUILT_IN
    >>> memory = BUILT_IN["memory"]()
    >>> memory.name, memory.kind, len(memory.problem(seed=0).train)
    ('memory', 'categorical', 2)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: ClassVar[str]
    kind: ClassVar[Kind] = "categorical"
    version: ClassVar[int] = 1
    source: ClassVar[str] = ""
    autoregressive: ClassVar[bool] = True
    """Whether the target of a step is the input of the next step.

    If so, generation feeds predictions back as inputs, and a network that also reads backwards
    would see its targets."""
    symbolic: ClassVar[bool] = True
    """Whether the inputs are symbols of an alphabet; if not, they are real values."""
    defaults: ClassVar[Mapping[str, object]] = {}
    tolerance: ClassVar[float] = 0.0
    search_overrides: ClassVar[Mapping[str, object]] = {}
    """Parameter values during a search, which hold back the data on which finalists are scored."""
    has_baselines: ClassVar[bool] = False
    """Whether `baselines` returns any predictions to compare a network with."""
    omitted_from_name: ClassVar[frozenset[str]] = frozenset()
    """Parameters that a recipe's name omits."""
    not_searchable: ClassVar[frozenset[str]] = frozenset()
    """Parameters that define what is predicted from which data; a search cannot vary them."""

    def __init__(self, **parameters: Any) -> None:
        """Raises `RecipeError` for an unknown parameter or an invalid value."""
        try:
            super().__init__(**parameters)
        except ValidationError as error:
            raise RecipeError(pydantic_faults(error, parameters, type(self))) from error

    @classmethod
    def class_for(cls, settings: Mapping[str, Any]) -> type[Task]:
        """Returns the task class for `settings`: this one, unless the kind depends on the data."""
        return cls

    def baselines(self, lags: int | None = None) -> Mapping[str, tuple[Floats, ...]]:
        """Returns the predictions of baselines by name: an array (T,) for each sequence.

        Predictions are in the data's units, or numbers of symbols. `lags` is the number of steps
        that the linear model uses; with None it chooses. Empty for a task without baselines.
        """
        return {}

    def in_units(
        self, sequence: NDArray[np.integer], step: NDArray[np.integer], values: Floats
    ) -> Floats:
        """Returns values (M, K) at steps (M,) of sequences (M,), in the data's units."""
        return values

    def step_times(
        self, sequence: NDArray[np.integer], step: NDArray[np.integer]
    ) -> tuple[NDArray[np.object_], NDArray[np.integer]]:
        """Returns the times of steps (M,) of sequences (M,) as text, and their ranks in time (M,).

        Used only if there are baselines. By default the sequences are parallel in time: steps with
        the same number share a time.
        """
        return np.asarray(step, object), np.asarray(step)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the K outputs of a step, if baselines forecast each of several outputs.

        Then `baselines` returns arrays (T, K), and `step_times` returns times (M, K).
        """
        return ()

    @property
    def output_units(self) -> tuple[float, ...]:
        """The divisors of each output's errors before they are averaged; empty if all are 1."""
        return ()

    @property
    def generates(self) -> bool:
        """Whether predictions can be fed back as the next inputs."""
        return self.autoregressive

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """How the data were read and scaled, as plain values that are stored with an outcome."""
        return {}

    def summary(self) -> tuple[str, ...]:
        """Returns the facts that were inferred from the data, one phrase for each."""
        return ()

    @abstractmethod
    def problem(self, seed: int) -> Problem:
        """Returns the sequences for `seed`; the same seed gives the same sequences."""

    def epoch_sequences(self, seed: int, epoch: int) -> tuple[Sequence, ...] | None:
        """Returns the training sequences of `epoch`, or None if all epochs share them.

        Epochs are counted from 1, whose sequences are `problem(seed).train`. Every epoch has the
        same number of sequences; draw them from `seeds.epoch_stream`. The score is computed on the
        unseen sequences of `problem`.
        """
        return None

    @property
    def longest(self) -> int | None:
        """The largest length that a sequence can have, if lengths differ between seeds or epochs.

        None if every seed and epoch has sequences of the same lengths.
        """
        return None

    @property
    def retrained_at(self) -> tuple[Mapping[str, object], ...]:
        """The parameters of the task at each origin, if a recipe is trained anew at several.

        An origin is the end of the training data. Each origin has separate scored steps, in the
        order of time. Empty for a task on which a recipe is trained once.
        """
        return ()

    @property
    def preparation_seconds(self) -> float:
        """About how many seconds it takes to make the data and the baselines, once a machine.

        It is measured on a reference machine, and only used to estimate the time of a sweep.
        """
        return 0.0

    @property
    def scores_seen_sequences(self) -> bool:
        """Whether `problem` may have training sequences among the `unseen` ones, on purpose.

        This reproduces an experiment whose test sequences were drawn like the training sequences.
        The score is then not a score on new sequences.
        """
        return False

    @property
    def stopping_rule(self) -> StoppingRule | None:
        """The published rule for when training ends; used by recipes with `stop=rule`."""
        return None

    @property
    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """The printed name of each symbol; its length is the size of the alphabet.

        Empty for a task of real values.
        """

    @property
    @abstractmethod
    def chance(self) -> float:
        """Step accuracy of the best prediction that uses no input."""

    @property
    def ceiling(self) -> float:
        """Step accuracy of the best possible prediction from all inputs up to the step."""
        return 1.0

    @property
    def bar(self) -> float:
        """The lowest accuracy over all scored steps at which the task counts as solved."""
        return 1.0

    @property
    def fingerprint(self) -> str:
        """A hash of the data, which is part of a recipe's digest.

        Empty for the tasks of this package: their `version` identifies the data.
        """
        return "" if is_built_in(type(self)) else data_hash(self)

    @property
    def alphabet_size(self) -> int:
        """The number of symbols, for inputs and outputs."""
        return len(self.labels)


# Properties that depend on no parameter may be given as plain values: `chance = 0.5`.
Task.__class_vars__.update({"labels", "chance", "ceiling", "bar", "scores_seen_sequences"})


def is_built_in(task: type[Task]) -> bool:
    """Returns whether `task` belongs to this package, not to a user's file or another package."""
    return task.__module__.startswith("lstm_bench.")


def data_hash(task: Task) -> str:
    """Returns 16 hexadecimal digits of a hash of two seeds' sequences and their scoring."""
    scoring = (task.kind, task.labels, task.tolerance, task.bar)
    digest = hashlib.sha256(repr(scoring).encode())
    for seed in (0, 1):  # two seeds, so that a change in how the seed is used changes the hash
        problem = task.problem(seed)
        digest.update(repr((len(problem.train), len(problem.unseen))).encode())
        for sequence in problem.sequences:
            digest.update(repr(sequence.cyclic).encode())
            masks = (sequence.recall, sequence.possible)
            for array in (sequence.inputs, sequence.targets, sequence.scored, *masks):
                if array is None:
                    continue
                digest.update(repr((array.dtype.str, array.shape)).encode())
                digest.update(np.ascontiguousarray(array).tobytes())
        for sequence in task.epoch_sequences(seed, 2) or ():
            digest.update(np.ascontiguousarray(sequence.inputs).tobytes())
    return digest.hexdigest()[:16]


def most_frequent_share(problem: Problem) -> float:
    """Returns the share of scored training steps whose target is the most frequent one.

    >>> most_frequent_share(Problem((Sequence.next_symbol([0, 1, 2, 1, 2, 1]),)))
    0.6
    """
    targets = np.concatenate([s.targets[s.scored] for s in problem.train])
    return float(np.unique(targets, return_counts=True)[1].max() / len(targets))
