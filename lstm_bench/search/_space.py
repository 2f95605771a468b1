"""Search spaces in which every proposal is a legal recipe.

Legality depends on settings that take a limited number of values, here called bound. Their legal
combinations are listed once; a trial then chooses setting by setting, and each choice is offered
only the values that some legal combination still allows. Optuna requires that the choices of a
parameter never change, so narrowed choices get another name, e.g. `shuffle{none,sequences}`; a
number from a range keeps its name, and the nearest number that is still allowed is taken.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna

from lstm_bench.errors import Fault, RecipeError
from lstm_bench.recipes import BUILT_IN_TASKS, Recipe, TaskRegistry, recipe_from_settings
from lstm_bench.sweeps import (
    PARENT_SETTINGS,
    Range,
    Search,
    condition_as_text,
    overlay_settings,
    setting_applies,
)

MAX_COMBINATIONS = 20_000
"""The most combinations of the bound settings; a larger space is refused."""

CHOICE_ORDER = ("network", "update", "cells_from", "forget_bias", "longest_time", "units",
                "block_size", "framing", "window", "chunk", "substrings", "max_length", "fresh",
                "stateful", "layout", "reset", "shuffle", "batch_size", "bidirectional", "truncate",
                "encoding", "loss", "output", "optimizer", "evaluation", "start")  # fmt: skip
"""The order in which bound settings are chosen, after those of the task: parents come first."""

FREE_SETTINGS = {"units", "layers", "epochs", "accumulate", "learning_rate", "dropout"}
FREE_SETTINGS |= {"momentum", "kernel_size", "evaluate_every", "clip_norm", "decay"}
FREE_SETTINGS |= {"output_gate", "squashing", "recurrent_inputs", "biases", "initial_range"}
"""Settings that are legal with any others, wherever they apply."""

BLOCK_SETTINGS = {"block_size", "input_gate_bias", "output_gate_bias"}
"""Settings of an lstm_1997 that fit only some numbers of units, biases and gates."""
DEPENDENT: Mapping[str, set[str]] = {
    **{key: {"units", "biases", "output_gate"} for key in BLOCK_SETTINGS},
    "update": {"layers", "momentum", "dropout", "accumulate", "clip_norm", "decay"},
    "cells_from": {"recurrent_inputs", "epochs"},
}
"""The free settings that are bound where a setting is fixed or searched."""

Part = Range | tuple[Any, ...]
Combination = Mapping[str, Any]


@dataclass(frozen=True)
class Space:
    """The settings that a search may choose, and those that are fixed."""

    parts: Mapping[str, Part]  # bound and free, as they were given
    free: Mapping[str, Part]
    keys: tuple[str, ...]  # the bound settings, in the order of choice
    legal: tuple[Combination, ...]  # of the bound settings; a missing key does not apply
    fixed: Mapping[str, Any]
    tasks: TaskRegistry  # `fixed` names one of them

    def suggest(self, trial: optuna.Trial) -> Recipe:
        """Returns the legal recipe that `trial` chooses."""
        chosen: dict[str, Any] = {}
        remaining = self.legal
        for key in self.keys:
            if any(key in combination for combination in remaining):
                chosen[key] = self._suggest_bound(trial, key, remaining)
                name = repr(chosen[key])
                remaining = tuple(c for c in remaining if key in c and repr(c[key]) == name)
        for key, part in self.open_parts(chosen).items():
            chosen[key] = _suggest_free(trial, key, part)
        return self.build(chosen)

    def open_parts(self, chosen: Combination) -> dict[str, Part]:
        """Returns the parts of the free settings that apply with the chosen bound ones."""
        settings = overlay_settings(self.fixed, chosen, self.tasks)
        parts = self.free.items()
        return {key: part for key, part in parts if setting_applies(key, settings, self.tasks)}

    def build(self, chosen: Mapping[str, Any]) -> Recipe:
        """Returns the recipe of the chosen settings, applied over the fixed ones."""
        settings = overlay_settings(self.fixed, chosen, self.tasks)
        return recipe_from_settings(settings, self.tasks)

    def values(self, key: str) -> Sequence[Any]:
        """Returns the values of a part that are legal in some combination, in order.

        For a continuous part, returns its two ends.
        """
        if key in self._legal_values:
            return self._legal_values[key]
        part = self.parts[key]
        return part.float_ or _integers(part) if isinstance(part, Range) else part

    @functools.cached_property
    def _legal_values(self) -> Mapping[str, list[Any]]:
        """The values of each bound setting that some legal combination has, in the part's order."""
        legal = {key: {repr(c[key]) for c in self.legal if key in c} for key in self.keys}
        return {
            key: [v for v in _bound_values(key, self.parts[key]) if repr(v) in legal[key]]
            for key in self.keys
        }

    @functools.cached_property
    def sizes(self) -> list[float]:
        """The number of recipes with each legal combination; infinite with a range of floats."""
        return [math.prod(map(self._size, self.open_parts(chosen))) for chosen in self.legal]

    def _size(self, key: str) -> float:
        """Returns the number of values of a free part."""
        part = self.parts[key]
        continuous = isinstance(part, Range) and part.float_ is not None
        return math.inf if continuous else len(self.values(key))

    @functools.cached_property
    def distributions(self) -> dict[str, optuna.distributions.BaseDistribution]:
        """The Optuna distribution of every part with more than one value, in the order of names."""
        distributions: dict[str, optuna.distributions.BaseDistribution] = {}
        for key in sorted(self.parts):
            part, values = self.parts[key], self.values(key)
            if not isinstance(part, Range):
                choices = list(values) if key in self.free else [repr(value) for value in values]
                distributions[key] = optuna.distributions.CategoricalDistribution(choices)
            elif part.int_ is not None:
                bounds = part.int_
                distributions[key] = optuna.distributions.IntDistribution(*bounds, log=part.log)
            elif part.float_ is not None:
                ends = part.float_
                distributions[key] = optuna.distributions.FloatDistribution(*ends, log=part.log)
        return {key: value for key, value in distributions.items() if not value.single()}

    def _suggest_bound(
        self, trial: optuna.Trial, key: str, remaining: Sequence[Combination]
    ) -> Any:
        """Returns the value of a bound setting that `trial` chooses among those still allowed."""
        allowed = {repr(c[key]) for c in remaining if key in c}
        legal = self.values(key)
        values = {repr(value): value for value in legal if repr(value) in allowed}
        if len(values) == 1:
            return next(iter(values.values()))
        part = self.parts[key]
        if isinstance(part, Range):
            assert part.int_ is not None
            drawn = trial.suggest_int(key, *part.int_, log=part.log)
            return nearest_value(drawn, list(values.values()), part.log)
        name = key if len(values) == len(legal) else f"{key}{{{','.join(values)}}}"
        return values[trial.suggest_categorical(name, list(values))]


