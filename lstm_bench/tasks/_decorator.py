"""The decorator `task`, which makes a task from a function of the seed."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast, get_args, get_type_hints

import numpy as np

from lstm_bench.errors import TaskError, unknown
from lstm_bench.safety import shown_value
from lstm_bench.statistics import Kind
from lstm_bench.tasks._base import Problem, Task

T = TypeVar("T")
ValueOrFunction: TypeAlias = T | Callable[[Any], T]
"""A value, or a function that computes the value from a task and its parameters."""


def task(
    function: None = None,
    /,
    *,
    chance: ValueOrFunction[float] | None = None,
    labels: ValueOrFunction[Sequence[str]] = (),
    ceiling: ValueOrFunction[float] = 1.0,
    bar: ValueOrFunction[float] = 1.0,
    name: str = "",
    **class_variables: Any,
) -> Callable[[Callable[..., Problem]], type[Task]]:
    """Returns a decorator that makes a `Task` from a function that returns a `Problem` for a seed.

    The task has the name of the function, unless `name` is given, and its docstring. The parameters
    of the task are the function's parameters after `seed`, with their annotations and defaults.
    `labels`, `chance`, `ceiling` and `bar` are values, or functions of the task if they depend on
    its parameters. `class_variables` are further class variables of a task: `source`, `kind`,
    `defaults`, ...

    Raises `TaskError` for a wrong signature, for an unknown class variable or one of another type,
    and if `chance`, the only required argument, is missing.

    >>> from lstm_bench.tasks import Sequence
    >>> @task(labels=lambda task: "0123"[: task.symbols], chance=lambda task: 1 / task.symbols)
    ... def cycle(seed: int, symbols: int = 3) -> Problem:
    ...     return Problem((Sequence.next_symbol([*range(symbols), 0]),))
    >>> cycle(symbols=4).problem(seed=0).train[0].targets
    array([1, 2, 3, 0])
    >>> cycle().chance == 1 / 3, cycle.name
    (True, 'cycle')
    """
    if function is not None:
        raise TaskError(f"@task: must be called, as in @task(chance=0.5), but {_alone(function)}")
    if chance is None:
        raise TaskError("@task: chance must be given, as in @task(chance=0.5), but got nothing")
    rates = {"chance": chance, "ceiling": ceiling, "bar": bar}
    _check_types({"name": name, "labels": labels, **rates, **class_variables})

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


def _alone(given: object) -> str:
    """Returns what was given in place of the arguments, as the end of a sentence."""
    if inspect.isfunction(given):
        return f"stands alone over {given.__name__} in line {given.__code__.co_firstlineno}"
    return f"got {shown_value(given)}"


def _check_types(given: Mapping[str, Any]) -> None:
    """Raises `TaskError` for an unknown argument, or a value of a wrong type."""
    for key, value in given.items():
        if key not in RULES:
            raise TaskError(f"@task: {unknown('argument', key, RULES)}")
        rule, holds = RULES[key]
        if not holds(value):
            raise TaskError(f"@task: {key} must be {rule}, but got {shown_value(value)}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _is_text_list(value: object) -> bool:
    listed = isinstance(value, Sequence | np.ndarray)
    return listed and all(isinstance(label, str) for label in cast("Sequence[object]", value))


Rule: TypeAlias = tuple[str, Callable[[Any], bool]]
RATE: Rule = (
    "a share from 0 to 1, or a function of the task",
    lambda v: callable(v) or _is_number(v),
)
RULES: Mapping[str, Rule] = {
    "name": ("text", lambda v: isinstance(v, str)),
    "labels": (
        "text, a list of texts, or a function of the task",
        lambda v: callable(v) or _is_text_list(v),
    ),
    "chance": RATE,
    "ceiling": RATE,
    "bar": RATE,
    "kind": (
        f"one of {', '.join(get_args(Kind))}",
        lambda v: isinstance(v, str) and v in get_args(Kind),
    ),
    "version": ("a whole number", lambda v: isinstance(v, int) and not isinstance(v, bool)),
    "source": ("text", lambda v: isinstance(v, str)),
    "autoregressive": ("True or False", lambda v: isinstance(v, bool)),
    "symbolic": ("True or False", lambda v: isinstance(v, bool)),
    "defaults": (
        "a mapping of settings, e.g. {'units': 8}",
        lambda v: isinstance(v, Mapping) and all(isinstance(key, str) for key in v),
    ),
    "tolerance": ("a number from 0 on", lambda v: _is_number(v) and v >= 0),
}
"""For each argument of `task`: what it must be, and a check of a value."""


def _value(task: Task, given: Any) -> Any:
    return given(task) if callable(given) else given


def _parameters(function: Callable[..., Problem]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the annotations and the defaults of a function's parameters after the seed."""
    if not callable(function) or not hasattr(function, "__name__"):
        rule = "must decorate a function of the seed, def name(seed: int, ...)"
        raise TaskError(f"@task: {rule}, but got {shown_value(function)}")
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
