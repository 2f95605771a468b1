"""Every sequence problem, by name. A new one of ours is a file of its own and a line here.

Those of a user's file or of another package join them by `lstm_bench.loading`.
"""

from collections.abc import Mapping
from typing import Any

from lstm_bench.errors import unknown
from lstm_bench.tasks.alphabet import Alphabet
from lstm_bench.tasks.ambiguous_pair import AmbiguousPair
from lstm_bench.tasks.base import Problem, Sequence, Task
from lstm_bench.tasks.cumulative_sum import CumulativeSum
from lstm_bench.tasks.echo import Echo
from lstm_bench.tasks.memory import Memory
from lstm_bench.tasks.own import Csv
from lstm_bench.tasks.poem import Poem
from lstm_bench.tasks.random_memory import RandomMemory
from lstm_bench.tasks.series import ParallelSeries, Ramp
from lstm_bench.tasks.written import task

TASKS: dict[str, type[Task]] = {
    each.name: each
    for each in (
        Memory,
        RandomMemory,
        Echo,
        Alphabet,
        AmbiguousPair,
        Poem,
        Ramp,
        ParallelSeries,
        CumulativeSum,
        Csv,
    )
}


def no_task(name: object) -> str:
    """Returns the message for a task that is not there, and where it might be.

    >>> no_task("memori")
    "there is no task 'memori'; did you mean 'memory'? (known: ..."
    """
    message = unknown("task", name, TASKS)
    near = "did you mean" in message
    return message if near else f"{message}; one in a file of yours needs --tasks FILE"


def kept_from(settings: Mapping[str, Any]) -> bool:
    """Returns whether a recipe's settings keep it from data that others of its task are scored on.

    So it is with what a search proposes, where the task has data to judge its finalists by.
    """
    chosen = TASKS.get(str(settings.get("task")))
    held_back = chosen.in_search if chosen else {}
    return bool(held_back) and all(settings.get(key) == own for key, own in held_back.items())


__all__ = ["TASKS", "Problem", "Sequence", "Task", "kept_from", "no_task", "task"]
