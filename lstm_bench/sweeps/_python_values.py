"""What Python callers give in the places where a sweep file has text."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from lstm_bench.errors import TaskError, UserError
from lstm_bench.recipes import Recipe, recipe
from lstm_bench.sweeps._conditions import overlay_settings
from lstm_bench.tasks import Task, is_built_in


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


def changed_recipe(task: str | type | Task | Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Returns the recipe of a task, or a given one, with `changes` over its settings.

    >>> changed_recipe("memory", {"units": 4}).units
    4
    """
    if isinstance(task, Task):
        parameters = {key: getattr(task, key) for key in task.model_fields_set}
        return recipe(type(task), **parameters | dict(changes))
    if not isinstance(task, Recipe):
        return recipe(task, **changes)
    if not changes:
        return task
    merged = overlay_settings(task.settings, changes)
    return recipe(type(task.task), **{key: merged[key] for key in merged if key != "task"})


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

    >>> from lstm_bench.recipes import TASKS
    >>> task_settings(TASKS["memory"](lag=4)), task_settings("echo")
    ({'task': 'memory', 'lag': 4}, {'task': 'echo'})
    """
    if isinstance(task, Task):
        changed = {key: getattr(task, key) for key in task.model_fields_set}
        return {"task": task.name, **changed}
    return {"task": task.name if isinstance(task, type) and issubclass(task, Task) else task}


def task_file(task: Any) -> list[Path]:
    """Returns the file that workers load a task class from; none for a name or a built-in task.

    Raises `TaskError` for a class that is in no file, as in a notebook.
    """
    cls = type(task) if isinstance(task, Task) else task
    if not (isinstance(cls, type) and issubclass(cls, Task)) or is_built_in(cls):
        return []
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if cls.__module__ == "__main__" or not file:
        raise TaskError(
            f"task: {cls.name!r} must be in a Python file of its own, for worker processes load it "
            "from there, but was defined in this session; write it to my_task.py and import it"
        )
    return [Path(file)]
