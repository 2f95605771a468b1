"""Every task that a recipe can name, those of a user's file or another package included."""

from collections.abc import Mapping
from typing import Any

from lstm_bench.data import CsvTask
from lstm_bench.errors import unknown
from lstm_bench.tasks import BUILT_IN, Task

TASKS: dict[str, type[Task]] = {**BUILT_IN, CsvTask.name: CsvTask}


def unknown_task_message(name: object) -> str:
    """Returns the message for a task that is not there, and where it might be.

    >>> unknown_task_message("memori")
    "there is no task 'memori'; did you mean 'memory'? (known: ..."
    """
    message = unknown("task", name, TASKS)
    near = "did you mean" in message
    return message if near else f"{message}; one in a file of yours needs --tasks FILE"


def holds_data_back(settings: Mapping[str, Any]) -> bool:
    """Returns whether a recipe's settings keep it from data that others of its task are scored on.

    So it is with what a search proposes, where the task has data to judge its finalists by.
    """
    chosen = TASKS.get(str(settings.get("task")))
    held_back = chosen.in_search if chosen else {}
    return bool(held_back) and all(settings.get(key) == own for key, own in held_back.items())
