"""The estimated cost of a recipe, and the compiled program it needs, before it is built.

The estimates are rough. They only decide which recipe starts first and which worker runs it; they
never affect a result.
"""

from __future__ import annotations

import json

from lstm_bench.recipes._recipe import Recipe
from lstm_bench.tasks import checked_problem

SEED_OVERHEAD_SECONDS = 0.02
"""Seconds that a seed takes apart from training: it is evaluated and its results are stored."""
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
    return json.dumps(key, sort_keys=True)


def estimated_seconds(recipe: Recipe) -> float:
    """Returns about how many seconds a seed of `recipe` takes on one core, without compiling.

    At several origins it is trained as often.
    """
    if recipe.at_origins:
        return sum(map(estimated_seconds, recipe.at_origins))
    work = MULTIPLY_ADD_SECONDS * multiply_adds(recipe)
    step = STEP_SECONDS + TIME_STEP_SECONDS * recipe.width + work
    return SEED_OVERHEAD_SECONDS + step * recipe.epochs * recipe.schedule.batches


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
    features = first.inputs.shape[-1] if first.inputs.ndim > 1 else 1
    features = symbols if recipe.encoding == "onehot" and first.inputs.ndim == 1 else features
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
