"""Trains a seed as one XLA program, with several seeds in parallel threads.

Python only passes the order of the samples to the program, one chunk of epochs at a time. A
program depends on shapes and on the kind of network, but not on learning rate, momentum, norm of
clipped gradients, initial biases, number of epochs, shuffling, layout, reset or seed: recipes that
differ only in those share one program, and those that are evaluated after every epoch have another
than those that are not. Each thread runs the same executable on a different seed, so neither the
number of threads nor the other seeds change a bit of a result.
"""

from __future__ import annotations

import functools
import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_bench.errors import Fault, Interrupted, RecipeError
from lstm_bench.recipes import Recipe, Samples, Schedule
from lstm_bench.seeds import stream
from lstm_bench.training._engine import Engine, SeedRun, Training, get_engine
from lstm_bench.training._fusion import fence_steps
from lstm_bench.training._kernel_calls import use_kernels
from lstm_bench.training._models import (
    build,
    initial_dropout_states,
    initial_weights,
    multiply_adds,
    state_variables,
)
from lstm_bench.training._optimizers import OPTIMIZERS
from lstm_bench.training._packing import Packing
from lstm_bench.training._program import training_function
from lstm_bench.training._program_spec import (
    Chunk,
    ProgramInputs,
    ProgramSpec,
    SampleTensors,
    TrainingState,
)
from lstm_bench.training._seed_threads import in_threads
from lstm_bench.training._stopping import RuleWindow, needed_correct
from lstm_bench.training._truncation import cut_gradients

EVALUATION_ROWS = 256
"""Largest number of samples evaluated at once where no state connects the batches.

So many samples, with all values computed from them, fit in one core's own memory."""


@dataclass(frozen=True)
class Program:
    """A compiled program and the Keras model from which it was traced."""

    run: Any
    model: keras.Model
    seconds: float


def train(
    recipe: Recipe,
    seeds: Sequence[int],
    threads: int = 1,
    stop: Callable[[], bool] = lambda: False,
) -> Training:
    """Trains all seeds, `threads` at a time; see `Engine` in `_engine.py`."""
    if recipe.update == "step":
        return step_engine().train(recipe, seeds, threads, stop)
    samples = {seed: recipe.evaluated_samples(seed) for seed in seeds}
    # Almost always one spec for all seeds, but a seed must not depend on the samples of the others.
    specs = {seed: ProgramSpec.of(recipe, samples[seed]) for seed in seeds}
    programs, compile_seconds = {}, 0.0
    for spec in dict.fromkeys(specs.values()):
        misses = _compile.cache_info().misses
        programs[spec] = _compile(spec, _Template(recipe))
        compile_seconds += programs[spec].seconds * (_compile.cache_info().misses - misses)

    def train_one(seed: int, stopped: Callable[[], bool]) -> SeedRun:
        spec = specs[seed]
        return _train_seed(recipe, spec, programs[spec], seed, samples[seed], stopped)

    runs = in_threads(train_one, seeds, threads, stop)
    model = programs[specs[seeds[0]]].model
    return Training(runs, model.count_params(), multiply_adds(model), compile_seconds)


def step_engine() -> Engine:
    """Returns what trains recipes with `update=step`; where Numba is missing, the other engine."""
    try:
        numba = importlib.import_module("numba")
        if not numba.config.DISABLE_JIT:
            engine: Engine = importlib.import_module("lstm_bench.training._step_training")
            return engine
    except ImportError:
        pass
    return get_engine("keras")


