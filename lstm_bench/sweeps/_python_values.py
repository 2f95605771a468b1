"""Python values in place of the text of a sweep file."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from lstm_bench.data import default_name, frame_settings, limit_rows
from lstm_bench.errors import UserError
from lstm_bench.recipes import (
    BUILT_IN_TASKS,
    Recipe,
    TaskRegistry,
    network_name,
    recipe,
    recipe_from_settings,
)
from lstm_bench.safety import check_path, shown_value
from lstm_bench.sweeps._conditions import overlay_settings
from lstm_bench.tasks import Task

TasksOrFiles = str | Path | type[Task] | Iterable[str | Path | type[Task]]
"""Python files with tasks, and task classes."""


def task_list(given: TasksOrFiles, name: str = "tasks") -> list[str | Path | type[Task]]:
    """Returns Python files and task classes, one or several, as a list.

    Raises `UserError` for anything else, with `name` as the name of the argument.
    """
    listed: Any = [given] if isinstance(given, str | Path | type) else given
    if isinstance(listed, Mapping | bytes) or not isinstance(listed, Iterable):
        raise _no_task(name, given)
    items = list(listed)
    for item in items:
        if isinstance(item, str | Path):
            check_path(name, item)
        elif not isinstance(item, type) or not issubclass(item, Task):
            raise _no_task(name, item)
    return items


def _no_task(name: str, given: object) -> UserError:
    rule = "must be Python files or task classes, e.g. ['my_task.py']"
    return UserError(f"{name}: {rule}, but got {shown_value(given)}")


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
        words = list(overrides) if isinstance(overrides, Iterable) else [overrides]
        if not all(isinstance(word, str) for word in words):
            rule = "must be a mapping of settings or a list of words like 'seeds=5'"
            raise UserError(f"overrides: {rule}, but got {shown_value(overrides)}")
        return words
    words = []
    for key, value in overrides.items():
        if isinstance(value, Mapping) and value:
            words += [f"{key}.{word}" for word in override_words(value)]
        else:
            words.append(f"{key}={_as_text(key, value)}")
    return words


def _as_text(key: object, value: Any) -> str:
    """Returns a value as YAML writes it; text is quoted unless it can only be text."""
    value = plain_value(value)
    if isinstance(value, str) and value.isidentifier() and yaml.safe_load(value) == value:
        return value
    try:
        return "null" if value is None else json.dumps(value)
    except (TypeError, ValueError) as error:
        rule = f"{key} must be a number, text, True, False, None, or a list or mapping of these"
        raise UserError(f"overrides: {rule}, but got {shown_value(value)}") from error


def plain_value(value: Any) -> Any:
    """Returns a NumPy scalar or array as Python numbers, and a function as its name.

    Other values are returned as they are. Raises `UserError` for a function of no module.
    """
    if inspect.isfunction(value):
        try:
            return network_name(value)
        except ValueError as error:
            raise UserError(f"network: {error}") from error
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def plain_document(document: Any) -> Any:
    """Returns a mapping or a list in which all numbers, at any depth, are Python numbers.

    >>> plain_document({"recipes": {"A": {"units": np.int64(4)}}})
    {'recipes': {'A': {'units': 4}}}
    """
    if isinstance(document, Mapping):
        return {key: plain_document(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return type(document)([plain_document(value) for value in document])
    return plain_value(document)


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
    registry = TaskRegistry({task.task.name: type(task.task)})
    return task.with_settings(overlay_settings(task.settings, changes, registry))


def search_space(space: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns a search space as a sweep file writes it.

    A pair of numbers is a range, other sequences are choices. Raises `UserError` for other values.

    >>> search_space({"units": (4, 64), "learning_rate": (1e-3, 1e-2), "framing": ["pairs"]})
    {'units': {'int': [4, 64]}, 'learning_rate': {'float': [0.001, 0.01]}, 'framing': ['pairs']}
    """
    if not isinstance(space, Mapping | None):
        rule = "must be a mapping of settings to values, e.g. {'units': (4, 64)}"
        raise UserError(f"space: {rule}, but got {shown_value(space)}")
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
    if isinstance(part, Iterable) and not isinstance(part, str | bytes):
        return [plain_value(value) for value in part]
    raise UserError(
        f"space: {key} must be a list of values or a pair (low, high) of numbers, but got "
        + shown_value(part)
    )


