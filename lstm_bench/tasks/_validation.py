"""Whether what a task says and makes can be used: what is refused before anything is trained."""

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
"""The lengths of the sequences to train on, and of the unseen ones."""

RULE = "must give Problem(train, unseen), two tuples of Sequence"


def task_faults(task: Task) -> list[Fault]:
    """Returns what makes `task` useless: of its words, and of what it makes for seed 0.

    Nothing for the tasks of this package, which their tests hold to more than this.
    """
    if is_built_in(type(task)):
        return []
    try:
        found = _words(task)
    except TypeError as error:  # unhashable parameters
        found = f"{task.name}: its parameters must be hashable ({error}); use tuples, not lists"
    return [Fault("task", found)] if found else []


def checked_problem(task: Task, seed: int, alike: Lengths | None = None) -> Problem:
    """Returns `task.problem(seed)`, whose sequences have the lengths `alike`, if given.

    Raises `RecipeError` where that fails or cannot be used.
    """
    if is_built_in(type(task)):
        return task.problem(seed)
    try:
        made = task.problem(seed)
    except LstmBenchError:
        raise
    except Exception as error:
        rule = f"{task.name}: problem({seed}) must return a Problem"
        raise RecipeError(
            [Fault("task", f"{rule}, but raised {error_origin(error, _file(task))}")]
        ) from error
    fault = next(problem_faults(task, made), None)
    if fault is None and alike not in (None, sequence_lengths(made)):
        fault = "must give sequences as many and as long as problem(0) does, but does not"
    if fault is not None:
        raise RecipeError([Fault("task", f"{task.name}: problem({seed}) {fault}")])
    return made


def sequence_lengths(made: Problem) -> Lengths:
    """Returns the lengths of the sequences to train on, and of the unseen ones."""
    return tuple(map(len, made.train)), tuple(map(len, made.unseen))


def error_origin(error: BaseException, file: str = "") -> str:
    """Returns an error in words, with the line of `file`, or else of any file, that it came from.

    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError as error:
    ...     print(error_origin(error).partition(" (")[0])
    ZeroDivisionError: division by zero
    """
    lines = str(error).strip().splitlines()
    told = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    nearest = [frame for frame in frames if frame.filename == file] or frames
    if not nearest:
        return told
    return f"{told} ({Path(nearest[-1].filename).name}, line {nearest[-1].lineno})"


def _file(task: Task) -> str:
    return getattr(sys.modules.get(type(task).__module__), "__file__", None) or ""


@lru_cache(maxsize=1024)
def _words(task: Task) -> str:
    """Returns what is wrong with what a task says, or nothing; asked once for each value."""
    try:
        labels = task.labels
        shares = {name: getattr(task, name) for name in ("chance", "ceiling", "bar")}
    except Exception as error:
        rule = f"{task.name}: labels, chance, ceiling and bar must be values"
        return f"{rule}, but one raised {error_origin(error, _file(task))}"
    if not isinstance(labels, tuple) or not all(isinstance(label, str) for label in labels):
        return f"{task.name}: labels must be a tuple of strings, but got {labels!r}"
    for name, share in shares.items():
        if not isinstance(share, int | float | np.number) or not 0 <= float(share) <= 1:
            return f"{task.name}: {name} must be a share in [0, 1], but got {share!r}"
    try:
        checked_problem(task, 0)
    except LstmBenchError as error:
        return str(error).removeprefix("task: ")
    return ""


def problem_faults(task: Task, made: object) -> Iterator[str]:
    """Yields what is wrong with the sequences of a seed."""
    if not isinstance(made, Problem):
        yield f"{RULE}, but got {_shown(made)}"
        return
    for part, sequences in (("train", made.train), ("unseen", made.unseen)):
        if not isinstance(sequences, tuple):
            yield f"{RULE}, but {part} is {_shown(sequences)}"
            return
        for number, sequence in enumerate(sequences):
            if not isinstance(sequence, Sequence):
                yield f"{RULE}, but {part}[{number}] is {_shown(sequence)}"
                return
            for fault in _sequence_faults(task, sequence):
                yield f"{part}[{number}]: {fault}"
                return
    if not made.train:
        yield "must give at least one sequence to train on, but train is empty"
    elif not any(sequence.scored.any() for _, sequence in made.judged):
        part = "unseen" if made.unseen else "train"
        yield f"must score some step, but `scored` is all False in {part}"
    for name in ("inputs", "targets"):
        widths = {getattr(each, name).shape[1:] for each in made.sequences}
        if len(widths) > 1:
            yield f"must give {name} of one width, but got {sorted(widths)}"


def _sequence_faults(task: Task, sequence: Sequence) -> Iterator[str]:
    """Yields what is wrong with one sequence: a mask, and symbols or real values of its length."""
    for name in ("inputs", "targets", "scored"):
        array = getattr(sequence, name)
        if not isinstance(array, np.ndarray) or array.ndim < 1 or not len(array):
            yield f"{name} must be a NumPy array of at least one step, but got {_shown(array)}"
            return
    lengths = [len(getattr(sequence, name)) for name in ("inputs", "targets", "scored")]
    if len(set(lengths)) > 1:
        yield f"inputs, targets and scored must be equally long, but have {lengths} steps"
    if sequence.scored.dtype != bool or sequence.scored.ndim != 1:
        yield f"scored must be (T,) of bool, but got {_shown(sequence.scored)}"
    for name, symbols in (("inputs", task.symbolic), ("targets", task.kind == "categorical")):
        array = getattr(sequence, name)
        if symbols and (array.ndim != 1 or not np.issubdtype(array.dtype, np.integer)):
            yield f"{name} must be symbols, (T,) of integers, but got {_shown(array)}"
        elif symbols and not 0 <= array.min() <= array.max() < len(task.labels):
            wrong = array.max() if array.min() >= 0 else array.min()
            yield (
                f"{name} must be symbols from 0 to {len(task.labels) - 1}, for there are "
                f"{len(task.labels)} labels, but got {wrong}"
            )
        elif not symbols and (array.ndim != 2 or not np.issubdtype(array.dtype, np.number)):
            yield f"{name} must be real values, (T, features), but got {_shown(array)}"
        elif not symbols and not np.isfinite(array).all():
            yield f"{name} must be finite numbers, but has NaN or infinite ones"


def _shown(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array {value.shape} of {value.dtype}"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
