"""What Python callers give in the places where a sweep file has text."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from lstm_bench.errors import UserError
from lstm_bench.recipes import BUILT_IN_TASKS, Recipe, TaskRegistry, recipe, recipe_from_settings
from lstm_bench.sweeps._conditions import overlay_settings
from lstm_bench.sweeps._task_files import load_tasks
from lstm_bench.tasks import Task

TasksOrFiles = str | Path | type[Task] | Iterable[str | Path | type[Task]]
"""Python files with tasks, and task classes."""


def named_tasks(given: TasksOrFiles, before: Iterable[Path | type[Task]] = ()) -> TaskRegistry:
    """Returns the tasks that names can stand for: built-in, of packages, `before`, and `given`.

    Raises `UserError` for anything given that is neither a file nor a task class.
    """
    listed = [given] if isinstance(given, str | Path | type) else given
    if not isinstance(listed, Iterable):
        raise UserError(f"tasks: must be Python files or task classes, but got {listed!r}")
    items = list(listed)
    for item in items:
        is_task = isinstance(item, type) and issubclass(item, Task)
        if not is_task and not isinstance(item, str | Path):
            raise UserError(f"tasks: must be Python files or task classes, but got {item!r}")
    return load_tasks([*before, *items])


def override_words(overrides: Mapping[str, Any] | Sequence[str] | str) -> list[str]:
    """Returns overrides as `key=value` words; raises `UserError` for anything else.

    >>> override_words({"seeds": 5, "search": {"trials": 20}, "stateful": True, "title": "2024"})
    ['seeds=5', 'search.trials=20', 'stateful=true', 'title="2024"']
    >>> override_words("seeds=5 stateful=true")
    ['seeds=5', 'stateful=true']
    """
    if isinstance(overrides, str):
        return overrides.split()
    if not isinstance(overrides, Mapping):
        if not isinstance(overrides, Iterable):
            raise UserError(
                f"overrides: must be a mapping or key=value words, but got {overrides!r}"
            )
        return [str(word) for word in overrides]
    words = []
    for key, value in overrides.items():
        if isinstance(value, Mapping) and value:
            words += [f"{key}.{word}" for word in override_words(value)]
        else:
            words.append(f"{key}={_as_text(value)}")
    return words


def _as_text(value: Any) -> str:
    """Returns a value as YAML writes it; text is quoted unless it can only be text."""
    value = plain_value(value)
    if isinstance(value, str) and value.isidentifier() and yaml.safe_load(value) == value:
        return value
    return "null" if value is None else json.dumps(value)


def plain_value(value: Any) -> Any:
    """Returns a NumPy scalar or array as Python's own numbers; other values as they are."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def changed_recipe(
    task: str | type | Task | Recipe,
    changes: Mapping[str, Any],
    tasks: TaskRegistry = BUILT_IN_TASKS,
) -> Recipe:
    """Returns the recipe of a task, or a given one, with `changes` over its settings.

    A task that is given by its name is one of `tasks`. Raises `UserError` for another task among
    the changes.

    >>> changed_recipe("memory", {"units": 4}).units
    4
    """
    if "task" in changes:
        raise UserError(
            f"task: is given already, so it must not be changed to {changes['task']!r}; leave that "
            "out, or give the other task in place of this one"
        )
    if isinstance(task, Task):
        parameters = {key: getattr(task, key) for key in task.model_fields_set}
        return recipe(type(task), **parameters | dict(changes))
    if not isinstance(task, Recipe):
        return recipe_from_settings({**changes, "task": task}, tasks)
    if not changes:
        return task
    own = TaskRegistry({task.task.name: type(task.task)})
    return task.with_settings(overlay_settings(task.settings, changes, own))