def search_document(
    task: Any,
    space: Mapping[str, Any] | None,
    options: Mapping[str, Any] | None,
    trials: int,
    seeds: int,
    fixed: Mapping[str, Any],
) -> tuple[str, dict[str, Any]]:
    """Returns a search as a sweep's document, and a name for it, made from the task and the space.

    `options` are further keys of the search, and `fixed` the fixed settings. The name does not
    include seeds and trials: with more of them it is the same search. A class or an instance stays
    in the document as its `task`.
    """
    if not isinstance(options, Mapping | None):
        rule = "must be a mapping of keys of a search, e.g. {'sampler': 'random'}"
        raise UserError(f"search: {rule}, but got {shown_value(options)}")
    twice = {"trials", *(["space"] if space is not None else [])} & (options or {}).keys()
    for key in sorted(twice):
        rule = f"{key} is an argument of its own, so search must not have it"
        raise UserError(
            f"search: {rule}, but got {shown_value(dict(options or {}))}; give {key}=... alone"
        )
    parts = search_space(space)
    document = {**task_settings(task), **{key: plain_value(fixed[key]) for key in fixed}}
    searched = {str(key): value for key, value in (options or {}).items()}
    searched |= {"space": parts} if parts else {}
    text = json.dumps({**document, "search": searched}, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    name = f"{str(document['task'])[:40]}-search-{digest}"
    searched["trials"] = plain_value(trials)
    return name, {**document, "task": task, "seeds": plain_value(seeds), "search": searched}


def sweep_source(
    source: Any, csv: Any, data: Any, settings: Mapping[str, Any], name: str | None
) -> tuple[Any, str]:
    """Returns a sweep and its name: `source`, or a document for a file or a DataFrame.

    `settings` are keys of that document. Raises `UserError` unless one of the three is given.
    """
    sources = {"source": source, "csv": csv, "data": data}
    given = [key for key, value in sources.items() if value is not None]
    if len(given) > 1 or (not given and settings):
        raise UserError(
            f"source: sweep takes one of source, csv and data, but got "
            f"{' and '.join(given) or 'none of them'}; give a sweep, or csv=FILE, or data=FRAME"
        )
    if csv is None and data is None:
        if settings:
            key, value = next(iter(settings.items()))
            raise UserError(
                f"{key}: is a keyword for csv=FILE or data=FRAME alone, but the source is a sweep; "
                f"change it by overrides={{{key!r}: {repr(value)[:60]}}}"
            )
        return source, name or "sweep"
    if data is None:
        check_path("csv", csv)
    file = frame_settings(data) or {"file": str(csv)}
    document = {"task": "csv", "seeds": 10, **file}
    document |= {key: plain_value(value) for key, value in settings.items()}
    return document, name or default_name(limit_rows(document))


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


def document_with_names(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[type[Task]]]:
    """Returns a sweep document with names in place of task classes, and the classes.

    The task of the sweep, each of its `tasks`, and the task of each recipe can be a class or an
    instance. NumPy's numbers and arrays become Python's.

    >>> from lstm_bench.tasks import BUILT_IN
    >>> memory = BUILT_IN["memory"]
    >>> document_with_names({"task": memory(lag=4), "recipes": {"A": {"units": 3}}})[0]
    {'task': 'memory', 'recipes': {'A': {'units': 3}}, 'lag': 4}
    >>> document_with_names({"tasks": ["echo", memory(lag=4)]})[0]
    {'tasks': ['echo', {'task': 'memory', 'lag': 4}]}
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
    if isinstance(whole.get("tasks"), list | tuple):
        whole["tasks"] = [
            named({"task": part}) if isinstance(part, type | Task) else named(part)
            for part in whole["tasks"]
        ]
    for part in ("recipes", "refused"):
        if isinstance(whole.get(part), Mapping):
            whole[part] = {key: named(entry) for key, entry in whole[part].items()}
    return plain_document(whole), classes
