"""The checks of a task, by name, each a function that raises `AssertionError`."""

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
from pydantic import ValidationError

from lstm_bench.errors import RecipeError
from lstm_bench.recipes import recipe
from lstm_bench.sweeps import missing_parts
from lstm_bench.tasks import Task, problem_faults
from lstm_bench.testing import _agreement as alike
from lstm_bench.testing._measured import constant_shares, leaked, lookup_share, same, told_to

SEEDS = range(3)
MEASURED = range(8)
"""Seeds on which a chance is measured."""
EXACT = 1e-9
"""How far a stated ceiling may be off: by what is lost in writing it down."""


def words(task: Task) -> None:
    """It has a name, a kind, a version, and parameters that no recipe has words for already."""
    found = missing_parts(type(task))
    assert not found, f"{type(task).__name__} {found}"
    version = type(task).version
    whole = isinstance(version, int) and version >= 1
    assert whole, f"version must be a whole number from 1 on, but is {version!r}"


def source(task: Task) -> None:
    """It says where the idea is from."""
    assert task.source, "must say where the idea is from, but `source` is empty; e.g. 'folklore'"


def example(task: Task) -> None:
    """Its docstring begins with a sentence and has an example, which is true."""
    text = inspect.getdoc(type(task)) or ""
    assert text.split("\n")[0], "must have a docstring whose first line says what is asked"
    assert "->" in text, "must show a sequence and its answers in the docstring, as 0 1 1 -> 0 1 0"
    module = sys.modules.get(type(task).__module__)
    known = vars(module) if module else {type(task).__name__: type(task)}
    test = doctest.DocTestParser().get_doctest(text, dict(known), task.name, None, 0)
    assert test.examples, "must have an example in the docstring, a line that begins with >>>"
    told: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    failed = runner.run(test, out=told.append).failed
    assert not failed, f"the example in the docstring must be true, but\n{''.join(told)}"


def value(task: Task) -> None:
    """It is a frozen value: equal to itself made again, hashable, and strict."""
    kind, known = type(task), alike.parameters(task)
    assert task == kind(**known), "made again with the same parameters it must be equal, but is not"
    try:
        hash(task)
    except TypeError as error:
        raise AssertionError(f"must be hashable ({error}); use tuples, not lists") from error
    keeps = kind.model_config.get("frozen")
    assert keeps, "must not change, but model_config has no frozen=True; leave model_config alone"
    with contextlib.suppress(ValidationError):
        kind.model_validate({**known, "no_such_parameter": 1})
        raise AssertionError(
            "must refuse unknown parameters, but took no_such_parameter=1; leave model_config alone"
        )


def shapes(task: Task) -> None:
    """Inputs, targets and masks fit one another, and every sequence scores a step."""
    for seed in SEEDS:
        problem = task.problem(seed)
        found = next(problem_faults(task, problem), None)
        assert found is None, f"problem({seed}) {found}"
        for number, sequence in enumerate(problem.sequences):
            rule = f"problem({seed}): sequence {number} must score a step"
            assert sequence.scored.any(), f"{rule}, but `scored` is all False; leave it out"


def symbols(task: Task) -> None:
    """Labels differ from one another; binary targets are 0 or 1."""
    twice = sorted({label for label in task.labels if task.labels.count(label) > 1})
    assert not twice, f"labels must be distinct, but {twice} stand there twice; rename them"
    if task.symbolic or task.kind == "categorical":
        assert task.labels, "symbols need labels, but there are none; name each symbol"
    if task.kind == "binary":
        for sequence in task.problem(0).sequences:
            found = set(np.unique(sequence.targets).tolist()) - {0, 1}
            assert not found, f"binary targets must be 0 or 1, but there are {sorted(found)[:3]}"


def determinism(task: Task) -> None:
    """A seed gives the same sequences again."""
    for seed in SEEDS:
        again = type(task)(**alike.parameters(task)).problem(seed)
        alike_ = same(task.problem(seed), again) and same(task.problem(seed), again)
        rule = f"problem({seed}) must give the same sequences every time, but does not"
        assert alike_, f"{rule}; draw everything from stream(seed, 'data')"


