"""The checks of a task, by name; each is a function that raises `AssertionError`."""

from __future__ import annotations

import contextlib
import doctest
import inspect
import math
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lstm_bench.errors import RecipeError
from lstm_bench.recipes import recipe
from lstm_bench.sweeps import missing_parts
from lstm_bench.tasks import Problem, Task, problem_faults
from lstm_bench.testing._engine_agreement import engine_differences, parameters, small_recipe
from lstm_bench.testing._measures import (
    constant_answer_accuracies,
    format_within,
    is_same_problem,
    leaked_sequences,
    lookup_accuracy,
)

SEEDS = range(3)
CHANCE_SEEDS = range(8)
"""Seeds on which chance is measured."""
EPOCHS = (1, 2, 3)
"""Epochs whose sequences are compared, if every epoch has new ones."""
ROUNDING = 1e-9
"""How far a stated ceiling may be off: the rounding of the number as it is written."""


def words(task: Task) -> None:
    """It has a name, a kind and a version, and no parameter has the name of a recipe's setting."""
    problem = missing_parts(type(task))
    assert not problem, f"{type(task).__name__} {problem}"
    version = type(task).version
    valid = isinstance(version, int) and version >= 1
    assert valid, f"version must be a whole number, 1 or more, but is {version!r}"


def source(task: Task) -> None:
    """It says where the idea comes from."""
    rule = "`source` must say where the idea comes from"
    assert task.source, f"{rule}, but is empty; e.g. 'folklore'"


def example(task: Task) -> None:
    """Its docstring begins with a sentence and contains an example that runs as shown."""
    text = inspect.getdoc(type(task)) or ""
    assert text.split("\n")[0], "must have a docstring whose first line says what to predict"
    assert "->" in text, "must show a sequence and its targets in the docstring, as 0 1 1 -> 0 1 0"
    module = sys.modules.get(type(task).__module__)
    names = vars(module) if module else {type(task).__name__: type(task)}
    test = doctest.DocTestParser().get_doctest(text, dict(names), task.name, None, 0)
    assert test.examples, "must have an example in the docstring, a line that begins with >>>"
    output: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    failed = runner.run(test, out=output.append).failed
    assert not failed, f"the example in the docstring must be true, but\n{''.join(output)}"


def value(task: Task) -> None:
    """It is an immutable value: equal to a copy, hashable, and strict."""
    kind, values = type(task), parameters(task)
    equal = task == kind(**values)
    assert equal, "two tasks with the same parameters must be equal, but are not"
    try:
        hash(task)
    except TypeError as error:
        raise AssertionError(f"must be hashable ({error}); use tuples, not lists") from error
    frozen = kind.model_config.get("frozen")
    rule = "must be immutable"
    assert frozen, f"{rule}, but model_config has no frozen=True; leave model_config alone"
    with contextlib.suppress(RecipeError):
        kind.model_validate({**values, "no_such_parameter": 1})
        raise AssertionError(
            "must refuse unknown parameters, but took no_such_parameter=1; leave model_config alone"
        )


def shapes(task: Task) -> None:
    """Inputs, targets and masks have matching shapes, and every sequence scores a step."""
    for seed in SEEDS:
        problem = task.problem(seed)
        fault = next(problem_faults(task, problem), None)
        assert fault is None, f"problem({seed}) {fault}"
        for number, sequence in enumerate(problem.sequences):
            rule = f"problem({seed}): sequence {number} must score a step"
            assert sequence.scored.any(), f"{rule}, but `scored` is all False; leave it out"


def symbols(task: Task) -> None:
    """Labels are distinct; binary targets are 0 or 1."""
    repeated = sorted({label for label in task.labels if task.labels.count(label) > 1})
    assert not repeated, f"labels must be distinct, but {repeated} are repeated; rename them"
    if task.symbolic or task.kind == "categorical":
        assert task.labels, "symbols need labels, but there are none; name each symbol"
    if task.kind == "binary":
        for sequence in task.problem(0).sequences:
            other = sorted(set(np.unique(sequence.targets).tolist()) - {0, 1})
            assert not other, f"binary targets must be 0 or 1, but there are {other[:3]}"


