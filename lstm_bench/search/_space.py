"""Search spaces in which every proposal is a legal recipe.

Legality depends on settings that take a limited number of values. Their legal combinations are
listed once; a trial then chooses setting by setting, and each choice is offered only the values
that some legal combination still allows. Optuna wants a parameter's choices never to change, so
choices that have been narrowed go by another name, e.g. `shuffle{none,sequences}`; a number from a
range keeps its name, and the nearest number that is still allowed is taken.
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
from lstm_bench.recipes import Recipe, recipe
from lstm_bench.search._conditions import OWNERS, applies, belonging, laid_over
from lstm_bench.sweeps import Range, Search

MOST_COMBINATIONS = 20_000
"""Combinations of the settings that legality depends on; more than this is refused."""

ORDER = ("network", "framing", "window", "chunk", "substrings", "max_length", "fresh", "stateful",
         "layout", "reset", "shuffle", "batch_size", "bidirectional", "encoding", "loss", "output",
         "optimizer", "evaluation", "start")  # fmt: skip
"""Settings are chosen in this order, those of the task before them, so that what belongs to

another setting comes after it."""

FREE = {"units", "layers", "epochs", "accumulate", "learning_rate", "dropout"}
FREE |= {"momentum", "kernel_size"}
"""Settings that are legal with any others, wherever they apply."""

Part = Range | tuple[Any, ...]
Combination = Mapping[str, Any]


@dataclass(frozen=True)
class Space:
    """What a search may choose, over the settings that it may not."""

    parts: Mapping[str, Part]  # all of them, as they were given
    free: Mapping[str, Part]
    keys: tuple[str, ...]  # the bound settings, in the order of choice
    legal: tuple[Combination, ...]  # of the bound settings; an absent key does not apply
    fixed: Mapping[str, Any]

    def suggest(self, trial: optuna.Trial) -> Recipe:
        """Returns the legal recipe that `trial` chooses."""
        chosen: dict[str, Any] = {}
        open_ = self.legal
        for key in self.keys:
            if any(key in combination for combination in open_):
                chosen[key] = self._bound(trial, key, open_)
                name = repr(chosen[key])
                open_ = tuple(c for c in open_ if key in c and repr(c[key]) == name)
        for key, part in self.open(chosen).items():
            chosen[key] = _free(trial, key, part)
        return self.build(chosen)

    def open(self, chosen: Combination) -> dict[str, Part]:
        """Returns the free settings that apply beside the bound ones that were chosen."""
        beside = laid_over(self.fixed, chosen)
        return {key: part for key, part in self.free.items() if applies(key, beside)}

    def build(self, chosen: Mapping[str, Any]) -> Recipe:
        """Returns the recipe of the settings that were chosen, over the fixed ones."""
        return recipe(**laid_over(self.fixed, chosen))

    def values(self, key: str) -> Sequence[Any]:
        """Returns the values of a part that are legal somewhere; the ends of a continuous one."""
        if key in self._allowed:
            return self._allowed[key]
        part = self.parts[key]
        return part.float_ or whole(part) if isinstance(part, Range) else part

    @functools.cached_property
    def _allowed(self) -> Mapping[str, list[Any]]:
        """The values of each bound setting that some legal combination has, in the part's order."""
        legal = {key: {repr(c[key]) for c in self.legal if key in c} for key in self.keys}
        return {
            key: [value for value in _values(key, self.parts[key]) if repr(value) in legal[key]]
            for key in self.keys
        }

    @functools.cached_property
    def sizes(self) -> list[float]:
        """How many recipes each legal combination stands for; infinite with a range of floats."""
        return [math.prod(map(self._size, self.open(each))) for each in self.legal]

    def _size(self, key: str) -> float:
        part = self.parts[key]
        continuous = isinstance(part, Range) and part.float_ is not None
        return math.inf if continuous else len(self.values(key))

    @functools.cached_property
    def distributions(self) -> dict[str, optuna.distributions.BaseDistribution]:
        """Every parameter that a trial may have by its own name, in the order of the names."""
        found: dict[str, optuna.distributions.BaseDistribution] = {}
        for key in sorted(self.parts):
            part, values = self.parts[key], self.values(key)
            if not isinstance(part, Range):
                choices = list(values) if key in self.free else [repr(value) for value in values]
                found[key] = optuna.distributions.CategoricalDistribution(choices)
            elif part.int_ is not None:
                found[key] = optuna.distributions.IntDistribution(*part.int_, log=part.log)
            elif part.float_ is not None:
                found[key] = optuna.distributions.FloatDistribution(*part.float_, log=part.log)
        return {key: each for key, each in found.items() if not each.single()}

    def _bound(self, trial: optuna.Trial, key: str, open_: Sequence[Combination]) -> Any:
        """Returns the value of a bound setting that `trial` chooses among those still allowed."""
        allowed = {repr(c[key]) for c in open_ if key in c}
        known = self.values(key)
        values = {repr(value): value for value in known if repr(value) in allowed}
        if len(values) == 1:
            return next(iter(values.values()))
        part = self.parts[key]
        if isinstance(part, Range):
            assert part.int_ is not None
            drawn = trial.suggest_int(key, *part.int_, log=part.log)
            return nearest(drawn, list(values.values()), part.log)
        name = key if len(values) == len(known) else f"{key}{{{','.join(values)}}}"
        return values[trial.suggest_categorical(name, list(values))]