def search_space(space: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns a search space as a sweep file writes it.

    A pair of numbers is a range, other sequences are choices. Raises `UserError` for other values.

    >>> search_space({"units": (4, 64), "learning_rate": (1e-3, 1e-2), "framing": ["pairs"]})
    {'units': {'int': [4, 64]}, 'learning_rate': {'float': [0.001, 0.01]}, 'framing': ['pairs']}
    """
    if not isinstance(space or {}, Mapping):
        raise UserError(f"space: must be a mapping of settings to values, but got {space!r}")
    return {str(key): _part(key, part) for key, part in (space or {}).items()}


def _part(key: object, part: Any) -> Any:
    if isinstance(part, tuple) and len(part) == 2:
        low, high = ends = [plain_value(end) for end in part]
        if all(isinstance(end, int) and not isinstance(end, bool) for end in ends):
            return {"int": ends}
        if all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
            if not all(map(math.isfinite, ends)):
                raise UserError(f"space: {key} must lie between finite numbers, but got {part}")
            return {"float": [float(low), float(high)]}
    if isinstance(part, Mapping):
        return {name: plain_value(value) for name, value in part.items()}
    if isinstance(part, Iterable) and not isinstance(part, str):
        return [plain_value(value) for value in part]
    raise UserError(
        f"space: {key} must be a list of values or a pair (low, high) of numbers, but got {part!r}"
    )


def task_settings(task: Any) -> dict[str, Any]:
    """Returns a task, given by name, class or instance, as settings: its name and parameters.

    >>> from lstm_bench.tasks import BUILT_IN
    >>> task_settings(BUILT_IN["memory"](lag=4)), task_settings("echo")
    ({'task': 'memory', 'lag': 4}, {'task': 'echo'})
    """
    if isinstance(task, Task):
        changed = {key: getattr(task, key) for key in task.model_fields_set}
        return {"task": task.name, **changed}
    return {"task": task.name if isinstance(task, type) and issubclass(task, Task) else task}


def search_document(
    task: Any,
    space: Mapping[str, Any] | None,
    search: Mapping[str, Any] | None,
    fixed: Mapping[str, Any],
    trials: int,
    seeds: int,
) -> tuple[dict[str, Any], str]:
    """Returns the sweep document of a search, and a name made from what is searched.

    Raises `UserError` where `search` or `space` is no mapping.
    """
    if not isinstance(search or {}, Mapping):
        raise UserError(f"search: must be a mapping with keys of a search, but got {search!r}")
    parts = search_space(space)
    settings = {key: plain_value(value) for key, value in fixed.items()}
    document = {**task_settings(task), **settings}
    searched: dict[str, Any] = {**(search or {}), **({"space": parts} if parts else {})}
    text = json.dumps({**document, "search": searched}, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    name = f"{str(document['task'])[:40]}-search-{digest}"
    searched["trials"] = plain_value(trials)
    return {**document, "task": task, "seeds": plain_value(seeds), "search": searched}, name


def document_with_names(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[type[Task]]]:
    """Returns a sweep document in which tasks are named, and the classes that stood there.

    A class or an instance may stand for the task of the sweep, and of each of its recipes.

    >>> from lstm_bench.tasks import BUILT_IN
    >>> memory = BUILT_IN["memory"]
    >>> document_with_names({"task": memory(lag=4), "recipes": {"A": {"units": 3}}})[0]
    {'task': 'memory', 'recipes': {'A': {'units': 3}}, 'lag': 4}
    >>> document_with_names({"recipes": {"A": {"task": memory}}})
    ({'recipes': {'A': {'task': 'memory'}}}, [<class 'lstm_bench.tasks._memory.Memory'>])
    """
    classes: list[type[Task]] = []

    def named(settings: Any) -> Any:
        if not isinstance(settings, Mapping) or "task" not in settings:
            return settings
        task = settings["task"]
        given = type(task) if isinstance(task, Task) else task
        if isinstance(given, type) and issubclass(given, Task):
            classes.append(given)
        return {**settings, **task_settings(task)}

    whole = dict(named(document))
    for part in ("recipes", "refused"):
        if isinstance(whole.get(part), Mapping):
            whole[part] = {key: named(entry) for key, entry in whole[part].items()}
    return whole, classes
