"""The overrides of a sweep file: how they are read and merged, and those that change nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lstm_bench.errors import Fault, SweepError, UserError, unknown
from lstm_bench.safety import check_yaml, shell_line
from lstm_bench.sweeps._entries import Entry, value_as_text

NAMED = {"recipes": "recipe", "refused": "refused recipe", "comparisons": "comparison"}
"""Parts of a sweep file whose keys are names that the file gives, and what each name is of."""


def parse_assignments(words: Sequence[str]) -> dict[str, Any]:
    """Returns `key=value` words as a mapping; values have YAML's types, and `1e-4` is a number.

    >>> parse_assignments(["units=20", "stateful=true", "learning_rate=1e-4"])
    {'units': 20, 'stateful': True, 'learning_rate': 0.0001}
    """
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise SweepError(f"{word!r}: settings are given as key=value, e.g. units=20")
        try:
            check_yaml(value)
        except SweepError as error:
            raise SweepError(f"{word[:80]}: is not key=value ({error})") from error
    try:
        assignments = OmegaConf.to_container(OmegaConf.from_dotlist(list(words)))
    except (yaml.YAMLError, OmegaConfBaseException, ValueError) as error:
        shown = " ".join(words)
        raise SweepError(f"{shown}: is not key=value ({' '.join(str(error).split())})") from error
    assert isinstance(assignments, dict)
    return {str(key): value for key, value in assignments.items()}


def merge_documents(below: Mapping[Any, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `below` updated with `above`: mappings are merged, all other values replaced.

    >>> merge_documents({"space": {"units": {"int": [1, 9]}}}, {"space": {"units": [4, 8]}})
    {'space': {'units': [4, 8]}}
    """
    merged = {str(key): value for key, value in below.items()}
    for key, value in above.items():
        replaced = merged.get(key)
        if isinstance(value, Mapping) and isinstance(replaced, Mapping):
            merged[key] = merge_documents(replaced, value)
        else:
            merged[key] = value
    return merged


def name_faults(document: Mapping[str, Any], changes: Mapping[str, Any]) -> list[Fault]:
    """Returns a fault for each recipe or comparison that overrides name, but the file lacks.

    >>> [str(f) for f in name_faults({"recipes": {"A": {}}}, {"recipes": {"B": {"units": 9}}})]
    ["recipes.B: there is no recipe 'B' (known: A); add it to the file, or leave it out"]
    """
    faults = []
    for part, kind in NAMED.items():
        given, written = changes.get(part), document.get(part)
        if not isinstance(given, Mapping) or not isinstance(written, Mapping) or not written:
            continue
        names = list(map(str, written))
        for name in map(str, given):
            if name not in names:
                message = f"{unknown(kind, name, names)}; add it to the file, or leave it out"
                faults.append(Fault(f"{part}.{name}", message))
    return faults


def idle_faults(
    document: Mapping[str, Any],
    changes: Mapping[str, Any],
    settings: Mapping[str, Any],
    entries: Mapping[str, Entry],
    parse: Callable[[Mapping[str, Any]], Mapping[str, Entry]],
) -> list[Fault]:
    """Returns a fault for each setting in `changes` that no recipe of the sweep takes.

    `document` is the sweep file merged with `changes`; `settings` are those that it has for all
    recipes, and `entries` the recipes that `parse` makes of it. A setting that recipes have anyway,
    such as their default, is no fault.
    """
    if not entries:
        return []
    recipes = [entry.recipe for entry in entries.values()]
    faults = []
    for key in sorted(changes.keys() & settings.keys()):
        value = settings[key]
        having = [recipe.settings.get(key) == value for recipe in recipes]
        others = [{k: v for k, v in document.items() if k != key}]
        if any(having):  # because they take it, or set it themselves
            others += [{**document, key: other} for other in _other_values(value)]
        if all(having) or (any(having) and len(others) == 1):
            continue
        try:
            made = [[entry.recipe for entry in parse(one).values()] for one in others]
        except UserError:  # the sweep needs it
            continue
        if all(one == recipes for one in made):
            faults.append(Fault(key, _idle_message(key, value, document)))
    return faults


def _other_values(value: object) -> list[object]:
    """Returns another value of the same type, or nothing for names and lists."""
    if isinstance(value, bool):
        return [not value]
    return [value * 2 or 1] if isinstance(value, int | float) else []


def _idle_message(key: str, value: object, document: Mapping[str, Any]) -> str:
    """Returns the message for a setting that no recipe takes: who sets it instead, and where."""
    start = f"has no effect, but got {value_as_text(value)}"
    same = {"epochs", "updates"} if key in ("epochs", "updates") else {key}
    recipes = {str(k): v for k, v in document["recipes"].items() if isinstance(v, Mapping)}
    for name, recipe in recipes.items():
        tasks = recipe.get("per_task") or {}
        parts = {"": recipe, "over.": recipe.get("over") or {}} | {
            f"per_task.{task}.": part for task, part in tasks.items()
        }
        for place, part in parts.items():
            own = next((k for k in part if k in same), None)
            if own is None:
                continue
            new = f"[{value_as_text(value)},...]" if place == "over." else value_as_text(value)
            word = shell_line(f"recipes.{name}.{place}{own if place == 'over.' else key}={new}")
            whose = "" if own == key else f", or {own} in its place"
            return f"{start}: every recipe sets {key} itself{whose}; write {word}"
    if any(same & set(part) for part in document.get("tasks", ()) if isinstance(part, Mapping)):
        word = shell_line(f"recipes.{next(iter(document['recipes']))}.{key}={value_as_text(value)}")
        return f"{start}: each of the `tasks` sets {key} itself; write {word}"
    return f"{start}: it applies to no recipe of this sweep; leave it out"