def determinism(task: Task) -> None:
    """A seed always gives the same sequences."""
    for seed in SEEDS:
        first = type(task)(**parameters(task)).problem(seed)
        repeated = [task.problem(seed), task.problem(seed)]
        same = all(is_same_problem(problem, first) for problem in repeated)
        rule = f"problem({seed}) must give the same sequences every time, but does not"
        assert same, f"{rule}; draw everything from stream(seed, 'data')"


def generators(task: Task) -> None:
    """The global random generators of NumPy and Python are not used."""
    with restored_generators():
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        before = _global_state()
        task.problem(0)
        task.epoch_sequences(0, 2)
        rule = "must not use the global random generators of NumPy and Python"
        assert _global_state() == before, f"{rule}, but uses one; use stream(seed, 'data')"


@contextlib.contextmanager
def restored_generators() -> Iterator[None]:
    """Restores the state of the global generators at the end of the block."""
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002


def _global_state() -> tuple[Any, ...]:
    numpy: Any = np.random.get_state()  # noqa: NPY002
    return random.getstate(), numpy[1].tobytes(), numpy[2:]


def lengths(task: Task) -> None:
    """Every seed gives the same number of sequences, with the same lengths in the same order.

    A task with a `longest` only has to give the same number of sequences.
    """
    parts = [(problem.train, problem.unseen) for problem in map(task.problem, SEEDS)]
    if task.longest is not None:  # the shapes are checked to be no longer
        counts = {tuple(map(len, part)) for part in parts}
        rule = "every seed must give the same number of sequences"
        assert len(counts) == 1, f"{rule}, but seeds 0, 1 and 2 differ; only lengths may vary"
        return
    distinct = {tuple(tuple(map(len, part)) for part in pair) for pair in parts}
    rule = "every seed must give the same number of sequences, with the same lengths in order"
    reason = "whether a recipe is legal is decided once, for all seeds"
    assert len(distinct) == 1, f"{rule}, but seeds 0, 1 and 2 differ; {reason}"


def epochs(task: Task) -> None:
    """If every epoch has new sequences, they are as many, valid, new, and the first epoch's known.

    Those of epoch 1 are the training sequences of `problem`, and an epoch always has the same ones.
    """
    for seed in SEEDS:
        drawn = [task.epoch_sequences(seed, epoch) for epoch in EPOCHS]
        if drawn[0] is None:
            rule = f"epoch_sequences({seed}, epoch) must be None for all epochs or for none"
            assert drawn == [None] * len(drawn), f"{rule}, but is None for epoch 1 only"
            continue
        problem = task.problem(seed)
        lengths = [len(sequence) for sequence in problem.train]
        for epoch, sequences in zip(EPOCHS, drawn, strict=True):
            call = f"epoch_sequences({seed}, {epoch})"
            assert sequences is not None, f"{call} must be a tuple of Sequence, but is None"
            fault = next(problem_faults(task, Problem(sequences)), None)
            assert fault is None, f"{call} {fault}"
            rule = f"{call} must give {len(lengths)} sequences, as problem({seed}) does"
            assert len(sequences) == len(lengths), f"{rule}, but gives {len(sequences)}"
            rule = f"{call} must give sequences as long as those of problem({seed})"
            same = task.longest is not None or [len(one) for one in sequences] == lengths
            assert same, f"{rule}, but does not; define `longest` if lengths vary"
            again = task.epoch_sequences(seed, epoch) or ()
            rule = f"{call} must give the same sequences every time"
            same = is_same_problem(Problem(sequences), Problem(again))
            assert same, f"{rule}, but does not; draw all from epoch_stream(seed, epoch)"
        first, *others = (Problem(sequences or ()) for sequences in drawn)
        rule = f"epoch_sequences({seed}, 1) must be problem({seed}).train"
        same = is_same_problem(first, Problem(problem.train))
        assert same, f"{rule}, but is not; draw both from epoch_stream(seed, 1)"
        differ = not any(is_same_problem(first, other) for other in others)
        rule = f"epoch_sequences({seed}, epoch) must give new sequences for every epoch"
        assert differ, f"{rule}, but gives those of epoch 1 again; use epoch_stream(seed, epoch)"


