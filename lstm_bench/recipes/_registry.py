"""The tasks that a recipe can name, including those of a user's file or of another package."""

from collections.abc import Mapping
from typing import Any

from lstm_bench.data import CsvTask
from lstm_bench.errors import unknown
from lstm_bench.tasks import BUILT_IN, Task

TASKS: dict[str, type[Task]] = {**BUILT_IN, CsvTask.name: CsvTask}


def unknown_task_message(name: object) -> str:
    """Returns the error message for an unknown task, with how to find it.

    >>> unknown_task_message("memori")
    "there is no task 'memori'; did you mean 'memory'? (known: ..."
    """
    message = unknown("task", name, TASKS)
    has_suggestion = "did you mean" in message
    return message if has_suggestion else f"{message}; a task in a file of yours needs --tasks FILE"


def holds_data_back(settings: Mapping[str, Any]) -> bool:
    """Returns whether settings keep back the data that other recipes of the task are scored on.

    This is so for the recipes that a search proposes, if the task reserves data for the finalists.
    """
    task = TASKS.get(str(settings.get("task")))
    held_back = task.search_overrides if task else {}
    return bool(held_back) and all(settings.get(key) == value for key, value in held_back.items())
