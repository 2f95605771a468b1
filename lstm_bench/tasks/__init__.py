"""Sequence problems: what a task is, and one file for each problem."""

from lstm_bench.tasks.base import Problem, Sequence, Task
from lstm_bench.tasks.written import task

__all__ = ["Problem", "Sequence", "Task", "task"]
