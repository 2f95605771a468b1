"""The fields of a training configuration, and what follows from them."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from lstm_bench.recipes import _schedule as schedule
from lstm_bench.recipes._framings import Encoding, Framing, Samples
from lstm_bench.recipes._schedule import Layout, Reset, Schedule, Shuffle
from lstm_bench.tasks import Lengths, Task, checked_problem, sequence_lengths

Network = Literal["lstm", "gru", "simple_rnn", "mlp", "conv1d"]
Output = Literal["softmax", "sigmoid", "linear"]
Loss = Literal["categorical_crossentropy", "binary_crossentropy", "mean_squared_error"]
Optimizer = Literal["adam", "sgd", "rmsprop"]
Evaluation = Literal["teacher_forced", "free_running", "cold_start", "random_order", "step_by_step"]

FEEDFORWARD = ("mlp", "conv1d")
"""Networks without a state that passes from step to step."""


def encodings(task: type[Task]) -> tuple[Encoding, ...]:
    """Returns how the inputs of `task` may be encoded, its default first."""
    return ("onehot", "scaled") if task.symbolic else ("raw",)


class Configuration(BaseModel):
    """What is trained and how, each field of its type; `rules` says what fits together."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    task: SerializeAsAny[Task]
    framing: SerializeAsAny[Framing]
    encoding: Encoding = "onehot"
    network: Network = "lstm"
    units: Annotated[int, Field(ge=1, le=4096)] = 32
    layers: Annotated[int, Field(ge=1, le=3)] = 1
    bidirectional: bool = False
    kernel_size: Annotated[int, Field(ge=1, le=1000)] = 3
    dropout: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.0
    output: Output
    loss: Loss
    optimizer: Optimizer = "adam"
    learning_rate: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
    momentum: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.0
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 250
    batch_size: Annotated[int, Field(ge=1)] | Literal["all"] = 1
    accumulate: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    stateful: bool = False
    layout: Layout = "rows"
    reset: Reset = "sequence"
    shuffle: Shuffle = "none"
    evaluation: Evaluation = "teacher_forced"
    start: str | None = None

    @property
    def recurrent(self) -> bool:
        """Whether the network has a state that passes from step to step."""
        return self.network not in FEEDFORWARD

    def samples(self, seed: int) -> Samples:
        """Returns the samples of `seed`, encoded: those to train on, then the unseen ones."""
        size = self.task.alphabet_size
        problem = checked_problem(self.task, seed, self.lengths)
        return self.framing.samples(problem, size, self.encoding, seed)

    @cached_property
    def lengths(self) -> Lengths:
        """The lengths of the training and of the unseen sequences; the same for every seed."""
        return sequence_lengths(checked_problem(self.task, 0))

    @property
    def counts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How many samples each training and each unseen sequence gives."""
        train, unseen = self.lengths
        return tuple(map(self.framing.count, train)), tuple(map(self.framing.count, unseen))

    @property
    def rows(self) -> int:
        """Samples of a batch."""
        return sum(self.counts[0]) if self.batch_size == "all" else self.batch_size

    @property
    def width(self) -> int:
        """Time steps of a sample."""
        return self.framing.width(max(self.lengths[0] + self.lengths[1]))

    @cached_property
    def schedule(self) -> Schedule:
        """How the training samples are dealt into batches; the same for every seed."""
        counts, _ = self.counts
        return Schedule(counts, self.rows, self.stateful, self.layout, self.reset, self.shuffle)

    @cached_property
    def asking(self) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The order in which a stateful network is evaluated: see `schedule.asking`."""
        return schedule.asking(self.schedule, self.counts[1])

    @property
    def updates(self) -> int:
        """Weight updates in a training run of one seed."""
        return self.epochs * self.schedule.batches // self.accumulate
