"""A whole training run of a seed as one XLA program, with the seeds on all cores.

Python only hands the program the order of the samples, a chunk of epochs at a time. A program
depends on shapes and on the kind of network, and not on learning rate, momentum, number of epochs,
shuffling, layout, reset or seed: recipes that differ only in those share one. Each thread runs the
same executable on a seed of its own, so neither the number of threads nor the other seeds change a
bit of a result.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_bench.errors import Interrupted
from lstm_bench.recipes import Recipe, Samples, Schedule
from lstm_bench.seeds import stream
from lstm_bench.training._engine import SeedRun, Training
from lstm_bench.training._fusion import fence_steps
from lstm_bench.training._models import build, initial_noise, initial_weights, multiply_adds, states
from lstm_bench.training._optimizers import OPTIMIZERS
from lstm_bench.training._packing import Packing
from lstm_bench.training._program import Form, trace

EVALUATION_ROWS = 256
"""Samples evaluated at once, at the most, where no state ties them together: as many as lie in a

core's own memory with all that is computed of them."""


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
    # Almost always one form for all seeds; a seed never depends on what the others' samples are.
    forms = {seed: Form.of(recipe, samples[seed]) for seed in seeds}
    programs, spent = {}, 0.0
    for form in dict.fromkeys(forms.values()):
        before = _compile.cache_info().misses
        programs[form] = _compile(form, _Template(recipe))
        spent += programs[form].seconds * (_compile.cache_info().misses - before)
    halt = threading.Event()

    def one(seed: int) -> SeedRun:
        def stopped() -> bool:
            return halt.is_set() or stop()

        form = forms[seed]
        return _train_seed(recipe, form, programs[form], seed, samples[seed], stopped)

    with ThreadPoolExecutor(max_workers=max(1, min(threads, len(seeds)))) as pool:
        futures = [pool.submit(one, seed) for seed in seeds]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            runs = tuple(future.result() for future in futures)
        finally:
            halt.set()
            for future in futures:
                future.cancel()
    model = programs[forms[seeds[0]]].model
    return Training(runs, model.count_params(), multiply_adds(model), spent)


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
    packing = Packing(tuple(w.shape for w in weights))
    carried = _start(form, program.model, [tf.constant(w) for w in packing.pack(weights)], seed)
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
        samples,
        np.concatenate(losses),
        np.concatenate(rights),
        outputs.numpy().reshape(*samples.scored.shape, -1),
        tuple(packing.unpack([w.numpy() for w in carried[0]])),
        time.perf_counter() - began,
    )


def _start(form: Form, model: keras.Model, weights: list[Any], seed: int) -> list[Any]:
    """Returns what chunk hands on to chunk: weights, slots, state, noise, steps so far."""
    slots = OPTIMIZERS[form.optimizer][1] + form.accumulates
    empty = [tf.zeros(weight.shape) for weight in weights]
    state = [tf.zeros(s.shape) for s in states(model)]
    drawn = [tf.constant(start) for start in initial_noise(model, seed)]
    return [weights, [empty] * slots, state, drawn, tf.constant(0)]


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
    """Returns an evaluation's batches, (batches, rows), and before which the state is cleared."""
    if recipe.stateful:
        return recipe.asking
    count = len(samples)
    batches = -(-count // EVALUATION_ROWS)
    rows = -(-count // batches)
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


@functools.cache
def _compile(form: Form, template: _Template) -> Program:
    """Returns the program for `form`, compiled by a call that trains no epoch."""
    began = time.perf_counter()
    recipe = template.recipe
    batch = form.batch_size if form.stateful else None
    model = build(recipe, (form.x[1], form.x[2]), form.y[-1], batch, plain=False)
    fence_steps(model, form.batch_size)
    run = tf.function(trace(form, model), jit_compile=True, autograph=False)
    samples = recipe.samples(0)
    packing = Packing(tuple(tuple(v.shape) for v in model.trainable_variables))
    run(
        *_start(form, model, [tf.zeros(shape) for shape in packing.packed], 0),
        *_constants(recipe, samples),
        *_orders(form, recipe.schedule, stream(0, "shuffle"), 0),
        tf.constant(0),
    )
    return Program(run, model, time.perf_counter() - began)
