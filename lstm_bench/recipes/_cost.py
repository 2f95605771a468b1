"""What a recipe costs and which program it needs, told before anything of it is built.

Rough: these numbers decide what is started first and what waits for which worker, never a result.
"""

from __future__ import annotations

import json

from lstm_bench.recipes._recipe import Recipe
from lstm_bench.tasks import checked_problem

MEMORY_PER_RECIPE = 0.02
"""Seconds a seed takes besides training: asked, written down."""
START, TIME_STEP, MULTIPLY_ADD = 3e-6, 1.6e-6, 7e-11
"""Seconds of a training step: to start it, for each of its time steps, and for its `work`."""
COPIES = 6
"""Copies of a recipe's samples that are in memory at one time, about."""
NOT_IN_PROGRAM = {
    *("epochs", "learning_rate", "momentum", "shuffle", "layout", "reset", "accumulate"),
    *("batch_size", "evaluation", "start"),
}
"""Settings that change what a program is given to do, and not the program, or only in part."""


def program_key(recipe: Recipe, engine: str = "compiled") -> str:
    """Returns a name that recipes share whose compiled programs are one; Keras has none.

    >>> from lstm_bench.recipes import recipe
    >>> program_key(recipe("memory", epochs=5)) == program_key(recipe("memory", epochs=6))
    True
    """
    if engine != "compiled":
        return ""
    kept = {key: own for key, own in recipe.settings.items() if key not in NOT_IN_PROGRAM}
    kept |= {"batch": recipe.schedule.batch_size, "accumulates": recipe.accumulate > 1}
    return json.dumps(kept, sort_keys=True)


def estimated_seconds(recipe: Recipe) -> float:
    """Returns about how many seconds a seed of `recipe` takes on one core, compiling apart."""
    step = START + TIME_STEP * recipe.width + MULTIPLY_ADD * multiply_adds(recipe)
    return MEMORY_PER_RECIPE + step * recipe.epochs * recipe.schedule.batches


def multiply_adds(recipe: Recipe, features: int = 1) -> int:
    """Returns about how many multiply-adds a training step takes, for so many input `features`.

    Four gates, forward and twice as much backward, for every row, time step and layer.
    """
    size = 12 * recipe.schedule.batch_size * recipe.width * recipe.layers * recipe.units
    return size * (recipe.units + features)


def estimated_memory(recipe: Recipe) -> float:
    """Returns about how many bytes training a seed of `recipe` takes at the most.

    That is: its samples, which are encoded, copied and answered; its weights with their gradient
    and the optimizer's two moments; and what a batch leaves behind at every time step.
    """
    first = checked_problem(recipe.task, 0).train[0]
    every = recipe.framing.every_step
    window = getattr(recipe.framing, "window", 1)  # side by side in one time step, or in as many
    rows = max(recipe.width, window)
    symbols = recipe.task.alphabet_size if recipe.task.kind == "categorical" else 0
    shown = first.inputs.shape[-1] if first.inputs.ndim > 1 else 1
    shown = symbols if recipe.encoding == "onehot" and first.inputs.ndim == 1 else shown
    due = symbols or first.targets.shape[-1]
    samples = sum(map(sum, recipe.counts))
    values = COPIES * samples * (rows * shown + (recipe.width if every else 1) * due)
    weights = 16 * recipe.units * (recipe.units * recipe.layers + shown + due)
    kept = 20 * recipe.schedule.batch_size * recipe.width * recipe.units * recipe.layers
    return 4.0 * (values + weights + kept)


def search_cost(recipe: Recipe) -> float:
    """Returns what a search that minimises cost takes for it, in parts of an arbitrary unit."""
    return float(recipe.updates * recipe.units**2 * recipe.layers)
