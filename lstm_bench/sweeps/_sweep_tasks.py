"""The tasks of a sweep that runs every recipe on several tasks.

::

    tasks: [memory, {task: echo, delay: 3, epochs: 40, as: echo_3}]
    recipes:
      lstm: {units: 20}
      gru: {base: lstm, network: gru, per_task: {echo_3: {learning_rate: 0.01}}}

stands for the recipes `lstm@memory`, `gru@memory`, `lstm@echo_3` and `gru@echo_3`. The settings of
a recipe go over those of its task, and those under `per_task` over both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstm_bench.errors import Fault, unknown
from lstm_bench.recipes import TaskRegistry, known_settings, unknown_task_message
from lstm_bench.safety import shown_value

TASK_MARK = "@"
"""Stands between the name of a recipe and that of its task."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

ONE_TASK = ("published", "accuracy", "claim", "published_success", "published_sequences")
"""Keys of a recipe that say what was published, which is a result on one task."""


@dataclass(frozen=True)
class SweepTask:
    """A task of a sweep over several tasks: its name there, and the settings that hold for it."""

    name: str
    settings: Mapping[str, Any]


def read_sweep_tasks(
    document: Mapping[str, Any], tasks: TaskRegistry, faults: list[Fault]
) -> tuple[SweepTask, ...] | None:
    """Returns the part `tasks` of a sweep file, which names some of `tasks`; empty without it.

    Returns None after adding to `faults`.
    """
    if "tasks" not in document:
        return ()
    before, listed = len(faults), document["tasks"]
    if not isinstance(listed, list | tuple) or not listed:
        rule = "must be a list of tasks, e.g. [memory, {task: echo, delay: 3}]"
        faults.append(Fault("tasks", f"{rule}, but got {shown_value(listed)}"))
        return None
    if "task" in document:
        faults.append(Fault("task", "stands in place of `tasks`, but both are given; keep one"))
    if "search" in document:
        rule = "a search is of one task, but the sweep has `tasks`"
        faults.append(Fault("search", f"{rule}; search each task in a sweep of its own"))
    read = [_sweep_task(number, part, tasks, faults) for number, part in enumerate(listed, 1)]
    different: list[SweepTask] = []
    for number, task in enumerate(read, 1):
        if task is None:
            continue
        for other in different:
            if task.settings == other.settings:
                message = f"{task.settings['task']!r} is listed twice with the same settings"
                faults.append(Fault(f"tasks.{number}", f"{message}; remove one"))
                break
            if task.name == other.name:
                message = f"two tasks are called {task.name!r}; give one another name with `as`"
                faults.append(Fault(f"tasks.{number}", message))
                break
        else:
            different.append(task)
    return None if len(faults) > before else tuple(different)


