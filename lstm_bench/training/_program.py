"""The XLA program of a whole training run: epochs, batches, weight updates and evaluations.

It computes what `_keras_engine` computes, step by step. The methods of `_TrainingGraph` build the
graph: `run` loops over epochs, `_epoch` loops over batches and evaluates, `_batch` is one training
step. Loop variables are NamedTuples, so that every tensor has a name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import keras
import tensorflow as tf

from lstm_bench.recipes import SMALL_STEP, Lstm1997, Recipe, Samples, multiply_adds
from lstm_bench.statistics import Kind
from lstm_bench.training import _losses as losses
from lstm_bench.training._fusion import fenced, has_large_product, in_one_kernel
from lstm_bench.training._kernel_calls import calls_kernels
from lstm_bench.training._models import dropout_variables, has_no_gradient, state_variables
from lstm_bench.training._optimizers import OPTIMIZERS, Update
from lstm_bench.training._packing import Packing

CHUNK_STEPS = 20_000
"""Training steps of a small network in one call of the program: about 0.1 s of work.

Ctrl-C takes effect between calls. A step of a larger network counts as several."""

Tensors = list[Any]
Loop = TypeVar("Loop", bound=NamedTuple)


class TrainingState(NamedTuple):
    """What training carries from batch to batch, from epoch to epoch and from call to call."""

    weights: Tensors  # packed, see `Packing`
    slots: list[Tensors]  # the slots of the optimizer, each with arrays shaped like the weights
    rnn_states: Tensors  # the states of the stateful layers
    dropout_states: Tensors  # the states of the random streams for dropout
    step: Any  # (): training steps so far


class ProgramInputs(NamedTuple):
    """What stays the same from call to call.

    An evaluation of all samples in one batch uses neither `evaluation_reset` nor `position`.
    """

    x: Any  # (N, T, F)
    y: Any  # (N, K) or (N, T, K)
    sample_weight: Any  # (N,) or (N, T)
    evaluation_index: Any  # (evaluation batches, rows): sample indices
    evaluation_reset: Any  # (evaluation batches,): whether the state is cleared before each batch
    position: Any  # (N,): the position of each sample's output among all rows of the evaluation
    rate: Any
    momentum: Any
    accumulate: Any


class Chunk(NamedTuple):
    """The batches of one call; only the first `epochs` epochs are trained."""

    index: Any  # (chunk, batches, B): sample indices
    reset: Any  # (chunk, batches): whether the state is cleared before each batch
    evaluated: Any  # (chunk,): whether the epoch is followed by an evaluation
    epochs: Any  # ()


class ChunkResult(NamedTuple):
    """What one call returns."""

    state: TrainingState
    losses: Any  # (chunk,)
    correct: Any  # (chunk, N, M); after an epoch without an evaluation, those before it
    outputs: Any  # (N, K) or (N, T, K), of the latest evaluation


class _BatchLoop(NamedTuple):
    batch: Any  # (): index of the batch
    total_loss: Any  # (): sum over the samples of the epoch so far
    state: TrainingState


class _EpochLoop(NamedTuple):
    epoch: Any  # (): index of the epoch
    state: TrainingState
    losses: Any  # TensorArray of ()
    correct: Any  # TensorArray of (N, M)
    outputs: Any  # (N, K) or (N, T, K)


class _EvaluationLoop(NamedTuple):
    batch: Any  # (): index of the batch
    rnn_states: Tensors
    outputs: Any  # TensorArray of (rows, K) or (rows, T, K)


@dataclass(frozen=True)
class ProgramSpec:
    """Everything that a program depends on: recipes with equal specs share one executable."""

    network: str
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
    stateful: bool
    kind: Kind
    tolerance: float
    masked: bool
    evaluates_all: bool  # whether every epoch is followed by an evaluation
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
        return cls(
            network=recipe.network,
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
            stateful=recipe.stateful,
            kind=recipe.task.kind,
            tolerance=recipe.task.tolerance,
            masked=not bool(samples.scored.all()),
            evaluates_all=recipe.evaluation_distance == 1,
            kernels=calls_kernels(recipe.network, samples.x.shape[1], schedule.batch_size),
            x=samples.x.shape,
            y=samples.y.shape,
            train_count=samples.train_count,
            batches=schedule.batches,
            batch_size=schedule.batch_size,
            chunk=max(1, min(256, CHUNK_STEPS // (schedule.batches * work))),
        )


def training_function(
    spec: ProgramSpec, model: keras.Model
) -> Callable[[TrainingState, ProgramInputs, Chunk], ChunkResult]:
    """Returns the Python function that TensorFlow traces to get the training program."""
    return _TrainingGraph(spec, model).run


class _TrainingGraph:
    """Builds the graph of the training of `model`, a network that fits `spec`."""

    def __init__(self, spec: ProgramSpec, model: keras.Model) -> None:
        self.spec = spec
        self.model = model
        self.variables = model.trainable_variables
        self.rnn_variables = state_variables(model)
        self.dropout_variables = dropout_variables(model)
        self.packing = Packing(tuple(tuple(v.shape) for v in self.variables))
        self.constant = self.packing.whole(has_no_gradient(model))
        self.loss = keras.losses.get(losses.loss(spec.loss))
        self.outputs_per_sample = spec.y[1] if spec.every_step else 1
        self.separate_update = spec.kernels or has_large_product(model, spec.batch_size)

    def run(self, state: TrainingState, inputs: ProgramInputs, chunk: Chunk) -> ChunkResult:
        """Trains the epochs of `chunk`, with the evaluations between them."""
        spec = self.spec
        shape = (spec.x[0], self.outputs_per_sample)
        start = _EpochLoop(
            epoch=tf.constant(0),
            state=state,
            losses=tf.TensorArray(tf.float32, spec.chunk, element_shape=()),
            correct=tf.TensorArray(tf.bool, spec.chunk, element_shape=shape),
            outputs=tf.zeros_like(inputs.y),
        )
        end = _while(
            lambda loop: loop.epoch < chunk.epochs,
            lambda loop: self._epoch(inputs, chunk, loop),
            start,
        )
        return ChunkResult(end.state, end.losses.stack(), end.correct.stack(), end.outputs)

    def _epoch(self, inputs: ProgramInputs, chunk: Chunk, loop: _EpochLoop) -> _EpochLoop:
        index, reset = chunk.index[loop.epoch], chunk.reset[loop.epoch]  # (batches, B), (batches,)
        end = _while(
            lambda batches: batches.batch < self.spec.batches,
            lambda batches: self._batch(inputs, index, reset, chunk.epochs, batches),
            _BatchLoop(tf.constant(0), tf.constant(0.0), loop.state),
        )
        if self.spec.evaluates_all:
            outputs = self._evaluate(inputs, end.state)
        else:
            outputs = tf.cond(
                chunk.evaluated[loop.epoch],
                lambda: self._evaluate(inputs, end.state),
                lambda: loop.outputs,
            )
        loss = end.total_loss / float(self.spec.train_count)
        correct = correct_answers(self.spec, outputs, inputs.y)
        return _EpochLoop(
            epoch=loop.epoch + 1,
            state=end.state,
            losses=loop.losses.write(loop.epoch, loss),
            correct=loop.correct.write(loop.epoch, correct),
            outputs=outputs,
        )

    def _batch(
        self, inputs: ProgramInputs, index: Any, reset: Any, epochs: Any, loop: _BatchLoop
    ) -> _BatchLoop:
        """Adds one training step to the graph."""
        batch, state = loop.batch, loop.state
        row = index[batch]  # (B,)
        rnn_states = _cleared(state.rnn_states, reset[batch])
        present = tf.cast(row >= 0, tf.float32)
        count = tf.reduce_sum(present)
        row = tf.maximum(row, 0)
        sample_weight = present if inputs.y.shape.rank == 2 else present[:, None]
        if self.spec.masked:
            sample_weight = sample_weight * tf.gather(inputs.sample_weight, row)
        weights = self.packing.unpack(state.weights)
        with tf.GradientTape() as tape:
            tape.watch(weights)
            x = tf.gather(inputs.x, row)
            outputs, rnn_states, dropout_states = self._forward(
                weights, rnn_states, state.dropout_states, x, training=True
            )
            losses = self.loss(tf.gather(inputs.y, row), outputs)  # (B,) or (B, T)
            loss = tf.reduce_sum(losses * sample_weight) / (count * self.outputs_per_sample)
        step = state.step + 1
        update = self._update(inputs, step)
        gradients = self.packing.pack(tape.gradient(loss, weights))

        def updated(weights: Tensors, slots: list[Tensors]) -> tuple[Tensors, list[Tensors]]:
            arrays = zip(weights, zip(*slots, strict=True), gradients, self.constant, strict=True)
            pairs = [
                (weight, list(slot)) if constant else update(weight, list(slot), gradient)
                for weight, slot, gradient, constant in arrays
            ]
            by_slot = zip(*(slot for _, slot in pairs), strict=True)
            return [weight for weight, _ in pairs], [list(slot) for slot in by_slot]

        if self.separate_update:
            once = tf.cast(epochs > 0, tf.int32)
            new_weights, slots = in_one_kernel(updated, (state.weights, state.slots), once)
            batch = fenced(batch)
        else:
            new_weights, slots = updated(state.weights, state.slots)
        return _BatchLoop(
            batch=batch + 1,
            total_loss=loop.total_loss + loss * count,
            state=TrainingState(new_weights, slots, rnn_states, dropout_states, step),
        )

    def _update(self, inputs: ProgramInputs, step: Any) -> Update:
        """Returns the weight update of training step `step`."""
        optimizer, _ = OPTIMIZERS[self.spec.optimizer]
        if not self.spec.accumulates:
            return optimizer(tf.cast(step, tf.float32), inputs.rate, inputs.momentum)
        accumulate = inputs.accumulate
        due = tf.equal(step % accumulate, 0)
        number = tf.cast(step // accumulate, tf.float32)
        apply = optimizer(number, inputs.rate, inputs.momentum)

        def update(weight: Any, slots: Tensors, gradient: Any) -> tuple[Any, Tensors]:
            # As in Keras: gradients add up, and their mean is applied on every k-th step.
            *old_slots, total = slots
            total = total + gradient
            mean = total / tf.cast(accumulate, tf.float32)
            new_weight, new_slots = apply(weight, old_slots, mean)
            pairs = zip(new_slots, old_slots, strict=True)
            chosen = [tf.where(due, new, old) for new, old in pairs]
            return tf.where(due, new_weight, weight), [*chosen, *_cleared([total], due)]

        return update

    def _evaluate(self, inputs: ProgramInputs, state: TrainingState) -> Any:
        """Returns the outputs for all samples, (N, K) or (N, T, K), from a cleared state."""
        weights = self.packing.unpack(state.weights)
        index, reset = inputs.evaluation_index, inputs.evaluation_reset
        if not self.spec.stateful and index.shape[0] == 1:  # all samples, in the order of `x`
            return self._forward(weights, [], state.dropout_states, inputs.x, training=False)[0]
        batches, rows = index.shape

        def evaluate_batch(loop: _EvaluationLoop) -> _EvaluationLoop:
            rnn_states = _cleared(loop.rnn_states, reset[loop.batch])
            x = tf.gather(inputs.x, tf.maximum(index[loop.batch], 0))
            outputs, rnn_states, _ = self._forward(
                weights, rnn_states, state.dropout_states, x, training=False
            )
            all_outputs = loop.outputs.write(loop.batch, outputs)
            return _EvaluationLoop(loop.batch + 1, rnn_states, all_outputs)

        array = tf.TensorArray(tf.float32, batches, element_shape=(rows, *inputs.y.shape[1:]))
        rnn_states = [tf.zeros_like(value) for value in state.rnn_states]
        start = _EvaluationLoop(tf.constant(0), rnn_states, array)
        end = _while(lambda loop: loop.batch < batches, evaluate_batch, start)
        return tf.gather(end.outputs.concat(), inputs.position)

    def _forward(
        self, weights: Tensors, rnn_states: Tensors, dropout_states: Tensors, x: Any, training: bool
    ) -> tuple[Any, Tensors, Tensors]:
        """Returns the outputs for `x`, and the RNN and dropout states after them."""
        variables = [*self.variables, *self.rnn_variables, *self.dropout_variables]
        mapping = list(zip(variables, [*weights, *rnn_states, *dropout_states], strict=True))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            outputs = self.model(x, training=training)
        rnn_states = [scope.get_current_value(v) for v in self.rnn_variables]
        return outputs, rnn_states, [scope.get_current_value(v) for v in self.dropout_variables]


def _while(condition: Callable[[Loop], Any], body: Callable[[Loop], Loop], start: Loop) -> Loop:
    """Returns the last value of a `tf.while_loop` over one NamedTuple."""
    (end,) = tf.while_loop(condition, lambda loop: [body(loop)], [start])
    return end


def _cleared(values: Tensors, reset: Any) -> Tensors:
    """Returns zeros in place of `values` if `reset` is true, else `values`."""
    return [tf.where(reset, tf.zeros_like(value), value) for value in values]


def correct_answers(spec: ProgramSpec, outputs: Any, y: Any) -> Any:
    """Returns which outputs are correct, (N, M): `statistics.is_correct` as a graph."""
    if spec.kind == "regression":
        correct = tf.reduce_all(tf.abs(outputs - y) <= spec.tolerance, axis=-1)
    elif spec.kind == "binary":
        correct = tf.reduce_all((outputs >= 0.5) == (y >= 0.5), axis=-1)
    else:
        correct = tf.equal(tf.argmax(outputs, axis=-1), tf.argmax(y, axis=-1))
    finite = tf.reduce_all(tf.math.is_finite(outputs), axis=-1)
    return tf.reshape(correct & finite, (spec.x[0], -1))