def nearest(drawn: int, values: Sequence[int], log: bool) -> int:
    """Returns the one of `values` that is closest, by ratio where the range is logarithmic.

    >>> nearest(3, [1, 2, 4, 8], log=False), nearest(3, [1, 2, 4, 8], log=True)
    (2, 4)
    """
    away = {value: math.log(value / drawn) if log else value - drawn for value in values}
    return min(values, key=lambda value: abs(away[value]))


def whole(part: Range) -> range:
    """Returns every value of a range of whole numbers."""
    assert part.int_ is not None
    return range(part.int_[0], part.int_[1] + 1)


def _free(trial: optuna.Trial, key: str, part: Part) -> Any:
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
    parts = dict(sorted(search.space.items()))  # the order of a file's lines is no matter
    free = {key: part for key, part in parts.items() if key in FREE}
    bound = {key: _values(key, part) for key, part in parts.items() if key not in FREE}
    rank = {key: place for place, key in enumerate(ORDER)}
    keys = tuple(sorted(bound, key=lambda key: (rank.get(key, -1), key)))
    found = [*_idle(parts, bound, fixed), *_outsized(keys, bound, fixed)]
    if found:
        raise RecipeError(found)
    legal: list[Combination] = []
    refused: list[tuple[Combination, Fault]] = []
    for combination in _combinations(keys, bound, fixed):
        try:
            _ = recipe(**laid_over(fixed, combination)).judged  # it must be legal there, too
            legal.append(combination)
        except RecipeError as error:
            refused += [(combination, fault) for fault in error.faults]
    if not legal:
        faults = {fault.key: fault for _, fault in refused}.values()
        raise RecipeError(_placed(fault, parts) for fault in faults)
    built = Space(parts, free, keys, tuple(legal), fixed)
    for key in parts:
        if not any(applies(key, laid_over(fixed, each)) for each in legal):
            reason = next(f for each, f in refused if applies(key, laid_over(fixed, each)))
            rule = f"belongs to {belonging(key)}, of which nothing is legal here"
            found.append(Fault(f"search.space.{key}", f"{rule} ({reason}); leave {key} out"))
    if found:
        raise RecipeError(found)
    _check_free(built)
    return built


def _placed(fault: Fault, parts: Mapping[str, Part]) -> Fault:
    """Returns `fault` with the key of its line: in the space, or above it."""
    if not fault.key:  # a rule that joins several settings belongs to none of them
        return Fault("search.space", fault.message)
    return Fault(f"search.space.{fault.key}", fault.message) if fault.key in parts else fault


def _values(key: str, part: Part) -> Sequence[Any]:
    """Returns every value of a part that legality depends on."""
    if not isinstance(part, Range):
        return part
    if part.int_ is None:
        rule = "takes choices or {int: [low, high]}"
        raise RecipeError([Fault(f"search.space.{key}", f"{rule}, but got a float range")])
    return whole(part)


def _heads(
    bound: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any]
) -> Iterator[tuple[Combination, Mapping[str, Any]]]:
    """Yields each combination of the settings that others belong to, over the fixed ones too."""
    owners = [key for key in OWNERS if key in bound]
    for values in itertools.product(*(bound[key] for key in owners)):
        head = dict(zip(owners, values, strict=True))
        yield head, laid_over(fixed, head)


def _combinations(
    keys: Sequence[str], bound: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any]
) -> Iterator[Combination]:
    """Yields each combination of the bound settings once, without those that do not apply."""
    for head, beside in _heads(bound, fixed):
        open_ = [key for key in keys if key not in head and applies(key, beside)]
        for values in itertools.product(*(bound[key] for key in open_)):
            yield {**head, **dict(zip(open_, values, strict=True))}


def _idle(
    parts: Mapping[str, Part], bound: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any]
) -> Iterator[Fault]:
    """Yields the parts that no combination has a use for."""
    beside = [settings for _, settings in _heads(bound, fixed)]
    for key in parts:
        if not any(applies(key, settings) for settings in beside):
            rule = f"belongs to {belonging(key)}, which is neither fixed nor among the choices"
            yield Fault(f"search.space.{key}", f"{rule}; offer that too, or leave {key} out")


def _outsized(
    keys: Sequence[str], bound: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any]
) -> Iterator[Fault]:
    size = sum(
        math.prod(len(bound[key]) for key in keys if key not in head and applies(key, beside))
        for head, beside in _heads(bound, fixed)
    )
    if size > MOST_COMBINATIONS:
        rule = f"at most {MOST_COMBINATIONS:,} combinations of {', '.join(keys)}"
        yield Fault("search.space", f"{rule}, but got {size:,}; offer fewer values")


def _check_free(space: Space) -> None:
    """Refuses bounds and choices that no recipe may have, before any trial runs."""
    found = []
    for key, part in space.free.items():
        base = next(combination for combination in space.legal if key in space.open(combination))
        for value in part.bounds if isinstance(part, Range) else part:
            try:
                space.build({**base, key: value})
            except RecipeError as error:
                found += [_placed(fault, space.parts) for fault in error.faults]
    if found:
        raise RecipeError(dict.fromkeys(found))
