"""The estimated cost of a recipe, and the compiled program it needs, before it is built.

The estimates are rough. They only decide which recipe starts first and which worker runs it; they
never affect a result.
"""

from __future__ import annotations

import json

from lstm_bench.recipes._recipe import Recipe
from lstm_bench.tasks import checked_problem

SEED_OVERHEAD_SECONDS, PREDICTION_SECONDS = 0.02, 2e-5
"""Seconds that a seed takes apart from training, and more for each step that it forecasts."""
STEP_SECONDS, TIME_STEP_SECONDS, MULTIPLY_ADD_SECONDS = 3e-6, 1.6e-6, 7e-11
"""Seconds of a training step: to start it, for each time step and for each multiply-add."""
SAMPLE_COPIES = 6
"""Approximate number of copies of a recipe's samples that are in memory at one time."""
RUNTIME_SETTINGS = {
    *("epochs", "learning_rate", "momentum", "shuffle", "layout", "reset", "accumulate"),
    *("batch_size", "evaluation", "evaluate_every", "start", "recall_weight"),
    *("forget_bias", "longest_time", "clip_norm"),
    *("input_gate_bias", "output_gate_bias", "initial_range", "cells_from"),
}
"""Settings that are inputs of a compiled program: they do not change the program, or only partly.

`program_key` adds the parts of them that do change it."""


def program_key(recipe: Recipe, engine: str = "compiled") -> str:
    """Returns a key that is equal for recipes that share one compiled program.

    It is empty for the Keras engine, which compiles no program.

    >>> from lstm_bench.recipes import recipe
    >>> program_key(recipe("memory", epochs=5)) == program_key(recipe("memory", epochs=6))
    True
    """
    if engine != "compiled":
        return ""
    key = {name: value for name, value in recipe.settings.items() if name not in RUNTIME_SETTINGS}
    key |= {"batch": recipe.schedule.batch_size, "accumulates": recipe.accumulate > 1}
    key |= {"evaluates_all": recipe.evaluation_distance == 1}
    key |= {"weighted": recipe.recall_weight is not None}
    if recipe.clip_norm is not None:
        key["clips"] = True
    if recipe.own_network is not None:
        key["own"] = recipe.training  # which may depend on any setting
    return json.dumps(key, sort_keys=True)


def estimated_seconds(recipe: Recipe) -> float:
    """Returns about how many seconds a seed of `recipe` takes on one core, without compiling.

    It is trained, evaluated, and its results are stored; at several origins, at each.
    """
    if recipe.at_origins:
        return sum(map(estimated_seconds, recipe.at_origins))
    return estimated_training_seconds(recipe) + seed_overhead_seconds(recipe)


def estimated_training_seconds(recipe: Recipe) -> float:
    """Returns about how many seconds the training of a seed takes, with its evaluations."""
    if recipe.at_origins:
        return sum(map(estimated_training_seconds, recipe.at_origins))
    features = _features(recipe)
    work = MULTIPLY_ADD_SECONDS * multiply_adds(recipe, features)
    step = STEP_SECONDS + TIME_STEP_SECONDS * recipe.width + work
    evaluated = len(recipe.evaluated_epochs) * sum(map(sum, recipe.counts[recipe.fresh :]))
    evaluations = MULTIPLY_ADD_SECONDS * evaluated * recipe.forward_multiply_adds(features)
    return step * recipe.epochs * recipe.schedule.batches + evaluations


def seed_overhead_seconds(recipe: Recipe) -> float:
    """Returns about how many seconds a seed takes apart from training and evaluations.

    Its predictions are made into a table, next to those of the baselines if there are any.
    """
    rows = sum(recipe.counts[1]) if recipe.task.has_baselines else 0
    return SEED_OVERHEAD_SECONDS + PREDICTION_SECONDS * rows


def _features(recipe: Recipe) -> int:
    """Returns the number of input features of a time step."""
    first = checked_problem(recipe.task, 0).train[0]
    if first.inputs.ndim > 1:
        return int(first.inputs.shape[-1])
    return recipe.task.alphabet_size if recipe.encoding == "onehot" else 1


def multiply_adds(recipe: Recipe, features: int = 1) -> int:
    """Returns about how many multiply-adds a training step takes with `features` input features.

    The backward pass takes twice as many as the forward pass.
    """
    return 3 * recipe.schedule.batch_size * recipe.forward_multiply_adds(features)


def estimated_memory(recipe: Recipe) -> float:
    """Returns about how many bytes the training of one seed of `recipe` takes at most.

    It counts the encoded samples with their copies and outputs, the weights with their gradient
    and the optimizer's two moments, and what each time step of a batch stores for the backward
    pass.
    """
    first = checked_problem(recipe.task, 0).train[0]
    window = getattr(recipe.framing, "window", 1)  # as features of one time step, or as time steps
    steps = max(recipe.width, window)
    symbols = recipe.task.alphabet_size if recipe.task.kind == "categorical" else 0
    features = _features(recipe)
    outputs = symbols or first.targets.shape[-1]
    output_steps = recipe.width if recipe.framing.every_step else 1
    samples = sum(map(sum, recipe.counts))
    values = SAMPLE_COPIES * samples * (steps * features + output_steps * outputs)
    weights = 16 * recipe.units * (recipe.units * recipe.layers + features + outputs)
    activations = 20 * recipe.schedule.batch_size * recipe.width * recipe.units * recipe.layers
    return 4.0 * (values + weights + activations)


def search_cost(recipe: Recipe) -> float:
    """Returns the cost that a search minimises, in an arbitrary unit."""
    return float(recipe.updates * recipe.units**2 * recipe.layers)
