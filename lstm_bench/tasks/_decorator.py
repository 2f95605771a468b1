"""The decorator `task`, which makes a task from a function of the seed."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar, cast, get_type_hints

from lstm_bench.errors import TaskError
from lstm_bench.tasks._base import Problem, Task

T = TypeVar("T")
ValueOrFunction: TypeAlias = T | Callable[[Any], T]
"""A value, or a function that computes it from a task, whose parameters it may use."""

CLASS_VARIABLES = {
    "kind",
    "version",
    "source",
    "autoregressive",
    "symbolic",
    "defaults",
    "tolerance",
}


def task(
    *,
    chance: ValueOrFunction[float],
    labels: ValueOrFunction[Sequence[str]] = (),
    ceiling: ValueOrFunction[float] = 1.0,
    bar: ValueOrFunction[float] = 1.0,
    name: str = "",
    **class_variables: Any,
) -> Callable[[Callable[..., Problem]], type[Task]]:
    """Returns a decorator that makes a `Task` from a function that returns a `Problem` for a seed.

    The task's name is the function's name, unless `name` is given; its docstring is the function's;
    its parameters are the function's parameters after `seed`, with annotations and defaults.
    `labels`, `chance`, `ceiling` and `bar` are values, or functions of the task if they depend on
    its parameters. `class_variables` are further class variables of a task: `source`, `kind`,
    `defaults`, ...

    Raises `TaskError` for a wrong signature or an unknown class variable.

    >>> from lstm_bench.tasks import Sequence
    >>> @task(labels=lambda task: "0123"[: task.symbols], chance=lambda task: 1 / task.symbols)
    ... def cycle(seed: int, symbols: int = 3) -> Problem:
    ...     return Problem((Sequence.next_symbol([*range(symbols), 0]),))
    >>> cycle(symbols=4).problem(seed=0).train[0].targets
    array([1, 2, 3, 0])
    >>> cycle().chance == 1 / 3, cycle.name
    (True, 'cycle')
    """
    wrong = sorted(class_variables.keys() - CLASS_VARIABLES)
    if wrong:
        known = ", ".join(sorted({"chance", "labels", "ceiling", "bar", "name"} | CLASS_VARIABLES))
        raise TaskError(f"@task: there is no {', '.join(wrong)} (known: {known}); correct the name")

    def decorate(function: Callable[..., Problem]) -> type[Task]:
        annotations, defaults = _parameters(function)

        def problem(self: Task, seed: int) -> Problem:
            return function(seed, **{key: getattr(self, key) for key in annotations})

        namespace: dict[str, Any] = {
            "__module__": function.__module__,
            "__qualname__": function.__qualname__,
            "__doc__": function.__doc__,
            "__annotations__": annotations,
            "name": name or function.__name__,
            "problem": problem,
            "labels": property(lambda self: tuple(_value(self, labels))),
            "chance": property(lambda self: _value(self, chance)),
            "ceiling": property(lambda self: _value(self, ceiling)),
            "bar": property(lambda self: _value(self, bar)),
        }
        namespace |= class_variables | defaults
        task_class = types.new_class(
            function.__name__, (Task,), exec_body=lambda body: body.update(namespace)
        )
        return cast("type[Task]", task_class)

    return decorate


def _value(task: Task, given: Any) -> Any:
    return given(task) if callable(given) else given


def _parameters(function: Callable[..., Problem]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the annotations and the defaults of a function's parameters after the seed."""
    where = f"@task: {function.__name__}"
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].default is not inspect.Parameter.empty:
        raise TaskError(f"{where} must take the seed first, without a default: (seed: int, ...)")
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise TaskError(f"{where}: its annotations must be types, but: {error}") from error
    for parameter in parameters[1:]:
        named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if not named or parameter.name not in hints or parameter.default is parameter.empty:
            rule = "needs a name, an annotation and a default, e.g. length: int = 8"
            raise TaskError(f"{where}: each parameter after the seed {rule}, but got {parameter}")
    annotations = {parameter.name: hints[parameter.name] for parameter in parameters[1:]}
    return annotations, {parameter.name: parameter.default for parameter in parameters[1:]}
