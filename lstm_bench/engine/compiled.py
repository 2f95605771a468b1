"""A whole training run of a seed as one XLA program, with the seeds on all cores.

Epochs, batches and updates are loops inside the program; Python only hands it the order of the
samples, a chunk of epochs at a time. The program depends on shapes and on the kind of network, not
on learning rate, number of epochs, shuffling, reset or seed: recipes that differ only in those share
one. Each thread runs the same executable on a seed of its own, on one core, so that neither the
number of threads nor the other seeds can change a bit of a result.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_bench.engine import SeedRun, Training
from lstm_bench.engine.optimizers import UPDATES
from lstm_bench.errors import Interrupted
from lstm_bench.framings import Samples
from lstm_bench.metrics import Kind
from lstm_bench.models import build, initial_weights, states
from lstm_bench.recipe import Recipe
from lstm_bench.schedule import Schedule
from lstm_bench.seeds import stream

CHUNK_STEPS = 20_000
"""Training steps handed to the program at once: about 0.1 s of work, so Ctrl-C is heard."""

EVALUATION_ROWS = 1024
"""Samples evaluated at once where no state ties them together."""

Tensors = list[Any]


@dataclass(frozen=True)
class Form:
    """Everything that a program's shape depends on: equal forms share one executable."""

    network: str
    units: int
    layers: int
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
    batches: int
    batch_size: int
    chunk: int

    @classmethod
    def of(cls, recipe: Recipe, samples: Samples) -> Form:
        """Returns the form of `recipe`; `samples` are those of any of its seeds."""
        plan = recipe.schedule
        return cls(
            network=recipe.network,
            units=recipe.units,
            layers=recipe.layers,
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
            batches=plan.batches,
            batch_size=plan.batch_size,
            chunk=max(1, min(256, CHUNK_STEPS // plan.batches)),
        )


@dataclass(frozen=True)
class Program:
    """A compiled program and the Keras model that it was traced from."""

    run: Any
    model: keras.Model
    seconds: float


def train(
    recipe: Recipe,
    seeds: Sequence[int],
    threads: int = 1,
    stop: Callable[[], bool] = lambda: False,
) -> Training:
    """Trains every seed, `threads` at a time. See `engine.Engine`."""
    samples = {seed: recipe.samples(seed) for seed in seeds}
    form = Form.of(recipe, samples[seeds[0]])
    before = _compile.cache_info().misses
    program = _compile(form, _Template(recipe))
    fresh = _compile.cache_info().misses > before
    halt = threading.Event()

    def one(seed: int) -> SeedRun:
        stopped = lambda: halt.is_set() or stop()  # noqa: E731
        return _train_seed(recipe, form, program, seed, samples[seed], stopped)

    with ThreadPoolExecutor(max_workers=max(1, min(threads, len(seeds)))) as pool:
        futures = [pool.submit(one, seed) for seed in seeds]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            runs = tuple(future.result() for future in futures)
        finally:
            halt.set()
            for future in futures:
                future.cancel()
    parameters = program.model.count_params()
    return Training(runs, parameters, program.seconds if fresh else 0.0)


def _train_seed(
    recipe: Recipe,
    form: Form,
    program: Program,
    seed: int,
    samples: Samples,
    stop: Callable[[], bool],
) -> SeedRun:
    began = time.perf_counter()
    weights = initial_weights(program.model, seed)
    slots = UPDATES[recipe.optimizer][1] + form.accumulates
    carried: list[Any] = [
        tf.constant(np.concatenate([w.ravel() for w in weights])),
        [tf.zeros(sum(w.size for w in weights))] * slots,
        [tf.zeros(s.shape) for s in states(program.model)],
        tf.constant(0),
    ]
    constant = _constants(recipe, samples)
    losses, rights = [], []
    outputs = orders = None
    rng = stream(seed, "shuffle")
    for first in range(0, recipe.epochs, form.chunk):
        if stop():
            raise Interrupted
        epochs = min(form.chunk, recipe.epochs - first)
        if orders is None or recipe.shuffle != "none" or epochs < form.chunk:
            orders = _orders(form, recipe.schedule, rng, epochs)
        *carried, loss, right, outputs = program.run(
            *carried, *constant, *orders, tf.constant(epochs)
        )
        losses.append(loss.numpy()[:epochs])
        rights.append(right.numpy()[:epochs])
    assert outputs is not None
    return SeedRun(
        seed,
        np.concatenate(losses),
        np.concatenate(rights),
        outputs.numpy().reshape(*samples.scored.shape, -1),
        tuple(_unpacked(carried[0].numpy(), [w.shape for w in weights])),
        time.perf_counter() - began,
    )


def _constants(recipe: Recipe, samples: Samples) -> list[Any]:
    """Returns the arguments that stay the same from chunk to chunk."""
    index, reset = evaluation_order(recipe, samples)
    place = np.zeros(len(samples), np.int32)  # where each sample's output lands
    flat = index.ravel()
    place[flat[flat >= 0]] = np.flatnonzero(flat >= 0)
    weight = samples.scored.astype(np.float32)
    numbers = (recipe.learning_rate, recipe.momentum)
    return [
        tf.constant(samples.x),
        tf.constant(samples.y),
        tf.constant(weight if samples.y.ndim == 3 else weight[:, 0]),
        tf.constant(index),
        tf.constant(reset),
        tf.constant(place),
        *(tf.constant(value, tf.float32) for value in numbers),
        tf.constant(recipe.accumulate),
    ]


def evaluation_order(recipe: Recipe, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Returns the batches of an evaluation, (batches, rows) and (batches,), from a cleared state."""
    if recipe.stateful:
        index, reset = recipe.schedule.epochs(None, 1)
        reset[:, 0] = True
        return index[0], reset[0]
    count = len(samples)
    rows = min(count, EVALUATION_ROWS)
    batches = -(-count // rows)
    padded = np.full(batches * rows, -1, np.int32)
    padded[:count] = np.arange(count)
    return padded.reshape(batches, rows), np.ones(batches, bool)


def _orders(form: Form, plan: Schedule, rng: np.random.Generator, epochs: int) -> list[Any]:
    """Returns sample indices (chunk, batches, B) and resets (chunk, batches) of `epochs` epochs."""
    index = np.zeros((form.chunk, form.batches, form.batch_size), np.int32)
    reset = np.zeros((form.chunk, form.batches), bool)
    index[:epochs], reset[:epochs] = plan.epochs(rng, epochs)
    return [tf.constant(index), tf.constant(reset)]


class _Template:
    """A recipe to trace a form from; all templates are equal, so that the form alone is the key."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Template)

    def __hash__(self) -> int:
        return 0


@functools.lru_cache(maxsize=None)
def _compile(form: Form, template: _Template) -> Program:
    """Returns the program for `form`, compiled by a call that trains no epoch."""
    began = time.perf_counter()
    recipe = template.recipe
    batch = form.batch_size if form.stateful else None
    model = build(recipe, (form.x[1], form.x[2]), form.y[-1], batch, plain=False)
    run = tf.function(_trace(form, model), jit_compile=True, autograph=False)
    samples = recipe.samples(0)
    weights = tf.zeros(model.count_params())
    slots = UPDATES[form.optimizer][1] + form.accumulates
    run(
        weights,
        [weights] * slots,
        [tf.zeros(s.shape) for s in states(model)],
        tf.constant(0),
        *_constants(recipe, samples),
        *_orders(form, recipe.schedule, stream(0, "shuffle"), 0),
        tf.constant(0),
    )
    return Program(run, model, time.perf_counter() - began)


def _trace(form: Form, model: keras.Model) -> Callable[..., Any]:
    """Returns the Python function whose graph is the training run."""
    variables, cells = model.trainable_variables, states(model)
    shapes = [tuple(v.shape) for v in variables]
    update, _ = UPDATES[form.optimizer]
    answers = form.y[1] if form.every_step else 1
    loss_of = keras.losses.get(form.loss)

    def forward(weights: Tensors, state: Tensors, x: Any, training: bool) -> tuple[Any, Tensors]:
        mapping = list(zip([*variables, *cells], [*weights, *state], strict=True))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            outputs = model(x, training=training)
        return outputs, [scope.get_current_value(cell) for cell in cells]

    def cleared(state: Tensors, reset: Any) -> Tensors:
        return [tf.where(reset, tf.zeros_like(s), s) for s in state]

    def run(
        weights: Any,  # (P,)
        slots: Tensors,
        state: Tensors,
        step: Any,
        x: Any,  # (N, T, F)
        y: Any,  # (N, K) or (N, T, K)
        weight: Any,  # (N,) or (N, T)
        order: Any,  # (evaluation batches, rows)
        clear: Any,  # (evaluation batches,)
        place: Any,  # (N,)
        rate: Any,
        momentum: Any,
        accumulate: Any,
        index: Any,  # (chunk, batches, B)
        reset: Any,  # (chunk, batches)
        epochs: Any,
    ) -> tuple[Any, ...]:
        def batch(at: Any, total: Any, step: Any, weights: Any, slots: Tensors, state: Tensors,
                  rows: Any, resets: Any) -> tuple[Any, ...]:  # fmt: skip
            row = rows[at]  # (B,)
            state = cleared(state, resets[at])
            present = tf.cast(row >= 0, tf.float32)
            count = tf.reduce_sum(present)
            row = tf.maximum(row, 0)
            share = present if y.shape.rank == 2 else present[:, None]
            if form.masked:
                share = share * tf.gather(weight, row)
            parts = _unpacked(weights, shapes)
            with tf.GradientTape() as tape:
                tape.watch(parts)
                outputs, state = forward(parts, state, tf.gather(x, row), training=True)
                losses = loss_of(tf.gather(y, row), outputs)  # (B,) or (B, T)
                loss = tf.reduce_sum(losses * share) / (count * answers)
            gradients = [tf.reshape(g, [-1]) for g in tape.gradient(loss, parts)]
            weights, slots, step = advance(weights, slots, tf.concat(gradients, 0), step)
            return at + 1, total + loss * count, step, weights, slots, state

        def advance(weights: Any, slots: Tensors, gradient: Any, step: Any) -> tuple[Any, ...]:
            step = step + 1
            if not form.accumulates:
                number = tf.cast(step, tf.float32)
                return *update(weights, slots, gradient, number, rate, momentum), step
            # As in Keras: gradients add up, and their mean is applied on every k-th step.
            *held, summed = slots
            summed = summed + gradient
            due = tf.equal(step % accumulate, 0)
            mean = summed / tf.cast(accumulate, tf.float32)
            number = tf.cast(step // accumulate, tf.float32)
            moved, after = update(weights, held, mean, number, rate, momentum)
            kept = [tf.where(due, new, old) for new, old in zip(after, held, strict=True)]
            return tf.where(due, moved, weights), [*kept, *cleared([summed], due)], step

        def evaluate(weights: Any) -> Any:
            batches, rows = order.shape
            parts = _unpacked(weights, shapes)
            held = tf.TensorArray(tf.float32, batches, element_shape=(rows, *y.shape[1:]))

            def one(at: Any, state: Tensors, held: Any) -> tuple[Any, ...]:
                state = cleared(state, clear[at])
                shown = tf.gather(x, tf.maximum(order[at], 0))
                outputs, state = forward(parts, state, shown, training=False)
                return at + 1, state, held.write(at, outputs)

            start = (tf.constant(0), [tf.zeros_like(s) for s in state], held)
            last = tf.while_loop(lambda at, *_: at < batches, one, start)
            return tf.gather(last[2].concat(), place)  # (N, [T,] K)

        def epoch(at: Any, weights: Any, slots: Tensors, state: Tensors, step: Any,
                  losses: Any, rights: Any, outputs: Any) -> tuple[Any, ...]:  # fmt: skip
            rows, resets = index[at], reset[at]
            begin = (tf.constant(0), tf.constant(0.0), step, weights, slots, state)
            _, total, step, weights, slots, state = tf.while_loop(
                lambda b, *_: b < form.batches,
                lambda *carried: batch(*carried, rows, resets),
                begin,
            )
            outputs = evaluate(weights)
            losses = losses.write(at, total / len_samples)
            rights = rights.write(at, right_answers(form, outputs, y))
            return at + 1, weights, slots, state, step, losses, rights, outputs

        len_samples = float(form.x[0])
        begin = (
            tf.constant(0),
            weights,
            slots,
            state,
            step,
            tf.TensorArray(tf.float32, form.chunk, element_shape=()),
            tf.TensorArray(tf.bool, form.chunk, element_shape=(form.x[0], answers)),
            tf.zeros_like(y),
        )
        end = tf.while_loop(lambda at, *_: at < epochs, epoch, begin)
        _, weights, slots, state, step, losses, rights, outputs = end
        return weights, slots, state, step, losses.stack(), rights.stack(), outputs

    return run


def _unpacked(vector: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
    """Returns the weights of the given shapes that lie one after another in `vector` (P,)."""
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    places = zip([0, *ends[:-1]], ends, shapes, strict=True)
    reshape = np.reshape if isinstance(vector, np.ndarray) else tf.reshape
    return [reshape(vector[start:end], shape) for start, end, shape in places]


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
