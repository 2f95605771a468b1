"""The XLA program of a whole training run: epochs, batches, weight updates and evaluations.

It computes what `_keras_engine` computes, step by step. The methods of `_TrainingGraph` build the
graph: `run` loops over epochs, `_epoch` loops over batches and evaluates, `_batch` is one training
step. Loop variables are NamedTuples, so that every tensor has a name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import keras
import tensorflow as tf

from lstm_bench.training import _losses as losses
from lstm_bench.training._fusion import fenced, has_large_product, in_one_kernel
from lstm_bench.training._models import dropout_variables, has_no_gradient, state_variables
from lstm_bench.training._optimizers import OPTIMIZERS, Update, clip_factor, decayed_rate
from lstm_bench.training._packing import Packing
from lstm_bench.training._program_spec import (
    Chunk,
    ChunkResult,
    ProgramInputs,
    ProgramSpec,
    SampleTensors,
    Tensors,
    TrainingState,
)

Loop = TypeVar("Loop", bound=NamedTuple)


class _BatchLoop(NamedTuple):
    batch: Any  # (): index of the batch
    total_loss: Any  # (): sum over the samples of the epoch so far
    state: TrainingState
    errors: Tensors  # [TensorArray of (B,)]


class _EpochLoop(NamedTuple):
    epoch: Any  # (): index of the epoch
    state: TrainingState
    ended: Tensors  # [()]: whether training ends before the last epoch
    solved_since: Tensors  # [()]: the epoch, from 1, from which the task is solved, or 0
    errors: Tensors  # [TensorArray of (batches, B)]
    losses: Any  # TensorArray of ()
    correct: Any  # TensorArray of (N, M)
    outputs: Any  # (N, K) or (N, T, K)


class _EvaluationLoop(NamedTuple):
    batch: Any  # (): index of the batch
    rnn_states: Tensors
    outputs: Any  # TensorArray of (rows, K) or (rows, T, K)


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
        errors = [
            tf.TensorArray(tf.float32, spec.chunk, element_shape=(spec.batches, spec.batch_size))
        ]
        start = _EpochLoop(
            epoch=tf.constant(0),
            state=state,
            ended=[tf.constant(False)] * spec.stops,
            solved_since=chunk.solved_since,
            errors=errors * spec.records_errors,
            losses=tf.TensorArray(tf.float32, spec.chunk, element_shape=()),
            correct=tf.TensorArray(tf.bool, spec.chunk, element_shape=shape),
            outputs=tf.zeros_like(inputs.samples.y),
        )

        def goes_on(loop: _EpochLoop) -> Any:
            more = loop.epoch < chunk.epochs
            return more & ~loop.ended[0] if loop.ended else more

        end = _while(goes_on, lambda loop: self._epoch(inputs, chunk, loop), start)
        return ChunkResult(
            state=end.state,
            losses=end.losses.stack(),
            correct=end.correct.stack(),
            outputs=end.outputs,
            epochs=end.epoch,
            solved_since=end.solved_since,
            errors=[array.stack() for array in end.errors],
        )

    def _epoch(self, inputs: ProgramInputs, chunk: Chunk, loop: _EpochLoop) -> _EpochLoop:
        index, reset = chunk.index[loop.epoch], chunk.reset[loop.epoch]  # (batches, B), (batches,)
        samples = inputs.samples
        if self.spec.fresh:
            samples = SampleTensors(*(array[loop.epoch] for array in chunk.fresh[0]))
        errors = [
            tf.TensorArray(tf.float32, self.spec.batches, element_shape=(self.spec.batch_size,))
            for _ in loop.errors
        ]
        count = chunk.batches if self.spec.records_errors else self.spec.batches
        end = _while(
            lambda batches: batches.batch < count,
            lambda batches: self._batch(inputs, samples, index, reset, chunk.epochs, batches),
            _BatchLoop(tf.constant(0), tf.constant(0.0), loop.state, errors),
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
        correct = correct_answers(self.spec, outputs, inputs)
        ended, solved_since = self._streak(inputs, chunk, loop, correct)
        pairs = zip(loop.errors, end.errors, strict=True)
        return _EpochLoop(
            epoch=loop.epoch + 1,
            state=end.state,
            ended=ended,
            solved_since=solved_since,
            errors=[array.write(loop.epoch, new.stack()) for array, new in pairs],
            losses=loop.losses.write(loop.epoch, loss),
            correct=loop.correct.write(loop.epoch, correct),
            outputs=outputs,
        )

    def _streak(
        self, inputs: ProgramInputs, chunk: Chunk, loop: _EpochLoop, correct: Any
    ) -> tuple[Tensors, Tensors]:
        """Returns whether training ends, and since when the task is solved: a `SolvedStreak`."""
        if not self.spec.stops:
            return [], []
        epoch = chunk.first_epoch + loop.epoch + 1
        (since,) = loop.solved_since
        right = tf.reduce_sum(tf.cast(correct & inputs.counted[0], tf.int32))
        solved = right >= inputs.needed
        new = tf.where(solved, tf.where(since > 0, since, epoch), 0)
        evaluated = chunk.evaluated[loop.epoch]
        ended = evaluated & solved & (epoch - new >= inputs.patience)
        return [ended], [tf.where(evaluated, new, since)]

    def _batch(
        self,
        inputs: ProgramInputs,
        samples: SampleTensors,
        index: Any,
        reset: Any,
        epochs: Any,
        loop: _BatchLoop,
    ) -> _BatchLoop:
        """Adds one training step to the graph."""
        batch, state = loop.batch, loop.state
        row = index[batch]  # (B,)
        rnn_states = _cleared(state.rnn_states, reset[batch])
        present = tf.cast(row >= 0, tf.float32)
        count = tf.reduce_sum(present)
        row = tf.maximum(row, 0)
        y = tf.gather(samples.y, row)
        sample_weight = present if y.shape.rank == 2 else present[:, None]
        if self.spec.masked:
            sample_weight = sample_weight * tf.gather(samples.weight, row)
        weights = self.packing.unpack(state.weights)
        with tf.GradientTape() as tape:
            tape.watch(weights)
            x = tf.gather(samples.x, row)
            outputs, rnn_states, dropout_states = self._forward(
                weights, rnn_states, state.dropout_states, x, training=True
            )
            losses = self.loss(y, outputs)  # (B,) or (B, T)
            loss = tf.reduce_sum(losses * sample_weight) / (count * self.outputs_per_sample)

        def largest() -> Any:
            """Returns the largest error of each row at a step that counts, (B,)."""
            error = tf.reduce_max(tf.abs(outputs - y), axis=-1)
            judged = tf.broadcast_to(sample_weight > 0, tf.shape(error))
            if self.spec.judges_last_step:
                after = tf.cumsum(tf.cast(judged, tf.int32), axis=-1, reverse=True)
                judged &= after == 1
            error = tf.where(judged, error, 0.0)
            return tf.reduce_max(tf.reshape(error, (self.spec.batch_size, -1)), axis=-1)

        step = state.step + 1
        gradients = self.packing.pack(tape.gradient(loss, weights))
        update = self._update(inputs, step, self._clip_factor(inputs, state, gradients))

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
            errors=[array.write(loop.batch, largest()) for array in loop.errors],
        )

    def _clip_factor(self, inputs: ProgramInputs, state: TrainingState, gradients: Tensors) -> Any:
        """Returns the factor of what is applied, the mean of accumulated gradients; None if 1."""
        if not self.spec.clips:
            return None
        if self.spec.accumulates:
            count = tf.cast(inputs.accumulate, tf.float32)
            pairs = zip(state.slots[-1], gradients, strict=True)
            gradients = [(total + gradient) / count for total, gradient in pairs]
        return clip_factor(gradients, inputs.clip_norm)

    def _update(self, inputs: ProgramInputs, step: Any, factor: Any) -> Update:
        """Returns the weight update of training step `step`, of gradients times `factor`."""
        rule, _ = OPTIMIZERS[self.spec.optimizer]
        # As in Keras, the rate decays with each training step, whether or not it has an update.
        rate = decayed_rate(self.spec.decay, inputs.rate, step - 1, inputs.steps)

        def optimizer(number: Any) -> Update:
            apply = rule(number, rate, inputs.momentum)
            if factor is None:
                return apply
            return lambda weights, slots, gradient: apply(weights, slots, gradient * factor)

        if not self.spec.accumulates:
            return optimizer(tf.cast(step, tf.float32))
        accumulate = inputs.accumulate
        due = tf.equal(step % accumulate, 0)
        number = tf.cast(step // accumulate, tf.float32)
        apply = optimizer(number)

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
            x = inputs.samples.x
            return self._forward(weights, [], state.dropout_states, x, training=False)[0]
        batches, rows = index.shape
        outputs = inputs.samples.y.shape[1:]

        def evaluate_batch(loop: _EvaluationLoop) -> _EvaluationLoop:
            rnn_states = _cleared(loop.rnn_states, reset[loop.batch])
            x = tf.gather(inputs.samples.x, tf.maximum(index[loop.batch], 0))
            outputs, rnn_states, _ = self._forward(
                weights, rnn_states, state.dropout_states, x, training=False
            )
            all_outputs = loop.outputs.write(loop.batch, outputs)
            return _EvaluationLoop(loop.batch + 1, rnn_states, all_outputs)

        array = tf.TensorArray(tf.float32, batches, element_shape=(rows, *outputs))
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


def correct_answers(spec: ProgramSpec, outputs: Any, inputs: ProgramInputs) -> Any:
    """Returns which outputs are correct, (N, M): as `statistics` says, as a graph."""
    y = inputs.samples.y
    if spec.possible:
        (possible,) = inputs.possible
        lowest = tf.reduce_min(tf.where(possible, outputs, math.inf), axis=-1)
        highest = tf.reduce_max(tf.where(possible, -math.inf, outputs), axis=-1)
        correct = lowest > highest
    elif spec.kind == "regression":
        correct = tf.reduce_all(tf.abs(outputs - y) <= spec.tolerance, axis=-1)
    elif spec.kind == "binary":
        correct = tf.reduce_all((outputs >= 0.5) == (y >= 0.5), axis=-1)
    else:
        correct = tf.equal(tf.argmax(outputs, axis=-1), tf.argmax(y, axis=-1))
    finite = tf.reduce_all(tf.math.is_finite(outputs), axis=-1)
    return tf.reshape(correct & finite, (spec.x[0], -1))