def _train_seed(
    recipe: Recipe,
    spec: ProgramSpec,
    program: Program,
    seed: int,
    samples: Samples,
    stop: Callable[[], bool],
) -> SeedRun:
    start = time.perf_counter()
    weights = initial_weights(program.model, recipe, seed)
    packing = Packing(tuple(w.shape for w in weights))
    packed = [tf.constant(w) for w in packing.pack(weights)]
    state = _initial_state(spec, program.model, packed, seed)
    inputs = _inputs(recipe, samples)
    losses, correct = [], []
    outputs = chunk = met_after = None
    rule = RuleWindow.of(recipe)
    rng = stream(seed, "shuffle")
    all_evaluated = np.zeros(recipe.epochs + spec.chunk, bool)  # the last chunk may be longer
    all_evaluated[recipe.evaluated_epochs - 1] = True
    trained, solved_since = 0, [tf.constant(0)] * spec.stops
    for first in range(0, recipe.epochs, spec.chunk):
        if stop():
            raise Interrupted
        epochs = min(spec.chunk, recipe.epochs - first)
        if chunk is None or recipe.shuffle != "none" or epochs < spec.chunk:
            chunk = _chunk(spec, recipe.schedule, rng, epochs)
        evaluated = all_evaluated[first : first + spec.chunk]
        chunk = chunk._replace(
            evaluated=tf.constant(evaluated),
            first_epoch=tf.constant(first),
            solved_since=solved_since,
            fresh=_fresh(recipe, spec, seed, first, epochs) if spec.fresh else [],
        )
        result = program.run(state, inputs, chunk)
        state, outputs, solved_since = result.state, result.outputs, result.solved_since
        done = int(result.epochs) if spec.stops else epochs
        trained += done
        losses.append(result.losses.numpy()[:done])
        correct.append(result.correct.numpy()[:done][evaluated[:done]])
        if rule is not None:
            errors = result.errors[0].numpy()[:done].reshape(-1)
            present = chunk.index.numpy()[:done].reshape(-1) >= 0
            met_after = rule.met_after(errors[present])
        if done < epochs or met_after is not None:
            break
    assert outputs is not None and chunk is not None
    epochs_evaluated = recipe.evaluated_epochs[recipe.evaluated_epochs <= trained]
    if met_after is not None and epochs_evaluated.max(initial=0) < trained:
        evaluation = chunk._replace(evaluated=tf.constant([True]), batches=tf.constant(0))
        result = program.run(state, inputs, evaluation)
        outputs = result.outputs
        correct.append(result.correct.numpy())
        epochs_evaluated = np.append(epochs_evaluated, trained)
    return SeedRun(
        seed,
        samples,
        np.concatenate(losses),
        epochs_evaluated,
        np.concatenate(correct),
        outputs.numpy().reshape(*samples.scored.shape, -1),
        tuple(packing.unpack([w.numpy() for w in state.weights])),
        time.perf_counter() - start,
        met_after,
    )


def _fresh(
    recipe: Recipe, spec: ProgramSpec, seed: int, first: int, epochs: int
) -> list[SampleTensors]:
    """Returns the training samples of the `epochs` epochs after `first`, padded to a chunk."""
    samples = [recipe.epoch_samples(seed, first + number + 1) for number in range(epochs)]
    samples += samples[-1:] * (spec.chunk - epochs)
    return [
        SampleTensors(
            *(
                tf.stack(arrays)
                for arrays in zip(*(_tensors(recipe, part) for part in samples), strict=True)
            )
        )
    ]


def _tensors(recipe: Recipe, samples: Samples) -> SampleTensors:
    weight = samples.weights(recipe.recall_weight)
    if weight is None:
        weight = np.ones(samples.y.shape[:-1], np.float32)
    return SampleTensors(tf.constant(samples.x), tf.constant(samples.y), tf.constant(weight))


def _initial_state(
    spec: ProgramSpec, model: keras.Model, weights: list[Any], seed: int
) -> TrainingState:
    """Returns the state at the start of training; `weights` are packed."""
    slots = OPTIMIZERS[spec.optimizer][1] + spec.accumulates
    zeros = [tf.zeros(weight.shape) for weight in weights]
    return TrainingState(
        weights=weights,
        slots=[zeros] * slots,
        rnn_states=[tf.zeros(s.shape) for s in state_variables(model)],
        dropout_states=[tf.constant(s) for s in initial_dropout_states(model, seed)],
        step=tf.constant(0),
    )


