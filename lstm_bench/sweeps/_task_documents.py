"""The facts about every task, as plain values."""

from __future__ import annotations

import inspect
from typing import Any

from lstm_bench.errors import UserError
from lstm_bench.recipes import TaskRegistry, recipe, unknown_task_message


def task_documents(tasks: TaskRegistry, name: str | None = None) -> list[dict[str, Any]]:
    """Returns the facts of all `tasks` by name, or of the one called `name`.

    Raises `UserError` if there is no such task.
    """
    if name is not None and name not in tasks:
        raise UserError(f"tasks: {unknown_task_message(name, tasks)}")
    return [_document(one, tasks) for one in ([name] if name else sorted(tasks))]


def _document(name: str, tasks: TaskRegistry) -> dict[str, Any]:
    task, default = tasks[name], recipe(tasks[name])
    return {
        "name": name,
        "about": (inspect.getdoc(task) or "").splitlines()[0],
        "kind": task.kind,
        "chance": default.task.chance,
        "ceiling": default.task.ceiling,
        "solved_at": default.task.bar,
        "parameters": {key: field.default for key, field in task.model_fields.items()},
        "default": default.settings,
        "source": task.source,
        "defined_in": tasks.places.get(name, ""),
    }
