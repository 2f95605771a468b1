"""What is known of every task, as plain values."""

from __future__ import annotations

import inspect
from typing import Any

from lstm_bench.errors import UserError
from lstm_bench.recipes import TASKS, recipe, unknown_task_message
from lstm_bench.sweeps._task_files import task_place


def task_documents(name: str | None = None) -> list[dict[str, Any]]:
    """Returns the facts of all tasks by name, or of the one called `name`.

    Raises `UserError` where there is no such task.
    """
    if name is not None and name not in TASKS:
        raise UserError(f"tasks: {unknown_task_message(name)}")
    return [_document(one) for one in ([name] if name else sorted(TASKS))]


def _document(name: str) -> dict[str, Any]:
    task, default = TASKS[name], recipe(name)
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
        "defined_in": task_place(name),
    }
