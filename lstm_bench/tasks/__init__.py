"""Sequence problems: what a task is, what is checked of it, and one file for each problem."""

from lstm_bench.tasks._base import Problem, Sequence, Task, ours
from lstm_bench.tasks._built_in import BUILT_IN
from lstm_bench.tasks._decorator import task
from lstm_bench.tasks._validation import (
    Lengths,
    blamed,
    checked_problem,
    problem_faults,
    sequence_lengths,
    unsound,
)

__all__ = [
    "BUILT_IN",
    "Lengths",
    "Problem",
    "Sequence",
    "Task",
    "blamed",
    "checked_problem",
    "ours",
    "problem_faults",
    "sequence_lengths",
    "task",
    "unsound",
]
