"""Validation of a user's task, its attributes and its sequences, before anything is trained."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from lstm_bench.errors import Fault, LstmBenchError, RecipeError
from lstm_bench.tasks._base import Problem, Sequence, Task, is_built_in

Lengths = tuple[tuple[int, ...], tuple[int, ...]]
"""The lengths of the training sequences, and of the unseen ones."""

PROBLEM_RULE = "must give Problem(train, unseen), two tuples of Sequence"


def task_faults(task: Task) -> list[Fault]:
    """Returns what is wrong with the attributes of `task` and with its sequences for seed 0.

    Empty for the tasks of this package, whose own tests check more than this.
    """
    if is_built_in(type(task)):
        return []
    try:
        fault = _task_fault(task)
    except TypeError as error:  # unhashable parameters
        fault = f"{task.name}: its parameters must be hashable ({error}); use tuples, not lists"
    return [Fault("task", fault)] if fault else []


def checked_problem(task: Task, seed: int, lengths: Lengths | None = None) -> Problem:
    """Returns `task.problem(seed)` after validation.

    Raises `RecipeError` if it raises, if its value is not a valid problem, or if its sequences do
    not have the given `lengths`.
    """
    if is_built_in(type(task)):
        return task.problem(seed)
    try:
        problem = task.problem(seed)
    except LstmBenchError:
        raise
    except Exception as error:
        rule = f"{task.name}: problem({seed}) must return a Problem"
        raise RecipeError(
            [Fault("task", f"{rule}, but raised {error_origin(error, _source_file(task))}")]
        ) from error
    fault = next(problem_faults(task, problem), None)
    if task.longest is not None and lengths is not None:
        if fault is None and sequence_counts(lengths) != sequence_counts(sequence_lengths(problem)):
            fault = "must give as many sequences as problem(0) does, but does not"
    elif fault is None and lengths not in (None, sequence_lengths(problem)):
        fault = "must give sequences as many and as long as problem(0) does, but does not"
    if fault is not None:
        raise RecipeError([Fault("task", f"{task.name}: problem({seed}) {fault}")])
    return problem


def checked_epoch(task: Task, seed: int, epoch: int, lengths: tuple[int, ...]) -> Problem:
    """Returns the training sequences of one epoch as a problem, after validation.

    Raises `RecipeError` as `checked_problem` does. `lengths` are those of the first epoch.
    """
    if is_built_in(type(task)):
        return Problem(task.epoch_sequences(seed, epoch) or ())
    try:
        problem = Problem(task.epoch_sequences(seed, epoch) or ())
    except LstmBenchError:
        raise
    except Exception as error:
        rule = f"{task.name}: epoch_sequences({seed}, {epoch}) must return a tuple of Sequence"
        raise RecipeError(
            [Fault("task", f"{rule}, but raised {error_origin(error, _source_file(task))}")]
        ) from error
    fault = next(problem_faults(task, problem), None)
    if fault is None and len(problem.train) != len(lengths):
        fault = f"must give {len(lengths)} sequences, as epoch 1 does, but gives another number"
    elif fault is None and task.longest is None and sequence_lengths(problem)[0] != lengths:
        fault = "must give sequences as long as those of epoch 1, but does not"
    if fault is not None:
        call = f"{task.name}: epoch_sequences({seed}, {epoch})"
        raise RecipeError([Fault("task", f"{call} {fault}")])
    return problem


def sequence_lengths(problem: Problem) -> Lengths:
    """Returns the lengths of the training sequences, and of the unseen ones."""
    return tuple(map(len, problem.train)), tuple(map(len, problem.unseen))


def sequence_counts(lengths: Lengths) -> tuple[int, int]:
    """Returns the numbers of training and of unseen sequences."""
    return len(lengths[0]), len(lengths[1])


def error_origin(error: BaseException, file: str = "") -> str:
    """Returns an error's type and message, with the innermost line of `file` that raised it.

    If no line of `file` is in the traceback, the innermost line of any file.

    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError as error:
    ...     print(error_origin(error).partition(" (")[0])
    ZeroDivisionError: division by zero
    """
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    candidates = [frame for frame in frames if frame.filename == file] or frames
    if not candidates:
        return text
    return f"{text} ({Path(candidates[-1].filename).name}, line {candidates[-1].lineno})"


def _source_file(task: Task) -> str:
    return getattr(sys.modules.get(type(task).__module__), "__file__", None) or ""


@lru_cache(maxsize=1024)
def _task_fault(task: Task) -> str:
    """Returns the first fault of a task, or "" if it is valid; cached for each task value."""
    try:
        labels = task.labels
        rates = {name: getattr(task, name) for name in ("chance", "ceiling", "bar")}
    except Exception as error:
        rule = f"{task.name}: labels, chance, ceiling and bar must be values"
        return f"{rule}, but one raised {error_origin(error, _source_file(task))}"
    if not isinstance(labels, tuple) or not all(isinstance(label, str) for label in labels):
        return f"{task.name}: labels must be a tuple of strings, but got {labels!r}"
    for name, rate in rates.items():
        if not isinstance(rate, int | float | np.number) or not 0 <= float(rate) <= 1:
            return f"{task.name}: {name} must be a share in [0, 1], but got {rate!r}"
    try:
        checked_problem(task, 0)
    except LstmBenchError as error:
        return str(error).removeprefix("task: ")
    return ""


def problem_faults(task: Task, problem: object) -> Iterator[str]:
    """Yields what is wrong with the value of `task.problem`, as ends of a sentence about it."""
    if not isinstance(problem, Problem):
        yield f"{PROBLEM_RULE}, but got {_describe(problem)}"
        return
    for part, sequences in (("train", problem.train), ("unseen", problem.unseen)):
        if not isinstance(sequences, tuple):
            yield f"{PROBLEM_RULE}, but {part} is {_describe(sequences)}"
            return
        for number, sequence in enumerate(sequences):
            if not isinstance(sequence, Sequence):
                yield f"{PROBLEM_RULE}, but {part}[{number}] is {_describe(sequence)}"
                return
            for fault in _sequence_faults(task, sequence):
                yield f"{part}[{number}]: {fault}"
                return
    if not problem.train:
        yield "must give at least one sequence to train on, but train is empty"
    elif not any(sequence.scored.any() for _, sequence in problem.scored_sequences):
        part = "unseen" if problem.unseen else "train"
        yield f"must score at least one step, but `scored` is all False in {part}"
    for name in ("inputs", "targets"):
        widths = {getattr(sequence, name).shape[1:] for sequence in problem.sequences}
        if len(widths) > 1:
            yield f"must give {name} of one width, but got {sorted(widths)}"
    for name in ("recall", "possible"):
        stated = {getattr(sequence, name) is not None for sequence in problem.sequences}
        if len(stated) > 1:
            yield f"must give {name} for all sequences or for none, but gives it for some"
    if task.longest is not None and max(map(len, problem.sequences)) > task.longest:
        longest = max(map(len, problem.sequences))
        yield f"must give sequences of at most longest={task.longest} steps, but one has {longest}"


def _sequence_faults(task: Task, sequence: Sequence) -> Iterator[str]:
    """Yields what is wrong with the arrays of one sequence: their types, lengths and values."""
    for name in ("inputs", "targets", "scored"):
        array = getattr(sequence, name)
        if not isinstance(array, np.ndarray) or array.ndim < 1 or not len(array):
            yield f"{name} must be a NumPy array of at least one step, but got {_describe(array)}"
            return
    lengths = [len(getattr(sequence, name)) for name in ("inputs", "targets", "scored")]
    if len(set(lengths)) > 1:
        yield f"inputs, targets and scored must be equally long, but have {lengths} steps"
        return
    yield from _mask_faults(task, sequence)
    if sequence.scored.dtype != bool or sequence.scored.ndim != 1:
        yield f"scored must be a boolean array (T,), but got {_describe(sequence.scored)}"
    for name, symbolic in (("inputs", task.symbolic), ("targets", task.kind == "categorical")):
        array = getattr(sequence, name)
        if symbolic and (array.ndim != 1 or not np.issubdtype(array.dtype, np.integer)):
            yield f"{name} must be symbols, an array (T,) of integers, but got {_describe(array)}"
        elif symbolic and not 0 <= array.min() <= array.max() < len(task.labels):
            wrong = array.max() if array.min() >= 0 else array.min()
            yield (
                f"{name} must be symbols from 0 to {len(task.labels) - 1}, because there are "
                f"{len(task.labels)} labels, but got {wrong}"
            )
        elif not symbolic and (array.ndim != 2 or not np.issubdtype(array.dtype, np.number)):
            yield f"{name} must be real values (T, features), but got {_describe(array)}"
        elif not symbolic and not np.isfinite(array).all():
            yield f"{name} must be finite numbers, but some are NaN or infinite"


def _mask_faults(task: Task, sequence: Sequence) -> Iterator[str]:
    """Yields what is wrong with the masks that a sequence need not have."""
    steps, symbols = len(sequence), len(task.labels)
    for name, shape in (("recall", (steps,)), ("possible", (steps, symbols))):
        mask = getattr(sequence, name)
        if mask is None:
            continue
        if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.shape != shape:
            yield f"{name} must be a boolean array {shape}, but got {_describe(mask)}"
            return
    if sequence.recall is not None and (sequence.recall & ~sequence.scored).any():
        yield "recall must mark scored steps only, but marks others"
    if sequence.possible is not None:
        if task.kind != "categorical":
            yield f"possible needs targets that are symbols, but the kind is {task.kind}"
        elif not sequence.possible[np.arange(steps), sequence.targets][sequence.scored].all():
            yield "possible must mark the target of every scored step, but does not"


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array {value.shape} of {value.dtype}"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
