"""Search spaces in which every proposal is a legal recipe.

Legality depends on a few settings that take few values. Their legal combinations are listed once;
a trial then chooses setting by setting, and each choice is offered only the values that some legal
combination still allows. Optuna wants a parameter's choices never to change, so a parameter whose
choices have been narrowed goes by another name, e.g. `shuffle{none,sequences}`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna

from lstm_bench.errors import Fault, RecipeError
from lstm_bench.framings import FRAMINGS
from lstm_bench.recipe import Recipe, recipe
from lstm_bench.sweep import Range, Search, overlay

MOST_COMBINATIONS = 20_000
"""Combinations of the settings that legality depends on; more than this is refused."""

ORDER = ("task", "network", "framing", "window", "substrings", "max_length", "stateful", "layout",
         "reset", "shuffle", "batch_size", "loss", "output", "optimizer", "momentum")  # fmt: skip
"""Settings are chosen in this order, so that what depends comes after what it depends on."""

FREE = {"units", "layers", "epochs", "learning_rate", "accumulate", "encoding"}
"""Settings that are legal with any others."""

Combination = Mapping[str, Any]


@dataclass(frozen=True)
class Space:
    """What a search may choose, over the settings that it may not."""

    free: Mapping[str, Range | tuple[Any, ...]]
    keys: tuple[str, ...]  # the bound settings, in the order of choice
    legal: tuple[Combination, ...]  # an absent key does not apply
    fixed: Mapping[str, Any]

    def suggest(self, trial: optuna.Trial) -> Recipe:
        """Returns the legal recipe that `trial` chooses."""
        chosen: dict[str, Any] = {}
        open_ = self.legal
        for key in self.keys:
            values = list(dict.fromkeys(repr(c[key]) for c in open_ if key in c))
            if not values:
                continue
            known = {repr(c[key]): c[key] for c in self.legal if key in c}
            name = key if len(values) == len(known) else f"{key}{{{','.join(values)}}}"
            picked = trial.suggest_categorical(name, values) if len(values) > 1 else values[0]
            chosen[key] = known[picked]
            open_ = tuple(c for c in open_ if key in c and repr(c[key]) == picked)
        for key, part in self.free.items():
            chosen[key] = _pick(trial, key, part)
        return recipe(**overlay(self.fixed, chosen))


def _pick(trial: optuna.Trial, key: str, part: Range | tuple[Any, ...]) -> Any:
    if not isinstance(part, Range):
        return part[0] if len(part) == 1 else trial.suggest_categorical(key, list(part))
    if part.int_ is not None:
        return trial.suggest_int(key, *part.int_, log=part.log)
    assert part.float_ is not None
    return trial.suggest_float(key, *part.float_, log=part.log)


def space(search: Search, fixed: Mapping[str, Any]) -> Space:
    """Returns the space of `search` over the `fixed` settings.

    Raises `RecipeError` where a part of it can never be legal, or a free part's bounds are illegal.
    """
    free = {key: part for key, part in search.space.items() if key in FREE}
    bound = {key: _values(key, part) for key, part in search.space.items() if key not in FREE}
    rank = {key: place for place, key in enumerate(ORDER)}
    keys = tuple(sorted(bound, key=lambda key: (rank.get(key, len(rank)), key)))
    size = functools.reduce(lambda total, key: total * len(bound[key]), keys, 1)
    if size > MOST_COMBINATIONS:
        message = (
            f"at most {MOST_COMBINATIONS:,} combinations of {', '.join(keys)}, but got {size:,}"
        )
        raise RecipeError([Fault("search.space", f"{message}; offer fewer values")])
    legal: dict[str, Combination] = {}
    refused: list[Fault] = []
    for values in itertools.product(*(bound[key] for key in keys)):
        combination = _applicable(dict(zip(keys, values, strict=True)), fixed)
        try:
            recipe(**overlay(fixed, combination))
            legal.setdefault(repr(combination), combination)
        except RecipeError as error:
            refused += error.faults
    if not legal:
        faults = {fault.key: fault for fault in refused}.values()
        raise RecipeError([Fault(f"search.space.{f.key}", f.message) for f in faults])
    built = Space(free, keys, tuple(legal.values()), fixed)
    _check_free(built)
    return built


def _values(key: str, part: Range | tuple[Any, ...]) -> Sequence[Any]:
    """Returns every value of a part that legality depends on."""
    if not isinstance(part, Range):
        return part
    if part.int_ is None:
        fault = Fault(f"search.space.{key}", "takes choices or {int: [low, high]}, but got a float")
        raise RecipeError([fault])
    low, high = part.int_
    return range(low, min(high, low + MOST_COMBINATIONS) + 1)


def _applicable(combination: Combination, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `combination` without what does not apply: a window for pairs, a reset for none."""
    framing = combination.get("framing", fixed.get("framing"))
    fields = FRAMINGS[framing].model_fields if framing in FRAMINGS else {}
    others = {key for f in FRAMINGS.values() for key in f.model_fields if key not in fields}
    if framing is None:
        others = set()
    if combination.get("stateful", fixed.get("stateful")) is False:
        others |= {"layout", "reset"}
    return {key: value for key, value in combination.items() if key not in others}


def _check_free(space: Space) -> None:
    """Refuses bounds and choices that no recipe may have, before any trial runs."""
    base = overlay(space.fixed, space.legal[0])
    found = []
    for key, part in space.free.items():
        for value in part.bounds if isinstance(part, Range) else part:
            whole = isinstance(part, Range) and part.int_ is not None
            try:
                recipe(**overlay(base, {key: int(value) if whole else value}))
            except RecipeError as error:
                found += [Fault(f"search.space.{f.key}", f.message) for f in error.faults]
    if found:
        raise RecipeError(dict.fromkeys(found))
