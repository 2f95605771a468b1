"""Trains with plain Keras, as the tutorials write it: `fit` one epoch at a time, reset states.

This engine is slow and defines what is correct. The order of the samples comes from the seed's
random stream rather than from `fit`, so that the other engine can train in the same order.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

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
from lstm_bench.training._step_updates import StepUpdates
from lstm_bench.training._stopping import (
    RuleWindow,
    SolvedStreak,
    judges_last_step,
    largest_errors,
    needed_correct,
)
from lstm_bench.training._truncation import cut_gradients

OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


SCHEDULES: dict[str, Callable[[float, int], keras.optimizers.schedules.LearningRateSchedule]] = {
    "linear": functools.partial(
        keras.optimizers.schedules.PolynomialDecay, end_learning_rate=0.0, power=1.0
    ),
    "cosine": keras.optimizers.schedules.CosineDecay,
}
"""The schedule of each decay, from the learning rate and the number of training steps."""


def optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """Returns the Keras optimizer of a recipe."""
    options: dict[str, Any] = {"learning_rate": recipe.learning_rate}
    if recipe.decay is not None:
        # Keras's schedules count training steps, also where gradients accumulate over several.
        options["learning_rate"] = SCHEDULES[recipe.decay](
            recipe.learning_rate, recipe.training_steps
        )
    if recipe.clip_norm is not None:
        options["global_clipnorm"] = recipe.clip_norm
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
        samples = recipe.evaluated_samples(seed)
        model = prepared_model(recipe, samples, seed)
        parameters, work = model.count_params(), multiply_adds(model)
        start = time.perf_counter()
        loss, correct, evaluated = [], [], []
        outputs = np.zeros_like(samples.y)
        rng = stream(seed, "shuffle")
        streak = SolvedStreak(recipe.stop_after_solved)
        rule = RuleWindow.of(recipe)
        needed, met_after = needed_correct(recipe, samples), None
        updates = StepUpdates(recipe, model) if recipe.update == "step" else None
        for epoch in range(1, recipe.epochs + 1):
            if stop():
                raise Interrupted
            trained = recipe.epoch_samples(seed, epoch) if recipe.fresh else samples
            if updates is None and rule is None:
                loss.append(fit_epoch(recipe, model, trained, rng))
            else:
                epoch_loss, errors = (
                    fit_with_errors(recipe, model, trained, rng)
                    if updates is None
                    else updates.fit(trained, rng)
                )
                loss.append(epoch_loss)
                met_after = None if rule is None else rule.met_after(errors)
            if epoch in recipe.evaluated_epochs or met_after is not None:
                outputs = predict(recipe, model, samples)
                hits = correct_outputs(recipe, samples, outputs)
                correct.append(hits)
                evaluated.append(epoch)
                if streak.ends(epoch, int(hits[samples.evaluated].sum()) >= needed):
                    break
            if met_after is not None:
                break
        run = SeedRun(
            seed,
            samples,
            np.array(loss, np.float32),
            np.array(evaluated),
            np.array(correct),
            outputs.reshape(*samples.scored.shape, -1),
            tuple(np.asarray(w) for w in model.trainable_variables),
            time.perf_counter() - start,
            met_after,
        )
        runs.append(run)
    return Training(tuple(runs), parameters, work, 0.0)


def prepared_model(recipe: Recipe, samples: Samples, seed: int) -> keras.Model:
    """Returns the compiled Keras model of `recipe` with the initial weights of `seed`."""
    batch = recipe.schedule.batch_size if recipe.stateful else None
    shape = (samples.x.shape[1], samples.x.shape[2])
    model = build(recipe, shape, samples.y.shape[-1], batch, plain=True)
    if recipe.truncate is not None:
        cut_gradients(model, recipe.truncate)
    model.compile(optimizer=optimizer(recipe), loss=losses.loss(recipe.loss))
    # Without its variables, the optimizer makes Keras trace the first step twice.
    model.optimizer.build(model.trainable_variables)
    weights = initial_weights(model, recipe, seed)
    for variable, value in zip(model.trainable_variables, weights, strict=True):
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
        weights = samples.weights(recipe.recall_weight)
        weight = None if weights is None else weights[order]
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


def fit_with_errors(
    recipe: Recipe, model: keras.Model, samples: Samples, rng: np.random.Generator
) -> tuple[float, NDArray[np.floating]]:
    """Trains one epoch of a stateless recipe; returns its loss and the largest errors (N,).

    The errors are those of the training samples before the update with them, in their order.
    """
    (index,), _ = recipe.schedule.epochs(rng, 1)
    weights = samples.weights(recipe.recall_weight)
    total, errors = 0.0, []
    last_step = judges_last_step(recipe)
    for order in (batch[batch >= 0] for batch in index):
        x, y = samples.x[order], samples.y[order]
        outputs = np.asarray(model.predict_on_batch(x))
        errors.append(largest_errors(outputs, samples.rows(order), last_step))
        weight = None if weights is None else weights[order]
        model.reset_metrics()
        total += float(model.train_on_batch(x, y, sample_weight=weight)) * len(order)
    return total / samples.train_count, np.concatenate(errors)


def correct_outputs(
    recipe: Recipe, samples: Samples, outputs: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Returns which of `outputs`, which are like `samples.y`, are correct, (N, M)."""
    kind, tolerance = recipe.task.kind, recipe.task.tolerance
    correct = is_correct(outputs, samples.y, kind, tolerance, samples.possible)
    return correct.reshape(samples.scored.shape)


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


def _ranges_between_resets(reset: np.ndarray) -> list[tuple[int, int]]:
    """Returns the half-open ranges of batches from one reset to the next."""
    starts = [0, *(int(b) for b in np.flatnonzero(reset) if b > 0)]
    return list(zip(starts, [*starts[1:], len(reset)], strict=True))
