"""The recipes that follow a search. They are only chosen here, not run.

`select_finalists`   the best recipes and the cheapest that solve the task, to be confirmed on seeds
                     that the search never saw
`ablation_recipes`   the simplest recipe with one setting at a time replaced by a reference's
`switched_recipes`   random recipes with one switch at a time set to another value
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_bench.errors import Fault, RecipeError, unknown
from lstm_bench.recipes import Recipe, TaskRegistry
from lstm_bench.search._space import Space
from lstm_bench.statistics import RELIABLE_RATE, fewest_to_be_real, solve_rate
from lstm_bench.sweeps import (
    CONDITIONS,
    applicable_settings,
    overlay_settings,
    parents_of,
    setting_applies,
)

MIN_CONTEXTS = 12
"""The fewest random recipes in which each switch is changed."""
MAX_SWITCH_SEEDS = 6
"""The most seeds on which a switch is changed in each random recipe.

The effect of a switch is estimated over recipes, so more recipes help, and more seeds hardly do.
"""


@dataclass(frozen=True, eq=False)
class FinishedTrial:
    """The results of a trial on the seeds that it ran."""

    number: int
    recipe: Recipe
    scores: np.ndarray  # (seeds,); the search maximises their mean
    solved: np.ndarray  # (seeds,) bool
    cost: float  # parameters times updates

    @property
    def mean(self) -> float:
        """The score in the search."""
        return float(np.mean(self.scores))


def select_finalists(
    trials: Sequence[FinishedTrial], top: int, seeds: int, bar: float = RELIABLE_RATE
) -> list[FinishedTrial]:
    """Returns the trials to confirm: the `top` best, then the `top` cheapest that solve the task.

    Only trials that ran all of their `seeds` are eligible; of equal recipes, only the first trial.
    The best have the highest mean score; ties go to the lower cost. A recipe solves the task if the
    lower end of Wilson's interval for its solve rate is at least `bar`: for 0.8 it takes 16 solved
    seeds of 16. A trial that is in both groups is returned once.
    """
    eligible: dict[str, FinishedTrial] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        if len(trial.scores) >= seeds and math.isfinite(trial.mean):
            eligible.setdefault(trial.recipe.digest, trial)
    ranked = sorted(eligible.values(), key=lambda trial: (-trial.mean, trial.cost, trial.number))
    best = ranked[:top]
    # `ranked` is sorted by score, so that of trials with equal cost the better comes first.
    cheapest = sorted(ranked, key=lambda trial: trial.cost)
    solving = (trial for trial in cheapest if solve_rate(trial.solved).low >= bar)
    chosen = {trial.number: trial for trial in (*best, *itertools.islice(solving, top))}
    return list(chosen.values())


def ablation_recipes(simplest: Recipe, reference: Recipe) -> list[tuple[str, Any, Recipe | str]]:
    """Returns variants of `simplest`, in each of which one setting is that of `reference`.

    Each item is (setting, the reference's value, the recipe). If the setting cannot be replaced
    alone, the reason replaces the recipe. Settings that depend on a replaced setting are replaced
    with it: a window with its framing, `layout` and `reset` with `stateful`, an output with its
    loss. A value that `reference` leaves unset is None. Raises `RecipeError` for recipes of
    different tasks.
    """
    tasks = _task_of(simplest)
    settings = applicable_settings(simplest.settings, tasks)
    reference_settings = applicable_settings(reference.settings, _task_of(reference))
    if settings["task"] != reference_settings["task"]:
        task, other = settings["task"], reference_settings["task"]
        rule = f"must be a recipe of the task {task}, but is of {other}"
        raise RecipeError([Fault("search.ablate", f"{rule}; name another")])
    ablations: list[tuple[str, Any, Recipe | str]] = []
    keys = {**settings, **reference_settings}
    differing = [key for key in keys if settings.get(key) != reference_settings.get(key)]
    for key in differing:
        if any(parent in differing for parent in _parents(key)):
            continue
        replaced = {k: v for k, v in reference_settings.items() if key in (k, *_parents(k))}
        changed = overlay_settings(settings, replaced, tasks)
        if key not in reference_settings:
            changed.pop(key, None)
            changed = applicable_settings(changed, tasks)
        ablated: Recipe | str
        try:
            ablated = simplest.with_settings(changed)
        except RecipeError as error:
            ablated = "; ".join(map(str, error.faults))
        ablations.append((key, reference_settings.get(key), ablated))
    return ablations


def _task_of(recipe: Recipe) -> TaskRegistry:
    """Returns the recipe's own task under its name."""
    return TaskRegistry({recipe.task.name: type(recipe.task)})


def _parents(key: str) -> tuple[str, ...]:
    """Returns the settings that `key` is replaced with, if any. An output must fit its loss."""
    return ("loss",) if key == "output" else parents_of(key)


def planned_contexts(given: int | None, verdicts: int) -> int:
    """Returns the number of random recipes in which each switch is changed.

    This is `given`, if it is not None. Otherwise it is at least `MIN_CONTEXTS`, and enough for an
    effect on which all recipes agree to be significant among this number of `verdicts`.

    >>> planned_contexts(None, 10), planned_contexts(None, 200), planned_contexts(10, 200)
    (12, 14, 10)
    """
    return given or max(MIN_CONTEXTS, fewest_to_be_real(max(verdicts, 1)))


def switched_recipes(
    contexts: Sequence[Recipe], switches: Sequence[str], space: Space
) -> list[tuple[int, str, Any, Recipe]]:
    """Returns every context with each switch set to each of its other values in `space`.

    Each item is (index of the context, switch, value, recipe). A setting that applies only with the
    new value takes the value that the space fixes, else the first legal value that the space
    offers, else the recipe's default. Left out are illegal recipes, switches that do not apply, and
    pairs of recipes that are already in the list. Raises `RecipeError` for a switch that is not in
    the space.
    """
    missing = [key for key in switches if key not in space.parts]
    if missing:
        messages = [unknown("part of the space", key, space.parts) for key in missing]
        raise RecipeError([Fault("search.switches", message) for message in messages])
    switched = []
    pairs: set[frozenset[str]] = set()
    for index, context in enumerate(contexts):
        settings = applicable_settings(context.settings, space.tasks)
        for key in switches:
            others = [v for v in space.values(key) if key in settings and v != settings[key]]
            for value in others:
                changed = _first_legal_recipe(context, settings, key, value, space)
                pair = frozenset({context.digest, changed.digest if changed else ""})
                if changed and pair not in pairs:
                    pairs.add(pair)
                    switched.append((index, key, value, changed))
    return switched


def _first_legal_recipe(
    context: Recipe, settings: Mapping[str, Any], key: str, value: Any, space: Space
) -> Recipe | None:
    """Returns the first legal recipe with `key` set to `value`, or None if there is none."""
    switched = overlay_settings(settings, {key: value}, space.tasks)
    for candidate in _completions(switched, key, space):
        try:
            return context.with_settings(candidate)
        except RecipeError:
            continue
    return None


def _completions(settings: Mapping[str, Any], key: str, space: Space) -> Iterator[dict[str, Any]]:
    """Yields `settings` with the unset settings that depend on `key`: fixed values, then offered.

    One dictionary for each combination of the offered values.
    """
    missing = [
        k for k, (parent, _) in CONDITIONS.items()
        if parent == key and k not in settings and setting_applies(k, settings, space.tasks)
    ]  # fmt: skip
    fixed = {k: space.fixed[k] for k in missing if k in space.fixed}
    offered = {k: space.values(k) for k in missing if k in space.parts}
    for values in itertools.product(*offered.values()):
        yield {**settings, **fixed, **dict(zip(offered, values, strict=True))}