def nearest_value(drawn: int, values: Sequence[int], log: bool) -> int:
    """Returns the one of `values` that is closest to `drawn`; by ratio with `log`.

    >>> nearest_value(3, [1, 2, 4, 8], log=False), nearest_value(3, [1, 2, 4, 8], log=True)
    (2, 4)
    """
    distances = {value: math.log(value / drawn) if log else value - drawn for value in values}
    return min(values, key=lambda value: abs(distances[value]))


def _integers(part: Range) -> range:
    """Returns every value of a range of whole numbers."""
    assert part.int_ is not None
    return range(part.int_[0], part.int_[1] + 1)


def _suggest_free(trial: optuna.Trial, key: str, part: Part) -> Any:
    """Returns the value of a free setting that `trial` chooses."""
    if not isinstance(part, Range):
        return part[0] if len(part) == 1 else trial.suggest_categorical(key, list(part))
    if part.int_ is not None:
        return trial.suggest_int(key, *part.int_, log=part.log)
    assert part.float_ is not None
    return trial.suggest_float(key, *part.float_, log=part.log)


def build_space(
    search: Search, fixed: Mapping[str, Any], tasks: TaskRegistry = BUILT_IN_TASKS
) -> Space:
    """Returns the space of `search`, with the `fixed` settings, which name one of `tasks`.

    Raises `RecipeError` where a part can never be legal, or a value or bound of a free part is not.
    """
    parts = dict(sorted(search.space.items()))  # the order of a file's lines does not matter
    given = parts.keys() | fixed.keys()
    dependent = {key for setting, keys in DEPENDENT.items() if setting in given for key in keys}
    free = {key: p for key, p in parts.items() if _is_free(key, p) and key not in dependent}
    bound = {key: _bound_values(key, part) for key, part in parts.items() if key not in free}
    rank = {key: place for place, key in enumerate(CHOICE_ORDER)}
    keys = tuple(sorted(bound, key=lambda key: (rank.get(key, -1), key)))
    faults = list(_unused_faults(parts, bound, fixed, tasks))
    faults += _size_faults(keys, bound, fixed, tasks)
    if faults:
        raise RecipeError(faults)
    legal: list[Combination] = []
    refused: list[tuple[Combination, Fault]] = []
    for combination in _combinations(keys, bound, fixed, tasks):
        settings = overlay_settings(fixed, combination, tasks)
        try:
            # It must be legal there, too, and at every origin.
            _ = recipe_from_settings(settings, tasks).outside_search.at_origins
            legal.append(combination)
        except RecipeError as error:
            refused += [(combination, fault) for fault in error.faults]
    if not legal:
        by_key = {fault.key: fault for _, fault in refused}.values()
        raise RecipeError(_with_file_key(fault, parts) for fault in by_key)
    space = Space(parts, free, keys, tuple(legal), fixed, tasks)

    def applies(key: str, combination: Combination) -> bool:
        return setting_applies(key, overlay_settings(fixed, combination, tasks), tasks)

    for key in parts:
        if not any(applies(key, combination) for combination in legal):
            reason = next(fault for combination, fault in refused if applies(key, combination))
            rule = f"belongs to {condition_as_text(key)}, but no such recipe is legal here"
            faults.append(Fault(f"search.space.{key}", f"{rule} ({reason}); leave {key} out"))
    if faults:
        raise RecipeError(faults)
    _check_free_parts(space)
    return space


