"""The XLA program that is a whole training run: epochs, batches, updates and evaluations.

What it computes is `keras_loop`, step by step. `trace` reads from the inside out: `batch` is one
training step, `epoch` loops over batches and evaluates, `run` loops over epochs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from lstm_bench.recipes import Recipe, Samples, multiply_adds
from lstm_bench.statistics import Kind
from lstm_bench.training._fusion import fenced, in_one_kernel, large
from lstm_bench.training._models import noise, states
from lstm_bench.training._optimizers import OPTIMIZERS, Update
from lstm_bench.training._packing import Packing

CHUNK_STEPS = 20_000
"""Training steps handed to the program at once, of a small network: some 0.1 s of work, so that

Ctrl-C is heard. A step of a larger one counts as several."""

SMALL_STEP = 50_000
"""Multiply-adds of a training step that cost no more than starting it."""

Tensors = list[Any]


@dataclass(frozen=True)
class Form:
    """Everything that a program's shape depends on: equal forms share one executable."""

    network: str
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
    x: tuple[int, ...]
    y: tuple[int, ...]
    trained: int
    batches: int
    batch_size: int
    chunk: int

    @classmethod
    def of(cls, recipe: Recipe, samples: Samples) -> Form:
        """Returns the form of `recipe`; `samples` are those of any of its seeds."""
        plan = recipe.schedule
        work = 1 + multiply_adds(recipe, samples.x.shape[2]) // SMALL_STEP
        return cls(
            network=recipe.network,
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
            x=samples.x.shape,
            y=samples.y.shape,
            trained=samples.trained,
            batches=plan.batches,
            batch_size=plan.batch_size,
            chunk=max(1, min(256, CHUNK_STEPS // (plan.batches * work))),
        )


def trace(form: Form, model: keras.Model) -> Callable[..., Any]:
    """Returns the Python function whose graph is the training run."""
    variables, cells, streams = model.trainable_variables, states(model), noise(model)
    packing = Packing(tuple(tuple(v.shape) for v in variables))
    optimizer, _ = OPTIMIZERS[form.optimizer]
    answers = form.y[1] if form.every_step else 1
    loss_of = keras.losses.get(form.loss)
    apart = large(model, form.batch_size)

    def forward(
        weights: Tensors, state: Tensors, drawn: Tensors, x: Any, training: bool
    ) -> tuple[Any, Tensors, Tensors]:
        held = [*variables, *cells, *streams]
        mapping = list(zip(held, [*weights, *state, *drawn], strict=True))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            outputs = model(x, training=training)
        after = scope.get_current_value
        return outputs, [after(cell) for cell in cells], [after(each) for each in streams]

    def cleared(state: Tensors, reset: Any) -> Tensors:
        return [tf.where(reset, tf.zeros_like(s), s) for s in state]

    def run(
        weights: Tensors,  # packed
        slots: list[Tensors],  # of each, as the weights
        state: Tensors,
        drawn: Tensors,  # states of the random streams for dropout
        step: Any,
        x: Any,  # (N, T, F)
        y: Any,  # (N, K) or (N, T, K)
        weight: Any,  # (N,) or (N, T)
        order: Any,  # (evaluation batches, rows)
        clear: Any,  # (evaluation batches,); this and the next only where there are several
        place: Any,  # (N,)
        rate: Any,
        momentum: Any,
        accumulate: Any,
        index: Any,  # (chunk, batches, B)
        reset: Any,  # (chunk, batches)
        epochs: Any,
    ) -> tuple[Any, ...]:
        def batch(
            rows: Any,
            resets: Any,
            at: Any,
            total: Any,
            step: Any,
            weights: Tensors,
            slots: list[Tensors],
            state: Tensors,
            drawn: Tensors,
        ) -> tuple[Any, ...]:
            row = rows[at]  # (B,)
            state = cleared(state, resets[at])
            present = tf.cast(row >= 0, tf.float32)
            count = tf.reduce_sum(present)
            row = tf.maximum(row, 0)
            share = present if y.shape.rank == 2 else present[:, None]
            if form.masked:
                share = share * tf.gather(weight, row)
            parts = packing.unpack(weights)
            with tf.GradientTape() as tape:
                tape.watch(parts)
                shown = tf.gather(x, row)
                outputs, state, drawn = forward(parts, state, drawn, shown, training=True)
                losses = loss_of(tf.gather(y, row), outputs)  # (B,) or (B, T)
                loss = tf.reduce_sum(losses * share) / (count * answers)
            step = step + 1
            update = updating(step)
            gradients = packing.pack(tape.gradient(loss, parts))

            def moved(weights: Tensors, slots: list[Tensors]) -> tuple[Tensors, list[Tensors]]:
                moves = zip(weights, zip(*slots, strict=True), gradients, strict=True)
                pairs = [update(weight, list(held), gradient) for weight, held, gradient in moves]
                after = zip(*(slot for _, slot in pairs), strict=True)
                return [weight for weight, _ in pairs], [list(slot) for slot in after]

            if apart:
                once = tf.cast(epochs > 0, tf.int32)
                weights, slots = in_one_kernel(moved, (weights, slots), once)
                at = fenced(at)
            else:
                weights, slots = moved(weights, slots)
            return at + 1, total + loss * count, step, weights, slots, state, drawn

        def updating(step: Any) -> Update:
            if not form.accumulates:
                return optimizer(tf.cast(step, tf.float32), rate, momentum)
            due = tf.equal(step % accumulate, 0)
            apply = optimizer(tf.cast(step // accumulate, tf.float32), rate, momentum)

            def update(weight: Any, slots: Tensors, gradient: Any) -> tuple[Any, Tensors]:
                # As in Keras: gradients add up, and their mean is applied on every k-th step.
                *held, summed = slots
                summed = summed + gradient
                moved, after = apply(weight, held, summed / tf.cast(accumulate, tf.float32))
                kept = [tf.where(due, new, old) for new, old in zip(after, held, strict=True)]
                return tf.where(due, moved, weight), [*kept, *cleared([summed], due)]

            return update

        def evaluate(weights: Tensors) -> Any:
            parts = packing.unpack(weights)
            if not form.stateful and order.shape[0] == 1:  # all samples, as they lie in `x`
                return forward(parts, [], drawn, x, training=False)[0]
            batches, rows = order.shape
            held = tf.TensorArray(tf.float32, batches, element_shape=(rows, *y.shape[1:]))

            def one(at: Any, state: Tensors, held: Any) -> tuple[Any, ...]:
                state = cleared(state, clear[at])
                shown = tf.gather(x, tf.maximum(order[at], 0))
                outputs, state, _ = forward(parts, state, drawn, shown, training=False)
                return at + 1, state, held.write(at, outputs)

            start = (tf.constant(0), [tf.zeros_like(s) for s in state], held)
            last = tf.while_loop(lambda at, *_: at < batches, one, start)
            return tf.gather(last[2].concat(), place)  # (N, [T,] K)

        def epoch(
            at: Any,
            weights: Tensors,
            slots: list[Tensors],
            state: Tensors,
            drawn: Tensors,
            step: Any,
            losses: Any,
            rights: Any,
            outputs: Any,
        ) -> tuple[Any, ...]:
            rows, resets = index[at], reset[at]
            begin = (tf.constant(0), tf.constant(0.0), step, weights, slots, state, drawn)
            _, total, step, weights, slots, state, drawn = tf.while_loop(
                lambda b, *_: b < form.batches,
                functools.partial(batch, rows, resets),
                begin,
            )
            outputs = evaluate(weights)
            losses = losses.write(at, total / len_samples)
            rights = rights.write(at, right_answers(form, outputs, y))
            return at + 1, weights, slots, state, drawn, step, losses, rights, outputs

        len_samples = float(form.trained)
        begin = (
            tf.constant(0),
            weights,
            slots,
            state,
            drawn,
            step,
            tf.TensorArray(tf.float32, form.chunk, element_shape=()),
            tf.TensorArray(tf.bool, form.chunk, element_shape=(form.x[0], answers)),
            tf.zeros_like(y),
        )
        end = tf.while_loop(lambda at, *_: at < epochs, epoch, begin)
        _, weights, slots, state, drawn, step, losses, rights, outputs = end
        return weights, slots, state, drawn, step, losses.stack(), rights.stack(), outputs

    return run


def right_answers(form: Form, outputs: Any, y: Any) -> Any:
    """Returns which answers are right, (N, M): `metrics.correct` as a graph."""
    if form.kind == "regression":
        right = tf.reduce_all(tf.abs(outputs - y) <= form.tolerance, axis=-1)
    elif form.kind == "binary":
        right = tf.reduce_all((outputs >= 0.5) == (y >= 0.5), axis=-1)
    else:
        right = tf.equal(tf.argmax(outputs, axis=-1), tf.argmax(y, axis=-1))
    finite = tf.reduce_all(tf.math.is_finite(outputs), axis=-1)
    return tf.reshape(right & finite, (form.x[0], -1))
