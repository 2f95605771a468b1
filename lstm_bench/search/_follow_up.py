"""Which recipes a search calls for once it is over; nothing is run here.

`finalists`  the best recipes and the cheapest that solve, to be confirmed on seeds never searched
`ablations`  the simplest recipe with one setting at a time put back to a reference's
`flips`      random recipes with one switch at a time turned over
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_bench.errors import Fault, RecipeError, unknown
from lstm_bench.recipes import Recipe, recipe
from lstm_bench.search._conditions import BELONGS, applies, laid_over, meaningful
from lstm_bench.search._space import Space
from lstm_bench.statistics import RELIABLE, solve_rate

COMPARED = 6
"""Seeds on which a switch is changed in each random recipe, at most: recipes count, not seeds."""


@dataclass(frozen=True, eq=False)
class FinishedTrial:
    """What a trial came to, on the seeds that it ran."""

    number: int
    recipe: Recipe
    scores: np.ndarray  # (seeds,) what the search maximises the mean of
    solved: np.ndarray  # (seeds,) bool
    cost: float  # parameters times updates

    @property
    def mean(self) -> float:
        """The score that the search saw."""
        return float(np.mean(self.scores))


def select_finalists(
    trials: Sequence[FinishedTrial], top: int, seeds: int, bar: float = RELIABLE
) -> list[FinishedTrial]:
    """Returns the trials to confirm: the `top` best, then the `top` cheapest that solve the task.

    Only a trial that ran all of its `seeds` is eligible, and of equal recipes the first. Best are
    those of the highest mean, then of the lowest cost. A recipe solves the task if the lower end of
    Wilson's interval for its solve rate is at least `bar`: it takes 16 solved of 16 for 0.8. One
    that is among the best already is not named again.
    """
    eligible: dict[str, FinishedTrial] = {}
    for told in sorted(trials, key=lambda told: told.number):
        if len(told.scores) >= seeds and math.isfinite(told.mean):
            eligible.setdefault(told.recipe.digest, told)
    ranked = sorted(eligible.values(), key=lambda told: (-told.mean, told.cost, told.number))
    best = ranked[:top]
    # Ranked before, so that of equal cost the better comes first.
    cheap = sorted(ranked, key=lambda told: told.cost)
    solving = (told for told in cheap if solve_rate(told.solved).low >= bar)
    chosen = {told.number: told for told in (*best, *itertools.islice(solving, top))}
    return list(chosen.values())


def ablation_recipes(simplest: Recipe, reference: Recipe) -> list[tuple[str, Any, Recipe | str]]:
    """Returns `simplest` with each setting that differs put back to that of `reference`.

    Each is (setting, the value put back, the recipe), or the reason in place of the recipe where
    that setting alone cannot be put back. What belongs to a setting that differs goes with it: a
    window with its framing, `layout` and `reset` with `stateful`, an output with its loss. A value
    that `reference` leaves open is None. Raises `RecipeError` for recipes of different tasks.
    """
    mine, theirs = meaningful(simplest.settings), meaningful(reference.settings)
    if mine["task"] != theirs["task"]:
        rule = f"must be a recipe of the task {mine['task']}, but is of {theirs['task']}"
        raise RecipeError([Fault("search.ablate", f"{rule}; name another")])
    found: list[tuple[str, Any, Recipe | str]] = []
    differing = [key for key in {**mine, **theirs} if mine.get(key) != theirs.get(key)]
    for key in differing:
        if _owner(key) in differing:
            continue
        settings = laid_over(mine, {k: v for k, v in theirs.items() if key in (k, _owner(k))})
        if key not in theirs:
            settings.pop(key, None)
        made: Recipe | str
        try:
            made = recipe(**settings)
        except RecipeError as error:
            made = "; ".join(map(str, error.faults))
        found.append((key, theirs.get(key), made))
    return found


def _owner(key: str) -> str:
    """Returns what a setting is put back with; an output goes with its loss, for they must fit."""
    return "loss" if key == "output" else BELONGS.get(key, ("", ()))[0]


def switched_recipes(
    contexts: Sequence[Recipe], switches: Sequence[str], space: Space
) -> list[tuple[int, str, Any, Recipe]]:
    """Returns every context with each switch set to each of its other values in `space`.

    Each is (place of the context, switch, value, recipe). What belongs to the new value and is not
    set yet takes what the space fixes, else the first value that it offers and that is legal there,
    else the recipe's default. Left out is what is illegal, what does not apply, and a pair of
    recipes that is there already. Raises `RecipeError` for a switch that the space does not have.
    """
    strange = [key for key in switches if key not in space.parts]
    if strange:
        faults = [unknown("part of the space", key, space.parts) for key in strange]
        raise RecipeError([Fault("search.switches", message) for message in faults])
    found = []
    seen: set[frozenset[str]] = set()
    for place, context in enumerate(contexts):
        below = meaningful(context.settings)
        for key in switches:
            others = [v for v in space.values(key) if key in below and v != below[key]]
            for value in others:
                made = _flipped(below, key, value, space)
                pair = frozenset({context.digest, made.digest if made else ""})
                if made and pair not in seen:
                    seen.add(pair)
                    found.append((place, key, value, made))
    return found


def _flipped(below: Mapping[str, Any], key: str, value: Any, space: Space) -> Recipe | None:
    """Returns the first legal recipe with `key` at `value`, or None if there is none."""
    for beside in _besides(laid_over(below, {key: value}), key, space):
        try:
            return recipe(**beside)
        except RecipeError:
            continue
    return None


def _besides(settings: Mapping[str, Any], key: str, space: Space) -> Iterator[dict[str, Any]]:
    """Yields `settings` with what belongs to `key` and is missing: as fixed, or as offered."""
    missing = [
        k for k, (owner, _) in BELONGS.items()
        if owner == key and k not in settings and applies(k, settings)
    ]  # fmt: skip
    given = {k: space.fixed[k] for k in missing if k in space.fixed}
    offered = {k: space.values(k) for k in missing if k in space.parts}
    for values in itertools.product(*offered.values()):
        yield {**settings, **given, **dict(zip(offered, values, strict=True))}
