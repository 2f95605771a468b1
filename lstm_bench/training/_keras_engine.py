"""Trains with plain Keras, as the tutorials write it: `fit` one epoch at a time, reset states.

This engine is slow and defines what is correct. The order of the samples comes from the seed's
random stream rather than from `fit`, so that the other engine can train in the same order.
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
from lstm_bench.training import _losses as losses
from lstm_bench.training._engine import SeedRun, Training
from lstm_bench.training._models import (
    build,
    dropout_variables,
    initial_dropout_states,
    initial_weights,
    multiply_adds,
    reset_states,
    state_variables,
)

OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """Returns the Keras optimizer of a recipe."""
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
) -> Training:
    """Trains one seed after another; `threads` is ignored. See `Engine` in `_engine.py`."""
    runs, parameters, work = [], 0, 0
    for seed in seeds:
        samples = recipe.samples(seed)
        model = prepared_model(recipe, samples, seed)
        parameters, work = model.count_params(), multiply_adds(model)
        start = time.perf_counter()
        loss, correct = [], []
        outputs = np.zeros_like(samples.y)
        rng = stream(seed, "shuffle")
        for epoch in range(1, recipe.epochs + 1):
            if stop():
                raise Interrupted
            loss.append(fit_epoch(recipe, model, samples, rng))
            if epoch in recipe.evaluated_epochs:
                outputs = predict(recipe, model, samples)
                hits = is_correct(outputs, samples.y, recipe.task.kind, recipe.task.tolerance)
                correct.append(hits.reshape(samples.scored.shape))
        run = SeedRun(
            seed,
            samples,
            np.array(loss, np.float32),
            recipe.evaluated_epochs,
            np.array(correct),
            outputs.reshape(*samples.scored.shape, -1),
            tuple(np.asarray(w) for w in model.trainable_variables),
            time.perf_counter() - start,
        )
        runs.append(run)
    return Training(tuple(runs), parameters, work, 0.0)


def prepared_model(recipe: Recipe, samples: Samples, seed: int) -> keras.Model:
    """Returns the compiled Keras model of `recipe` with the initial weights of `seed`."""
    batch = recipe.schedule.batch_size if recipe.stateful else None
    shape = (samples.x.shape[1], samples.x.shape[2])
    model = build(recipe, shape, samples.y.shape[-1], batch, plain=True)
    model.compile(optimizer=optimizer(recipe), loss=losses.loss(recipe.loss))
    # Without its variables, the optimizer makes Keras trace the first step twice.
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(
        model.trainable_variables, initial_weights(model, recipe, seed), strict=True
    ):
        variable.assign(value)
    states = initial_dropout_states(model, seed)
    for variable, state in zip(dropout_variables(model), states, strict=True):
        variable.assign(state)
    return model


def fit_epoch(
    recipe: Recipe, model: keras.Model, samples: Samples, rng: np.random.Generator
) -> float:
    """Trains one epoch and returns its mean loss over the samples."""
    (index,), (reset,) = recipe.schedule.epochs(rng, 1)
    total = 0.0
    for first, last in _ranges_between_resets(reset):
        if reset[first]:
            reset_states(model)
        order = index[first:last].ravel()
        order = order[order >= 0]
        weight = None if samples.scored.all() else _sample_weight(samples)[order]
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
    return total / samples.train_count


def predict(recipe: Recipe, model: keras.Model, samples: Samples) -> np.ndarray:
    """Returns the outputs for all samples, in the order of `samples`, from a cleared state.

    The state that training had reached is restored afterwards.
    """
    training_state = [np.asarray(state) for state in state_variables(model)]
    if not recipe.stateful:
        outputs: np.ndarray = model.predict(samples.x, batch_size=len(samples), verbose=0)
        return outputs
    index, reset = recipe.stateful_evaluation_batches
    outputs = np.zeros_like(samples.y)
    for first, last in _ranges_between_resets(reset):
        reset_states(model)
        order = index[first:last].ravel()
        order = order[order >= 0]
        size = recipe.schedule.batch_size
        outputs[order] = model.predict(samples.x[order], batch_size=size, verbose=0)
    for state, value in zip(state_variables(model), training_state, strict=True):
        state.assign(value)
    return outputs


def _sample_weight(samples: Samples) -> np.ndarray:
    """Returns the sample weights for Keras: (N, M) with an output at every step, else (N,)."""
    weight = samples.scored.astype(np.float32)
    return weight if samples.y.ndim == 3 else weight[:, 0]


def _ranges_between_resets(reset: np.ndarray) -> list[tuple[int, int]]:
    """Returns the half-open ranges of batches from one reset to the next."""
    starts = [0, *(int(b) for b in np.flatnonzero(reset) if b > 0)]
    return list(zip(starts, [*starts[1:], len(reset)], strict=True))
