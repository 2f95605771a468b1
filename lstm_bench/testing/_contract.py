"""The checks of a task, a framing or a network, with pytest and without it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from lstm_bench.errors import UserError
from lstm_bench.recipes import Framing, Recipe
from lstm_bench.tasks import Task, problem_faults
from lstm_bench.testing._framing_checks import FRAMING_CHECKS
from lstm_bench.testing._network_checks import NETWORK_CHECKS
from lstm_bench.testing._task_checks import TASK_CHECKS


@dataclass(frozen=True)
class Check:
    """One rule that a task, a framing or a network must keep; call it to check that it does."""

    name: str
    of: Task | Framing | Recipe
    run: Callable[[], None]

    def __call__(self) -> None:
        """Raises `AssertionError` if the rule is broken, or cannot be checked."""
        try:
            self.run()
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(_reason(self.of, error)) from error

    @property
    def id(self) -> str:
        """The name of its test: `parity(length=4)-leak`."""
        if isinstance(self.of, Recipe):
            return f"{self.of.network}@{self.of.task.name}-{self.name}"
        fields = type(self.of).model_fields
        values = {key: (getattr(self.of, key), field.default) for key, field in fields.items()}
        changed = ",".join(
            f"{key}={value}" for key, (value, default) in values.items() if value != default
        )
        return f"{self.of.name}{f'({changed})' if changed else ''}-{self.name}"


def _reason(of: Task | Framing | Recipe, error: Exception) -> str:
    """Returns why a check ended with another error: mostly because sequences are not valid."""
    if isinstance(of, Task):
        with contextlib.suppress(Exception):
            fault = next(problem_faults(of, of.problem(0)), None)
            if fault is not None:
                return f"problem(0) {fault}"
    return f"must be such that it can be checked, but the check raised {error!r}"


def task_checks(*tasks: Task) -> Any:
    """Returns a decorator that runs a test function once for every check of every task.

    The test function takes `check`, and calls it. Raises `UserError` if pytest is not installed, or
    if an argument is not a task.
    """
    return _parametrize("task_checks", "Parity()", Task, TASK_CHECKS, tasks)


def framing_checks(*framings: Framing) -> Any:
    """Returns the same decorator as `task_checks`, for framings."""
    return _parametrize("framing_checks", "Pairs()", Framing, FRAMING_CHECKS, framings)


def network_checks(*recipes: Recipe) -> Any:
    """Returns the same decorator as `task_checks`, for recipes with a network of your own."""
    example = "recipe('memory', network='my_network:build', stateful=False)"
    return _parametrize("network_checks", example, Recipe, NETWORK_CHECKS, recipes)


def check_network(recipe: Recipe) -> None:
    """Runs every check on the network of `recipe`, as `check_task` does."""
    _run_all(_checks(recipe, NETWORK_CHECKS))


def check_task(task: Task) -> None:
    """Runs every check on `task`; raises `AssertionError` with the messages of all that fail."""
    _run_all(_checks(task, TASK_CHECKS))


def check_framing(framing: Framing) -> None:
    """Runs every check on `framing`; raises `AssertionError` with the messages of all that fail."""
    _run_all(_checks(framing, FRAMING_CHECKS))


def _checks(of: Any, checks: Mapping[str, Callable[[Any], None]]) -> Iterator[Check]:
    for name, check in checks.items():
        yield Check(name, of, partial(check, of))


def _run_all(checks: Iterator[Check]) -> None:
    failures = []
    for check in checks:
        try:
            check()
        except AssertionError as error:
            failures.append(f"{check.id}: {error}")
    if failures:
        raise AssertionError("\n".join(failures))


def _parametrize(
    name: str,
    example: str,
    kind: type,
    checks: Mapping[str, Callable[[Any], None]],
    arguments: tuple[Any, ...],
) -> Any:
    """Returns the decorator that parametrizes a test over `checks` of every argument."""
    for argument in arguments:
        if not isinstance(argument, kind):
            raise UserError(f"{name}: takes values like {example}, but got {argument!r}")
    if not arguments:
        raise UserError(f"{name}: needs at least one argument, e.g. @{name}({example})")
    try:
        import pytest
    except ImportError as error:
        alternative = f"check_{name.removesuffix('_checks')}"
        raise UserError(
            f"{name}: needs pytest, which is not installed; `pip install pytest`, or call "
            f"`{alternative}` in a script"
        ) from error
    parameters = [check for argument in arguments for check in _checks(argument, checks)]
    return pytest.mark.parametrize("check", parameters, ids=[check.id for check in parameters])
