"""The rules that a network of the user's own must keep, each as a function of a recipe with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lstm_bench.errors import RecipeError
from lstm_bench.recipes import Recipe
from lstm_bench.testing._engine_agreement import engine_differences

EPOCHS = 2
"""Epochs that are enough to see whether both engines train alike."""


def check_rules(recipe: Recipe) -> None:
    """The function returns a network with the right outputs, weights and state."""
    _weights(recipe, 0)


def check_seeds(recipe: Recipe) -> None:
    """The initial weights are those of the seed: equal for one seed, others for another."""
    first, again, other = (_weights(recipe, seed) for seed in (0, 0, 1))
    equal = all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert equal, (
        f"{recipe.network} must have equal initial weights for equal seeds, but those of seed 0 "
        "differ when it is built again; draw them by initializers of keras alone"
    )
    differs = any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert differs, f"{recipe.network} must have other initial weights for seed 1 than for seed 0"


def check_engines(recipe: Recipe) -> None:
    """Both engines train the network, and to the same losses and outputs if it has no dropout."""
    from lstm_bench.training import random_states

    chosen = recipe.with_settings({**recipe.settings, "epochs": EPOCHS, "dropout": 0.0})
    try:
        draws = bool(random_states(_model(chosen, 0)))
        differences = engine_differences(chosen, draws)
    except RecipeError as error:
        raise AssertionError(str(error)) from error
    assert not differences, f"{recipe.network}: {'; '.join(differences)}"


def _weights(recipe: Recipe, seed: int) -> list[np.ndarray]:
    """Returns the initial weights of a seed; raises `AssertionError` where a rule is broken."""
    try:
        return [np.asarray(variable) for variable in _model(recipe, seed).trainable_variables]
    except RecipeError as error:
        raise AssertionError(str(error)) from error


def _model(recipe: Recipe, seed: int) -> Any:
    """Returns the Keras model of a recipe with the initial weights of a seed."""
    from lstm_bench.training import prepared_model, start_tensorflow

    start_tensorflow(1)
    return prepared_model(recipe, recipe.samples(seed), seed)


NETWORK_CHECKS: Mapping[str, Callable[[Recipe], None]] = {
    "rules": check_rules,
    "seeds": check_seeds,
    "engines": check_engines,
}
"""The checks by name."""
