"""Sequence problems: the `Task` base class, its validation, and one file for each built-in task."""

from lstm_bench.tasks._base import Problem, Sequence, StoppingRule, Task, is_built_in
from lstm_bench.tasks._built_in import BUILT_IN
from lstm_bench.tasks._decorator import task
from lstm_bench.tasks._validation import (
    Lengths,
    checked_epoch,
    checked_problem,
    error_origin,
    problem_faults,
    sequence_lengths,
    task_faults,
)

__all__ = [
    "BUILT_IN",
    "Lengths",
    "Problem",
    "Sequence",
    "StoppingRule",
    "Task",
    "checked_epoch",
    "checked_problem",
    "error_origin",
    "is_built_in",
    "problem_faults",
    "sequence_lengths",
    "task",
    "task_faults",
]