def _with_file_key(fault: Fault, parts: Mapping[str, Part]) -> Fault:
    """Returns `fault` with its key in the sweep file: `search.space.KEY` for a part of the space.

    A fault without a key, of a rule that joins several settings, is one of the whole space.
    """
    if not fault.key:
        return Fault("search.space", fault.message)
    return Fault(f"search.space.{fault.key}", fault.message) if fault.key in parts else fault


def _is_free(key: str, part: Part) -> bool:
    """Returns whether every value of a part is legal with any other settings.

    So is every number as a forget bias or as a recall weight; `chrono` is not.
    """
    ranges = ("forget_bias", "recall_weight")
    return key in FREE_SETTINGS or (key in ranges and isinstance(part, Range))


def _bound_values(key: str, part: Part) -> Sequence[Any]:
    """Returns every value of a part of a bound setting; raises `RecipeError` for a float range."""
    if not isinstance(part, Range):
        return part
    if part.int_ is None:
        rule = "takes choices or {int: [low, high]}"
        raise RecipeError([Fault(f"search.space.{key}", f"{rule}, but got a float range")])
    return _integers(part)


def _parent_combinations(
    bound: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any], tasks: TaskRegistry
) -> Iterator[tuple[Combination, Mapping[str, Any]]]:
    """Yields each combination of the parent settings, alone and over the fixed settings."""
    parents = [key for key in PARENT_SETTINGS if key in bound]
    seen = set()
    for values in itertools.product(*(bound[key] for key in parents)):
        chosen = dict(zip(parents, values, strict=True))
        settings = overlay_settings(fixed, chosen, tasks)
        combination = {k: v for k, v in chosen.items() if setting_applies(k, settings, tasks)}
        if repr(combination) not in seen:
            seen.add(repr(combination))
            yield combination, overlay_settings(fixed, combination, tasks)


def _combinations(
    keys: Sequence[str],
    bound: Mapping[str, Sequence[Any]],
    fixed: Mapping[str, Any],
    tasks: TaskRegistry,
) -> Iterator[Combination]:
    """Yields each combination of the bound settings once, without those that do not apply."""
    for parents, settings in _parent_combinations(bound, fixed, tasks):
        others = _other_keys(keys, parents, settings, tasks)
        for values in itertools.product(*(bound[key] for key in others)):
            yield {**parents, **dict(zip(others, values, strict=True))}


def _other_keys(
    keys: Sequence[str], parents: Combination, settings: Mapping[str, Any], tasks: TaskRegistry
) -> list[str]:
    """Returns those of `keys` that apply with `settings` and are not among the `parents`."""
    others = (key for key in keys if key not in parents)
    return [key for key in others if setting_applies(key, settings, tasks)]


def _unused_faults(
    parts: Mapping[str, Part],
    bound: Mapping[str, Sequence[Any]],
    fixed: Mapping[str, Any],
    tasks: TaskRegistry,
) -> Iterator[Fault]:
    """Yields a fault for each part that applies in no combination."""
    every = [settings for _, settings in _parent_combinations(bound, fixed, tasks)]
    for key in parts:
        if not any(setting_applies(key, settings, tasks) for settings in every):
            rule = (
                f"belongs to {condition_as_text(key)}, which is neither fixed nor among the choices"
            )
            yield Fault(f"search.space.{key}", f"{rule}; offer that too, or leave {key} out")


def _size_faults(
    keys: Sequence[str],
    bound: Mapping[str, Sequence[Any]],
    fixed: Mapping[str, Any],
    tasks: TaskRegistry,
) -> Iterator[Fault]:
    """Yields a fault if there are more combinations than `MAX_COMBINATIONS`."""
    size = sum(
        math.prod(len(bound[key]) for key in _other_keys(keys, parents, settings, tasks))
        for parents, settings in _parent_combinations(bound, fixed, tasks)
    )
    if size > MAX_COMBINATIONS:
        rule = f"at most {MAX_COMBINATIONS:,} combinations of {', '.join(keys)}"
        yield Fault("search.space", f"{rule}, but got {size:,}; offer fewer values")


def _check_free_parts(space: Space) -> None:
    """Raises `RecipeError` for illegal bounds and choices of free parts, before any trial runs."""
    faults = []
    for key, part in space.free.items():
        base = next(chosen for chosen in space.legal if key in space.open_parts(chosen))
        for value in part.bounds if isinstance(part, Range) else part:
            try:
                space.build({**base, key: value})
            except RecipeError as error:
                faults += [_with_file_key(fault, space.parts) for fault in error.faults]
    if faults:
        raise RecipeError(dict.fromkeys(faults))
