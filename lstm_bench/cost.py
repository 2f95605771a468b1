"""What a recipe costs and which program it needs, told before anything of it is built.

Rough: these numbers decide what is started first and what waits for which worker, never a result.
"""

from __future__ import annotations

import json

from lstm_bench.recipe import Recipe

APIECE = 0.02
"""Seconds a seed takes besides training: asked, written down."""
STEP = {"compiled": 8e-6, "keras": 3e-3}
"""Seconds an engine takes for a training step of a small network, evaluation included."""
SMALL_STEP = 50_000
"""Multiply-adds of a training step that cost no more than starting it."""
NOT_IN_PROGRAM = {
    *("epochs", "learning_rate", "momentum", "shuffle", "reset", "accumulate"),
    *("evaluation", "start"),
}
"""Settings that change what a program is given to do, and not the program."""


def program(recipe: Recipe) -> str:
    """Returns a name that recipes share whose compiled programs are one.

    >>> from lstm_bench.recipe import recipe
    >>> program(recipe("memory", epochs=5)) == program(recipe("memory", epochs=6))
    True
    """
    kept = {key: own for key, own in recipe.settings.items() if key not in NOT_IN_PROGRAM}
    return json.dumps({**kept, "accumulates": recipe.accumulate > 1}, sort_keys=True)


def seconds(recipe: Recipe, engine: str) -> float:
    """Returns about how many seconds a seed of `recipe` takes on one core, compiling apart."""
    steps = recipe.epochs * recipe.schedule.batches
    return APIECE + STEP[engine] * steps * (1 + work(recipe) // SMALL_STEP)


def work(recipe: Recipe, features: int = 1) -> int:
    """Returns about how many multiply-adds a training step takes, for so many input `features`.

    Four gates, forward and twice as much backward, for every row, time step and layer.
    """
    size = 12 * recipe.schedule.batch_size * recipe.width * recipe.layers * recipe.units
    return size * (recipe.units + features)


def search_cost(recipe: Recipe) -> float:
    """Returns what a search that minimises cost takes for it, in parts of an arbitrary unit."""
    return float(recipe.updates * recipe.units**2 * recipe.layers)
