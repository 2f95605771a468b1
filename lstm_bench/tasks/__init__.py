"""Every sequence problem, by name. A new one is a file of its own and a line here."""

from lstm_bench.tasks.alphabet import Alphabet
from lstm_bench.tasks.ambiguous_pair import AmbiguousPair
from lstm_bench.tasks.base import Problem, Sequence, Task
from lstm_bench.tasks.memory import Memory

TASKS: dict[str, type[Task]] = {task.name: task for task in (Memory, Alphabet, AmbiguousPair)}

__all__ = ["TASKS", "Problem", "Sequence", "Task"]
