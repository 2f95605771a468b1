"""The dependencies, the inputs and the outputs of a compiled training program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from lstm_bench.recipes import SMALL_STEP, Lstm1997, Recipe, Samples, multiply_adds
from lstm_bench.statistics import Kind
from lstm_bench.training._kernel_calls import calls_kernels
from lstm_bench.training._stopping import judges_last_step

CHUNK_STEPS = 20_000
"""Training steps of a small network in one call of the program: about 0.1 s of work.

Ctrl-C takes effect between calls. A step of a larger network counts as several."""

MOST_FRESH_BYTES = 32 * 2**20
"""Largest size of the new samples that one call of the program gets, unless an epoch has more."""

Tensors = list[Any]


class TrainingState(NamedTuple):
    """What training carries from batch to batch, from epoch to epoch and from call to call."""

    weights: Tensors  # packed, see `Packing`
    slots: list[Tensors]  # the slots of the optimizer, each with arrays shaped like the weights
    rnn_states: Tensors  # the states of the stateful layers
    dropout_states: Tensors  # the states of the random streams for dropout
    step: Any  # (): training steps so far


class SampleTensors(NamedTuple):
    """Samples with the weights of their outputs in the loss."""

    x: Any  # (N, T, F)
    y: Any  # (N, K) or (N, T, K)
    weight: Any  # (N,) or (N, T)


class ProgramInputs(NamedTuple):
    """What stays the same from call to call.

    An evaluation of all samples in one batch uses neither `evaluation_reset` nor `position`.
    """

    samples: SampleTensors
    possible: Tensors  # [(N, K) or (N, T, K)]: the symbols that can come next, if the task says so
    counted: Tensors  # [(N, M)]: the outputs that count, if training can end when they are correct
    needed: Any  # (): how many of them must be correct
    patience: Any  # (): epochs for which the task must have stayed solved
    evaluation_index: Any  # (evaluation batches, rows): sample indices
    evaluation_reset: Any  # (evaluation batches,): whether the state is cleared before each batch
    position: Any  # (N,): the position of each sample's output among all rows of the evaluation
    rate: Any
    momentum: Any
    accumulate: Any
    clip_norm: Any  # used if the spec says `clips`
    steps: Any  # (): all training steps of the seed, as a float; used if the rate decays


class Chunk(NamedTuple):
    """The batches of one call; only the first `epochs` epochs are trained.

    If the spec says `records_errors`, they are trained for `batches` batches each: with 0 the
    network is only evaluated.
    """

    index: Any  # (chunk, batches, B): sample indices
    reset: Any  # (chunk, batches): whether the state is cleared before each batch
    evaluated: Any  # (chunk,): whether the epoch is followed by an evaluation
    epochs: Any  # ()
    batches: Any  # ()
    fresh: list[
        SampleTensors
    ]  # [(chunk, ...)]: the training samples of each epoch, if they are new
    first_epoch: Any  # (): number of epochs before this call
    solved_since: Tensors  # [()]: see `_EpochLoop`


class ChunkResult(NamedTuple):
    """What one call returns."""

    state: TrainingState
    losses: Any  # (chunk,)
    correct: Any  # (chunk, N, M); after an epoch without an evaluation, those before it
    outputs: Any  # (N, K) or (N, T, K), of the latest evaluation
    epochs: Any  # (): number of epochs trained
    solved_since: Tensors
    errors: Tensors  # [(chunk, batches, B)]: the largest error of each sample before its update


@dataclass(frozen=True)
class ProgramSpec:
    """Everything that a program depends on: recipes with equal specs share one executable."""

    network: str
    network_key: str  # for a user's network, which may depend on any setting: `Recipe.training`
    lstm_1997: Lstm1997 | None
    units: int
    layers: int
    bidirectional: bool
    kernel_size: int
    dropout: float
    every_step: bool
    output: str
    loss: str
    optimizer: str
    accumulates: bool
    clips: bool
    decay: str | None
    truncate: int | None
    stateful: bool
    kind: Kind
    tolerance: float
    masked: bool
    evaluates_all: bool  # whether every epoch is followed by an evaluation
    fresh: bool  # whether every epoch has new training samples
    stops: bool  # whether training ends when the task has stayed solved
    records_errors: bool  # whether the errors before each update are returned
    judges_last_step: bool  # whether these errors are those of the last scored step only
    possible: bool  # whether several symbols can be correct
    kernels: bool  # whether recurrent layers call the kernels of `_kernels`
    x: tuple[int, ...]
    y: tuple[int, ...]
    train_count: int
    batches: int
    batch_size: int
    chunk: int

    @classmethod
    def of(cls, recipe: Recipe, samples: Samples) -> ProgramSpec:
        """Returns the spec of `recipe` for the `samples` of one seed."""
        schedule = recipe.schedule
        work = 1 + multiply_adds(recipe, samples.x.shape[2]) // SMALL_STEP
        longest = 1 if recipe.stop is not None else 256  # so that training ends with the epoch
        if recipe.fresh:
            epoch_bytes = 4 * schedule.samples * (samples.x[0].size + samples.y[0].size)
            longest = max(1, min(longest, MOST_FRESH_BYTES // epoch_bytes))
        return cls(
            network=recipe.network,
            network_key="" if recipe.own_network is None else recipe.training,
            lstm_1997=recipe.lstm_1997,
            units=recipe.units,
            layers=recipe.layers,
            bidirectional=recipe.bidirectional,
            kernel_size=recipe.kernel_size,
            dropout=recipe.dropout,
            every_step=recipe.framing.every_step,
            output=recipe.output,
            loss=recipe.loss,
            optimizer=recipe.optimizer,
            accumulates=recipe.accumulate > 1,
            clips=recipe.clip_norm is not None,
            decay=recipe.decay,
            truncate=recipe.truncate,
            stateful=recipe.stateful,
            kind=recipe.task.kind,
            tolerance=recipe.task.tolerance,
            masked=recipe.fresh or samples.weights(recipe.recall_weight) is not None,
            evaluates_all=recipe.evaluation_distance == 1,
            fresh=recipe.fresh,
            stops=recipe.stop_after_solved is not None,
            records_errors=recipe.stop is not None,
            judges_last_step=judges_last_step(recipe),
            possible=samples.possible is not None,
            kernels=calls_kernels(
                recipe.network, samples.x.shape[1], schedule.batch_size, recipe.truncate
            ),
            x=samples.x.shape,
            y=samples.y.shape,
            train_count=schedule.samples,
            batches=schedule.batches,
            batch_size=schedule.batch_size,
            chunk=max(1, min(longest, CHUNK_STEPS // (schedule.batches * work))),
        )