def leak(task: Task) -> None:
    """No unseen sequence is, with its targets, part of a training sequence of the first epochs.

    A task that says `scores_seen_sequences` must have such a sequence.
    """
    for seed in SEEDS:
        problem = task.problem(seed)
        train = sum((task.epoch_sequences(seed, epoch) or () for epoch in EPOCHS), problem.train)
        leaked = leaked_sequences(Problem(train, problem.unseen))
        if task.scores_seen_sequences:
            rule = f"problem({seed}): scores_seen_sequences says that sequences trained on are"
            assert leaked, f"{rule} among the unseen ones, but none is; leave it out"
            continue
        rule = f"problem({seed}): an unseen sequence must not be part of a training sequence"
        actual = f"but {len(leaked)} are, e.g. unseen[{(leaked or [0])[0]}]"
        assert not leaked, f"{rule}, {actual}; draw sequences that all differ, then split them"


def chance(task: Task) -> None:
    """The stated chance is the accuracy of the best constant answer.

    Where several symbols are possible, an answer is a ranking of the symbols.
    """
    accuracies = constant_answer_accuracies(task, [task.problem(seed) for seed in CHANCE_SEEDS])
    mean = float(np.mean(accuracies))
    # For random sequences `chance` is an expected value, and this is a sample of it.
    slack = 5 * float(np.std(accuracies, ddof=1)) / math.sqrt(len(accuracies)) + 1e-6
    rule = "chance must be the accuracy of the best constant answer"
    actual = f"{format_within(mean, slack)} on {len(accuracies)} seeds"
    assert abs(task.chance - mean) <= slack, f"{rule}, {actual}, but is {task.chance:.12g}"


def ceiling(task: Task) -> None:
    """The stated ceiling is the accuracy of a table of all past inputs.

    For random sequences it may be less, because the table also memorizes noise. Where several
    symbols are possible, the table has to know which.
    """
    if task.kind != "categorical":
        return  # a table only works for symbols
    first, *others = map(task.problem, SEEDS)
    accuracy = lookup_accuracy(first)
    rule = "ceiling must be the accuracy of a table of all past inputs"
    actual = f"{format_within(accuracy, ROUNDING)}, but is {task.ceiling:.12g}"
    assert task.ceiling <= accuracy + ROUNDING, f"{rule}, at most {actual}"
    fixed = all(is_same_problem(first, other) for other in others)
    assert not fixed or task.ceiling >= accuracy - ROUNDING, f"{rule}, {actual}"


def bar(task: Task) -> None:
    """The accuracy that counts as solved is better than chance, and possible."""
    actual = f"got {task.chance}, {task.bar}, {task.ceiling}"
    valid = task.chance < task.bar <= task.ceiling <= 1
    assert valid, f"chance < bar <= ceiling must hold, but {actual}"


def default_recipe(task: Task) -> None:
    """Its default recipe is legal, and equal to the recipe read from its settings."""
    try:
        default = recipe(type(task), **parameters(task))
    except RecipeError as error:
        raise AssertionError(f"the default recipe must be legal, but {error}") from error
    settings = {key: val for key, val in default.settings.items() if key != "task"}
    same = recipe(type(task), **settings).digest == default.digest
    assert same, "the recipe read from its settings must be the same, but is not"


def training(task: Task) -> None:
    """Both engines train it for an epoch with equal losses and answers."""
    small = small_recipe(task)
    if small is None:
        return  # the check `default_recipe` says what is wrong
    differences = engine_differences(small)
    assert not differences, f"both engines must train it alike: {'; '.join(differences)}"


TASK_CHECKS: dict[str, Callable[[Task], None]] = {
    check.__name__: check
    for check in (
        words, source, example, value, shapes, symbols, determinism, generators, lengths, epochs,
        leak, chance, ceiling, bar, default_recipe, training,
    )
}  # fmt: skip
