"""The fields of a training configuration, and the values derived from them."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    SerializeAsAny,
    WithJsonSchema,
    model_validator,
)

from lstm_bench.recipes import _lstm_1997 as lstm_1997
from lstm_bench.recipes import _schedule as schedule
from lstm_bench.recipes._evaluations import default_distance, evaluated_epochs, evaluation_share
from lstm_bench.recipes._framings import Framing
from lstm_bench.recipes._lstm_1997 import Biases, Lstm1997, Squashing
from lstm_bench.recipes._own_network import NAME_IN_SCHEMAS, OwnNetwork, own_network
from lstm_bench.recipes._samples import Encoding, Samples
from lstm_bench.recipes._schedule import Layout, Reset, Schedule, Shuffle
from lstm_bench.tasks import Lengths, Task, checked_epoch, checked_problem, sequence_lengths

NetworkOfOurs = Literal["lstm", "gru", "simple_rnn", "mlp", "conv1d", "lstm_1997"]
NETWORKS: tuple[str, ...] = get_args(NetworkOfOurs)
"""The networks of this package."""
Network = (
    NetworkOfOurs
    | Annotated[
        OwnNetwork,
        PlainValidator(own_network),
        WithJsonSchema({"type": "string", "pattern": f"^{NAME_IN_SCHEMAS}$"}),
    ]
)
Output = Literal["softmax", "sigmoid", "linear"]
Loss = Literal[
    "categorical_crossentropy", "binary_crossentropy", "mean_squared_error", "summed_squared_error"
]
Optimizer = Literal["adam", "sgd", "rmsprop"]
Decay = Literal["linear", "cosine"]
GateBias = Annotated[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], Field(strict=False)]
"""One initial value for each block of an lstm_1997."""
Evaluation = Literal["teacher_forced", "free_running", "cold_start", "random_order", "step_by_step"]

FEEDFORWARD = ("mlp", "conv1d")
"""Networks that carry no state from one time step to the next."""


def encodings(task: type[Task]) -> tuple[Encoding, ...]:
    """Returns the input encodings that `task` allows, the default first."""
    return ("onehot", "scaled") if task.symbolic else ("raw",)


class Configuration(BaseModel):
    """The settings of a training run, each checked for its type.

    `rules.faults` checks which settings fit together.
    """

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
    forget_bias: (
        Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)] | Literal["chrono"] | None
    ) = None
    longest_time: Annotated[int, Field(ge=3, le=1_000_000)] | None = None
    clip_norm: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None
    decay: Decay | None = None
    truncate: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    stateful: bool = False
    layout: Layout = "rows"
    reset: Reset = "sequence"
    shuffle: Shuffle = "none"
    evaluation: Evaluation = "teacher_forced"
    evaluate_every: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    start: str | None = None
    recall_weight: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] | None = None
    stop_after_solved: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    stop: Literal["rule"] | None = None
    block_size: Annotated[int, Field(ge=1, le=4096)] | None = None
    output_gate: bool | None = None
    squashing: Squashing | None = None
    recurrent_inputs: bool | None = None
    biases: Biases | None = None
    input_gate_bias: GateBias | None = None
    output_gate_bias: GateBias | None = None
    initial_range: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] | None = None
    update: Literal["step"] | None = None
    cells_from: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _add_defaults(cls, settings: Any) -> Any:
        return lstm_1997.with_defaults(settings)

    def __eq__(self, other: object) -> bool:
        """Compares the fields alone; values derived from them may be arrays."""
        if type(self) is not type(other):
            return NotImplemented
        fields = type(self).model_fields
        return all(getattr(self, name) == getattr(other, name) for name in fields)

    @property
    def recurrent(self) -> bool:
        """Whether the network carries a state from one time step to the next."""
        return self.network not in FEEDFORWARD and self.own_network is None

    @property
    def own_network(self) -> OwnNetwork | None:
        """The user's function that builds the network; None for a network of this package."""
        return self.network if isinstance(self.network, OwnNetwork) else None

    @property
    def lstm_1997(self) -> Lstm1997 | None:
        """The settings of an lstm_1997 layer; None for other networks."""
        if self.network != "lstm_1997":
            return None
        values = (getattr(self, field.name) for field in dataclasses.fields(Lstm1997))
        return Lstm1997(*values)

    @property
    def gate_biases(self) -> tuple[tuple[int, tuple[float, ...]], ...]:
        """The given initial biases of the gates of an lstm_1997.

        Each is where its values begin in the bias of a layer, counted from its end, and the values.
        That end is an input gate for each block, and then an output gate for each block.
        """
        blocks = self.units // (self.block_size or 1)
        given = [
            (2 * blocks if self.output_gate else blocks, self.input_gate_bias),
            (blocks, self.output_gate_bias),
        ]
        return tuple((-begin, values) for begin, values in given if values is not None)

    def samples(self, seed: int) -> Samples:
        """Returns the encoded samples of `seed`: the training samples, then the unseen ones."""
        size = self.task.alphabet_size
        problem = checked_problem(self.task, seed, self.lengths)
        return self.framing.samples(problem, size, self.encoding, seed, self.task.longest)

    def evaluated_samples(self, seed: int) -> Samples:
        """Returns the samples of `seed` that are evaluated: all, or with new ones the unseen."""
        samples = self.samples(seed)
        return samples.part(unseen=True) if self.fresh else samples

    def epoch_samples(self, seed: int, epoch: int) -> Samples:
        """Returns the training samples of `epoch`, from 1, of a task with fresh sequences."""
        problem = checked_epoch(self.task, seed, epoch, self.lengths[0])
        size = self.task.alphabet_size
        # As wide as the samples of the unseen sequences, which may be longer.
        longest = self.task.longest or max(sum(self.lengths, ()))
        return self.framing.samples(problem, size, self.encoding, seed, longest)

    @cached_property
    def fresh(self) -> bool:
        """Whether every epoch has new training sequences."""
        return self.task.epoch_sequences(0, 1) is not None

    @cached_property
    def lengths(self) -> Lengths:
        """The lengths of the training and of the unseen sequences, the same for every seed."""
        return sequence_lengths(checked_problem(self.task, 0))

    @property
    def counts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The number of samples from each training sequence and from each unseen sequence."""
        train, unseen = self.lengths
        return tuple(map(self.framing.count, train)), tuple(map(self.framing.count, unseen))

    @property
    def rows(self) -> int:
        """The number of samples in a batch."""
        return sum(self.counts[0]) if self.batch_size == "all" else self.batch_size

    @property
    def width(self) -> int:
        """The number of time steps in a sample."""
        return self.framing.width(self.task.longest or max(self.lengths[0] + self.lengths[1]))

    @cached_property
    def schedule(self) -> Schedule:
        """How the training samples are arranged in batches, the same for every seed."""
        counts, _ = self.counts
        return Schedule(counts, self.rows, self.stateful, self.layout, self.reset, self.shuffle)

    @cached_property
    def stateful_evaluation_batches(self) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The batches and resets of an evaluation; see `schedule.stateful_evaluation_batches`."""
        batches = schedule.stateful_evaluation_batches(self.schedule, self.counts[1])
        if not self.fresh:
            return batches
        index, reset = batches  # only the unseen samples are evaluated, and numbered from 0
        unseen = index.max(axis=1) >= self.schedule.samples
        return np.maximum(index[unseen] - self.schedule.samples, -1), reset[unseen]

    @cached_property
    def evaluated_epochs(self) -> NDArray[np.int64]:
        """The epochs, from 1, after which all samples are evaluated; see `_evaluations`.

        If the task's rule ends training before, its last epoch is evaluated too. Only the learning
        curve and the epoch from which a task stays solved depend on them.
        """
        return evaluated_epochs(self.epochs, self.evaluation_distance)

    @cached_property
    def evaluation_distance(self) -> int | None:
        """The epochs from one evaluation to the next; None if they grow. See `_evaluations`."""
        if self.evaluate_every is not None:
            return self.evaluate_every
        plan, samples = self.schedule, sum(map(sum, self.counts[self.fresh :]))
        forward = self.forward_multiply_adds()
        share = evaluation_share(samples, plan.batches, plan.batch_size, forward)
        return default_distance(share)

    def forward_multiply_adds(self, features: int = 1) -> int:
        """Returns about how many multiply-adds the forward pass of one sample takes.

        There are four gates for every time step and layer.
        """
        return 4 * self.width * self.layers * self.units * (self.units + features)

    @property
    def longest_dependency(self) -> int:
        """The longest time over which `forget_bias="chrono"` lets cells remember, in time steps."""
        return self.width if self.longest_time is None else self.longest_time

    @property
    def training_steps(self) -> int:
        """The number of batches in the training of one seed."""
        return self.epochs * self.schedule.batches

    @property
    def updates(self) -> int:
        """The number of weight updates in the training of one seed."""
        return self.epochs * self.epoch_updates // self.accumulate

    @cached_property
    def epoch_updates(self) -> int:
        """The number of weight updates in an epoch, if gradients do not accumulate.

        With `update=step` they are those of seed 0; where lengths differ, other seeds have others.
        """
        if self.update is None:
            return self.schedule.batches
        return sum(int(sequence.scored.sum()) for sequence in self.task.problem(0).train)