def generators(task: Task) -> None:
    """The global random generators of NumPy and Python stay as they are."""
    with undisturbed():
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        before = _global_state()
        task.problem(0)
        rule = "must leave NumPy's and Python's global random generators alone"
        assert _global_state() == before, f"{rule}, but uses one; use stream(seed, 'data')"


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Puts the global generators back where they were."""
    kept, kept_too = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(kept)
        np.random.set_state(kept_too)  # noqa: NPY002


def _global_state() -> tuple[Any, ...]:
    numpy: Any = np.random.get_state()  # noqa: NPY002
    return random.getstate(), numpy[1].tobytes(), numpy[2:]


def lengths(task: Task) -> None:
    """Every seed gives as many sequences, of the same lengths in the same order."""
    found = {
        tuple(tuple(map(len, part)) for part in (problem.train, problem.unseen))
        for problem in map(task.problem, SEEDS)
    }
    rule = "every seed must give as many sequences, as long in the same order"
    assert len(found) == 1, f"{rule}, but seeds 0, 1 and 2 differ; a recipe is judged legal once"


def leak(task: Task) -> None:
    """No unseen sequence lies, with its answers, in one that is trained on."""
    for seed in SEEDS:
        found = leaked(task.problem(seed))
        rule = f"problem({seed}): an unseen sequence must not be part of one that is trained on"
        told = f"but {len(found)} are, e.g. unseen[{(found or [0])[0]}]"
        assert not found, f"{rule}, {told}; draw sequences that all differ, then split them"


def chance(task: Task) -> None:
    """The stated chance is what the best constant answer gets."""
    shares = constant_shares(task, [task.problem(seed) for seed in MEASURED])
    mean = float(np.mean(shares))
    # Of drawn sequences `chance` is what to expect; this is a sample of it.
    slack = 5 * float(np.std(shares, ddof=1)) / math.sqrt(len(shares)) + 1e-6
    rule = "chance must be what the best constant answer gets"
    told = f"{told_to(mean, slack)} on {len(shares)} seeds, but {task.chance:.12g} is stated"
    assert abs(task.chance - mean) <= slack, f"{rule}, {told}"


def ceiling(task: Task) -> None:
    """The stated ceiling is what a table of whole pasts gets; for drawn sequences, at most that."""
    if task.kind != "categorical":
        return  # a table is for symbols
    first, *others = map(task.problem, SEEDS)
    found = lookup_share(first)
    rule = "ceiling must be what a table of all that has been seen gets"
    told = f"{told_to(found, EXACT)}, but {task.ceiling:.12g} is stated"
    assert task.ceiling <= found + EXACT, f"{rule}, at most {told}"
    fixed = all(same(first, other) for other in others)  # else the table knows noise by heart
    assert not fixed or task.ceiling >= found - EXACT, f"{rule}, {told}"


def bar(task: Task) -> None:
    """What counts as solved is better than chance, and possible."""
    told = f"chance < bar <= ceiling must hold, but {task.chance}, {task.bar}, {task.ceiling}"
    assert task.chance < task.bar <= task.ceiling <= 1, f"{told} are stated"


def default_recipe(task: Task) -> None:
    """Its default recipe is legal, and is the same when it is read back from its settings."""
    try:
        made = recipe(type(task), **alike.parameters(task))
    except RecipeError as error:
        raise AssertionError(f"the default recipe must be legal, but {error}") from error
    known = {key: val for key, val in made.settings.items() if key != "task"}
    again = recipe(type(task), **known)
    assert again.digest == made.digest, "its recipe must be the same when read back, but is not"


def training(task: Task) -> None:
    """Both engines train it for an epoch with equal losses and answers."""
    asked = alike.small(task)
    if asked is None:
        return  # what is wrong with its recipes is for another check to say
    found = alike.differences(asked)
    assert not found, f"both engines must train it alike: {'; '.join(found)}"


TASK_CHECKS: dict[str, Callable[[Task], None]] = {
    check.__name__: check
    for check in (
        words, source, example, value, shapes, symbols, determinism, generators, lengths, leak,
        chance, ceiling, bar, default_recipe, training,
    )
}  # fmt: skip