def _inputs(recipe: Recipe, samples: Samples) -> ProgramInputs:
    index, reset = evaluation_batches(recipe, samples)
    position = np.zeros(len(samples), np.int32)
    flat = index.ravel()
    position[flat[flat >= 0]] = np.flatnonzero(flat >= 0)
    possible = [] if samples.possible is None else [tf.constant(samples.possible)]
    stops = recipe.stop_after_solved is not None
    return ProgramInputs(
        samples=_tensors(recipe, samples),
        possible=possible,
        counted=[tf.constant(samples.evaluated)] if stops else [],
        needed=tf.constant(needed_correct(recipe, samples), tf.int32),
        patience=tf.constant(recipe.stop_after_solved or 0),
        evaluation_index=tf.constant(index),
        evaluation_reset=tf.constant(reset),
        position=tf.constant(position),
        rate=tf.constant(recipe.learning_rate, tf.float32),
        momentum=tf.constant(recipe.momentum, tf.float32),
        accumulate=tf.constant(recipe.accumulate),
        clip_norm=tf.constant(recipe.clip_norm or 0.0, tf.float32),
        steps=tf.constant(recipe.training_steps, tf.float32),
    )


def evaluation_batches(recipe: Recipe, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Returns the batches of an evaluation and whether the state is cleared before each.

    Sample indices (batches, rows), -1 for an empty row, and resets (batches,).
    """
    if recipe.stateful:
        return recipe.stateful_evaluation_batches
    count = len(samples)
    batches = -(-count // EVALUATION_ROWS)
    rows = -(-count // batches)
    padded = np.full(batches * rows, -1, np.int32)
    padded[:count] = np.arange(count)
    return padded.reshape(batches, rows), np.ones(batches, bool)


def _chunk(spec: ProgramSpec, schedule: Schedule, rng: np.random.Generator, epochs: int) -> Chunk:
    """Returns the batches of the next `epochs` epochs, padded to the length of a chunk."""
    index = np.zeros((spec.chunk, spec.batches, spec.batch_size), np.int32)
    reset = np.zeros((spec.chunk, spec.batches), bool)
    index[:epochs], reset[:epochs] = schedule.epochs(rng, epochs)
    return Chunk(
        index=tf.constant(index),
        reset=tf.constant(reset),
        evaluated=tf.zeros(spec.chunk, tf.bool),
        epochs=tf.constant(epochs),
        batches=tf.constant(spec.batches),
        fresh=[],
        first_epoch=tf.constant(0),
        solved_since=[tf.constant(0)] * spec.stops,
    )


class _Template:
    """A recipe to trace a program from; all templates are equal, so the spec alone is the key."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Template)

    def __hash__(self) -> int:
        return 0


@functools.cache
def _compile(spec: ProgramSpec, template: _Template) -> Program:
    """Returns the program for `spec`, compiled by a call that trains no epoch."""
    start = time.perf_counter()
    recipe = template.recipe
    batch = spec.batch_size if spec.stateful else None
    model = build(recipe, (spec.x[1], spec.x[2]), spec.y[-1], batch, plain=False)
    if spec.kernels:
        use_kernels(model, spec.truncate)
    else:
        fence_steps(model, spec.batch_size)
        if spec.truncate:
            cut_gradients(model, spec.truncate)
    run = tf.function(training_function(spec, model), jit_compile=True, autograph=False)
    packing = Packing(tuple(tuple(v.shape) for v in model.trainable_variables))
    samples = recipe.evaluated_samples(0)
    chunk = _chunk(spec, recipe.schedule, stream(0, "shuffle"), 0)
    arguments = (
        _initial_state(spec, model, [tf.zeros(shape) for shape in packing.packed], 0),
        _inputs(recipe, samples),
        chunk._replace(fresh=_fresh(recipe, spec, 0, 0, 1) if spec.fresh else []),
    )
    try:
        run(*arguments)
    except Exception as error:
        if recipe.own_network is None:
            raise
        reason = " ".join(str(error).split())
        raise RecipeError(
            [
                Fault(
                    "network",
                    f"{recipe.own_network} must be of operations that XLA compiles for the "
                    f"compiled engine, but {type(error).__name__}: {reason[:300]}; use the engine "
                    "keras (--engine keras), or other operations",
                )
            ]
        ) from error
    return Program(run, model, time.perf_counter() - start)
