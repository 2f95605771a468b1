"""Plain Keras, as the tutorials write it: `fit` an epoch at a time, `reset_state` in between.

This engine is slow and defines what is correct. The order of the samples comes from the seed's
own stream rather than from `fit`, so that the other engine can train in the same order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from lstm_bench.errors import Interrupted
from lstm_bench.recipes import Recipe, Samples
from lstm_bench.seeds import stream
from lstm_bench.statistics import is_correct
from lstm_bench.training._engine import SeedRun, Training
from lstm_bench.training._models import (
    build,
    initial_noise,
    initial_weights,
    multiply_adds,
    noise,
    reset_states,
    states,
)

OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """Returns the Keras optimizer that a recipe asks for."""
    options: dict[str, Any] = {"learning_rate": recipe.learning_rate}
    if recipe.optimizer == "sgd":
        options["momentum"] = recipe.momentum
    if recipe.accumulate > 1:
        options["gradient_accumulation_steps"] = recipe.accumulate
    return OPTIMIZERS[recipe.optimizer](**options)


def train(
    recipe: Recipe,
    seeds: Sequence[int],
    threads: int = 1,
    stop: Callable[[], bool] = lambda: False,
    evaluate: bool = True,
) -> Training:
    """Trains each seed in turn; `threads` is ignored. See `engine.Engine`.

    Without `evaluate` only the last epoch is evaluated, as the tutorials do: the curve of right
    answers then repeats that epoch's.
    """
    runs, parameters, work = [], 0, 0
    for seed in seeds:
        samples = recipe.samples(seed)
        model = prepared_samples(recipe, samples, seed)
        parameters, work = model.count_params(), multiply_adds(model)
        began = time.perf_counter()
        loss, right = [], []
        outputs = np.zeros_like(samples.y)
        rng = stream(seed, "shuffle")
        for epoch in range(recipe.epochs):
            if stop():
                raise Interrupted
            loss.append(fit_epoch(recipe, model, samples, rng))
            if evaluate or epoch == recipe.epochs - 1:
                outputs = predict(recipe, model, samples)
                answers = is_correct(outputs, samples.y, recipe.task.kind, recipe.task.tolerance)
                right.append(answers.reshape(samples.scored.shape))
        run = SeedRun(
            seed,
            samples,
            np.array(loss, np.float32),
            np.broadcast_to(np.array(right), (recipe.epochs, *samples.scored.shape)),
            outputs.reshape(*samples.scored.shape, -1),
            tuple(np.asarray(w) for w in model.trainable_variables),
            time.perf_counter() - began,
        )
        runs.append(run)
    return Training(tuple(runs), parameters, work, 0.0)


def prepared_samples(recipe: Recipe, samples: Samples, seed: int) -> keras.Model:
    """Returns the compiled Keras model of `recipe` with the initial weights of `seed`."""
    batch = recipe.schedule.batch_size if recipe.stateful else None
    shape = (samples.x.shape[1], samples.x.shape[2])
    model = build(recipe, shape, samples.y.shape[-1], batch, plain=True)
    model.compile(optimizer=optimizer(recipe), loss=recipe.loss)
    # Its own variables now: made in the first step, they would have Keras trace that step twice.
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(
        model.trainable_variables, initial_weights(model, seed), strict=True
    ):
        variable.assign(value)
    for state, start in zip(noise(model), initial_noise(model, seed), strict=True):
        state.assign(start)
    return model


def fit_epoch(
    recipe: Recipe, model: keras.Model, samples: Samples, rng: np.random.Generator
) -> float:
    """Trains one epoch and returns its mean loss over the samples."""
    index, reset = (each[0] for each in recipe.schedule.epochs(rng, 1))
    total = 0.0
    for first, last in _stretches(reset):
        if reset[first]:
            reset_states(model)
        order = index[first:last].ravel()
        order = order[order >= 0]
        weight = None if samples.scored.all() else _weight(samples)[order]
        history = model.fit(
            samples.x[order],
            samples.y[order],
            sample_weight=weight,
            batch_size=recipe.schedule.batch_size,
            epochs=1,
            shuffle=False,
            verbose=0,
        )
        total += history.history["loss"][0] * len(order)
    return total / samples.trained


def predict(recipe: Recipe, model: keras.Model, samples: Samples) -> np.ndarray:
    """Returns the outputs for all samples in their own order, from a cleared state.

    The state that training had reached is put back afterwards.
    """
    kept = [np.asarray(state) for state in states(model)]
    if not recipe.stateful:
        outputs: np.ndarray = model.predict(samples.x, batch_size=len(samples), verbose=0)
        return outputs
    index, reset = recipe.asking
    outputs = np.zeros_like(samples.y)
    for first, last in _stretches(reset):
        reset_states(model)
        order = index[first:last].ravel()
        order = order[order >= 0]
        size = recipe.schedule.batch_size
        outputs[order] = model.predict(samples.x[order], batch_size=size, verbose=0)
    for state, value in zip(states(model), kept, strict=True):
        state.assign(value)
    return outputs


def _weight(samples: Samples) -> np.ndarray:
    """Returns Keras's sample weights: (N, M) with an output at every step, else (N,)."""
    weight = samples.scored.astype(np.float32)
    return weight if samples.y.ndim == 3 else weight[:, 0]


def _stretches(reset: np.ndarray) -> list[tuple[int, int]]:
    """Returns the runs of batches between one reset and the next, as half-open ranges."""
    starts = [0, *(int(b) for b in np.flatnonzero(reset) if b > 0)]
    return list(zip(starts, [*starts[1:], len(reset)], strict=True))