def without_dropped_tasks(document: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a sweep's document without what it says of tasks that only `before` lists.

    `before` is the document without the overrides that made `document` of it.
    """
    dropped = _names(before) - _names(document)
    kept = dict(document)
    recipes, comparisons = document.get("recipes"), document.get("comparisons")
    if dropped and isinstance(recipes, Mapping):
        kept["recipes"] = {
            key: {
                **entry,
                "per_task": {k: v for k, v in entry["per_task"].items() if k not in dropped},
            }
            if isinstance(entry, Mapping) and isinstance(entry.get("per_task"), Mapping)
            else entry
            for key, entry in recipes.items()
        }
    if dropped and isinstance(comparisons, Mapping):
        kept["comparisons"] = {
            name: question
            for name, question in comparisons.items()
            if not isinstance(question, Mapping)
            or not {str(question.get(key)).rpartition(TASK_MARK)[2] for key in ("of", "to")}
            & dropped
        }
    return kept


def _names(document: Mapping[str, Any]) -> set[str]:
    """Returns the names of the tasks that a sweep's document lists."""
    listed = document.get("tasks")
    parts = listed if isinstance(listed, list | tuple) else ()
    return {
        str(part.get("as", part.get("task")) if isinstance(part, Mapping) else part)
        for part in parts
    }


def _sweep_task(
    number: int, part: object, tasks: TaskRegistry, faults: list[Fault]
) -> SweepTask | None:
    """Returns one task of the list, or None after adding to `faults`."""
    place = f"tasks.{number}"
    settings = {str(k): v for k, v in part.items()} if isinstance(part, Mapping) else {"task": part}
    task = settings.get("task")
    if task is None:
        rule = "must name a task, e.g. memory or {task: echo, delay: 3}"
        faults.append(Fault(place, f"{rule}, but got {shown_value(part)}"))
        return None
    if not isinstance(task, str) or task not in tasks:
        key = f"{place}.task" if isinstance(part, Mapping) else place
        faults.append(Fault(key, unknown_task_message(task, tasks)))
        return None
    name = settings.pop("as", task)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        rule = "must be a word of letters, digits, _ and -"
        faults.append(Fault(f"{place}.as", f"{rule}, but got {shown_value(name)}"))
        return None
    allowed = known_settings(tasks[task]) | {"task", "updates", "as"}
    wrong = [key for key in settings if key not in allowed]
    if {"epochs", "updates"} <= settings.keys():
        message = "stands in place of epochs, but both are given; keep one"
        faults.append(Fault(f"{place}.updates", message))
    faults += [Fault(f"{place}.{key}", unknown("setting", key, allowed)) for key in wrong]
    return SweepTask(name, {k: v for k, v in settings.items() if k not in wrong})


def recipe_faults(
    key: str,
    document: Mapping[str, Any],
    common: Mapping[str, Any],
    specific: Mapping[str, Any],
    task: SweepTask,
    tasks: TaskRegistry,
) -> list[Fault]:
    """Returns what is wrong with a recipe of a sweep over several tasks, given by its `document`.

    `common` are its settings for all tasks, `specific` those for `task` alone.
    """
    known = set().union(*(known_settings(one) for one in tasks.values())) | {"updates"}
    # What no task has is reported here, in the same words for every task.
    faults = [
        Fault(k, unknown("setting", k, known)) for k in common if k != "task" and k not in known
    ]
    if TASK_MARK in key:
        faults.append(Fault("", f"with `tasks`, an id must have no {TASK_MARK!r}; rename it"))
    if "task" in document:
        faults.append(Fault("task", "every recipe is run on the `tasks` of the sweep; remove it"))
    faults += [
        Fault(k, "is of one task, but the sweep has several; put it under `per_task`")
        for k in ONE_TASK
        if k in document
    ]
    axes = document.get("over")
    parameters = tasks[str(task.settings["task"])].model_fields
    parts: list[tuple[str, Iterable[object]]] = [("", document)]
    parts += [("over.", axes)] if isinstance(axes, Mapping) else []
    parts += [(f"per_task.{task.name}.", specific)]
    message = "is a parameter of the task, which all recipes must share; put it in `tasks`"
    faults += [Fault(f"{p}{k}", message) for p, keys in parts for k in keys if k in parameters]
    wrong = sorted({"task", "base", "over", "per_task"} & specific.keys())
    message = "belongs to the whole recipe; put it one level higher"
    faults += [Fault(f"per_task.{task.name}.{k}", message) for k in wrong if k != "task"]
    if "task" in wrong:
        faults.append(Fault(f"per_task.{task.name}.task", "is known from its key; remove it"))
    if {"epochs", "updates"} <= specific.keys():
        message = "stands in place of epochs, but both are given; keep one"
        faults.append(Fault(f"per_task.{task.name}.updates", message))
    return faults


def per_task_faults(document: Mapping[str, Any], names: Sequence[str]) -> list[Fault]:
    """Returns what is wrong with the form of `per_task` in a recipe; `names` are the tasks."""
    if "per_task" not in document:
        return []
    if not names:
        return [Fault("per_task", "needs `tasks` in the sweep; put its settings in the recipe")]
    parts = document["per_task"]
    if not isinstance(parts, Mapping):
        rule = "must map tasks to settings, e.g. {memory: {epochs: 50}}"
        return [Fault("per_task", f"{rule}, but got {shown_value(parts)}")]
    faults = [
        Fault(f"per_task.{name}", unknown("task of the sweep", name, names))
        for name in parts
        if name not in names
    ]
    return faults + [
        Fault(f"per_task.{name}", f"must be a mapping, but got {shown_value(part)}")
        for name, part in parts.items()
        if name in names and not isinstance(part, Mapping)
    ]
