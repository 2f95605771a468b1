"""A task written as one function of the seed, for what needs no class."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar, cast, get_type_hints

from lstm_bench.errors import TaskError
from lstm_bench.tasks._base import Problem, Task

T = TypeVar("T")
Stated: TypeAlias = T | Callable[[Any], T]
"""A value, or a function that gives it for a task with its parameters."""

FACTS = {"kind", "version", "source", "autoregressive", "symbolic", "defaults", "tolerance"}


def task(
    *,
    chance: Stated[float],
    labels: Stated[Sequence[str]] = (),
    ceiling: Stated[float] = 1.0,
    bar: Stated[float] = 1.0,
    name: str = "",
    **facts: Any,
) -> Callable[[Callable[..., Problem]], type[Task]]:
    """Returns a decorator that makes a `Task` of a function from a seed to a `Problem`.

    The function's name is the task's, unless `name` is given; its docstring is the task's; its
    parameters after `seed`, with annotations and defaults, are the task's parameters. `labels`,
    `chance`, `ceiling` and `bar` are values, or functions of the task where they depend on its
    parameters. `facts` are the other words of a task: `source`, `kind`, `defaults`, ...

    Raises `TaskError` for a function or a fact that no task can be made of.

    >>> from lstm_bench.tasks import Sequence
    >>> @task(labels=lambda task: "0123"[: task.symbols], chance=lambda task: 1 / task.symbols)
    ... def cycle(seed: int, symbols: int = 3) -> Problem:
    ...     return Problem((Sequence.next_symbol([*range(symbols), 0]),))
    >>> cycle(symbols=4).problem(seed=0).train[0].targets
    array([1, 2, 3, 0])
    >>> cycle().chance == 1 / 3, cycle.name
    (True, 'cycle')
    """
    wrong = sorted(facts.keys() - FACTS)
    if wrong:
        known = ", ".join(sorted(FACTS))
        raise TaskError(f"@task: there is no {', '.join(wrong)}; besides the named ones: {known}")

    def made(function: Callable[..., Problem]) -> type[Task]:
        annotations, fields = _parameters(function)

        def problem(self: Task, seed: int) -> Problem:
            return function(seed, **{key: getattr(self, key) for key in annotations})

        namespace: dict[str, Any] = {
            "__module__": function.__module__,
            "__qualname__": function.__qualname__,
            "__doc__": function.__doc__,
            "__annotations__": annotations,
            "name": name or function.__name__,
            "problem": problem,
            "labels": property(lambda self: tuple(_of(self, labels))),
            "chance": property(lambda self: _of(self, chance)),
            "ceiling": property(lambda self: _of(self, ceiling)),
            "bar": property(lambda self: _of(self, bar)),
        }
        body = namespace | facts | fields
        built = types.new_class(function.__name__, (Task,), exec_body=lambda own: own.update(body))
        return cast("type[Task]", built)

    return made


def _of(task: Task, stated: Any) -> Any:
    return stated(task) if callable(stated) else stated


def _parameters(function: Callable[..., Problem]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the annotations and the defaults of a function's parameters after the seed."""
    where = f"@task: {function.__name__}"
    every = list(inspect.signature(function).parameters.values())
    if not every or every[0].default is not every[0].empty:
        raise TaskError(f"{where} must take the seed first, without a default: (seed: int, ...)")
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise TaskError(f"{where}: its annotations must be types, but: {error}") from error
    for each in every[1:]:
        named = each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
        if not named or each.name not in hints or each.default is each.empty:
            rule = "needs a name, an annotation and a default, e.g. length: int = 8"
            raise TaskError(f"{where}: each parameter after the seed {rule}, but got {each}")
    types = {each.name: hints[each.name] for each in every[1:]}
    return types, {each.name: each.default for each in every[1:]}
