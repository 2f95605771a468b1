"""The checks of a task or a framing, for pytest and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from lstm_bench.errors import UserError
from lstm_bench.recipes import Framing
from lstm_bench.tasks import Task
from lstm_bench.testing._framing_checks import FRAMING_CHECKS
from lstm_bench.testing._task_checks import TASK_CHECKS


@dataclass(frozen=True)
class Check:
    """One thing that must hold of one task or framing; call it to see whether it does."""

    name: str
    of: Task | Framing
    run: Callable[[], None]

    def __call__(self) -> None:
        """Raises `AssertionError` where it does not hold."""
        self.run()

    @property
    def id(self) -> str:
        """The name of its test: `parity(length=4)-leak`."""
        fields = type(self.of).model_fields
        changed = {key: getattr(self.of, key) for key, field in fields.items()
                   if getattr(self.of, key) != field.default}  # fmt: skip
        told = ",".join(f"{key}={value}" for key, value in changed.items())
        return f"{self.of.name}{f'({told})' if told else ''}-{self.name}"


def task_checks(*tasks: Task) -> Any:
    """Returns the decorator of a test function that takes `check` and calls it, for every check.

    Raises `UserError` where pytest is missing, or what is given are not tasks.
    """
    return _parametrized("task_checks", "Parity()", Task, TASK_CHECKS, tasks)


def framing_checks(*framings: Framing) -> Any:
    """Returns the same as `task_checks`, for framings."""
    return _parametrized("framing_checks", "Pairs()", Framing, FRAMING_CHECKS, framings)


def check_task(task: Task) -> None:
    """Runs every check on `task`; raises `AssertionError` with all that do not hold."""
    _all(_checks(task, TASK_CHECKS))


def check_framing(framing: Framing) -> None:
    """Runs every check on `framing`; raises `AssertionError` with all that do not hold."""
    _all(_checks(framing, FRAMING_CHECKS))


def _checks(of: Any, checks: Mapping[str, Callable[[Any], None]]) -> Iterator[Check]:
    for name, check in checks.items():
        yield Check(name, of, partial(check, of))


def _all(checks: Iterator[Check]) -> None:
    broken = []
    for check in checks:
        try:
            check()
        except AssertionError as error:
            broken.append(f"{check.id}: {error}")
    if broken:
        raise AssertionError("\n".join(broken))


def _parametrized(
    name: str,
    example: str,
    kind: type,
    checks: Mapping[str, Callable[[Any], None]],
    given: tuple[Any, ...],
) -> Any:
    for each in given:
        if not isinstance(each, kind):
            raise UserError(f"{name}: takes values like {example}, but got {each!r}")
    if not given:
        raise UserError(f"{name}: needs at least one, e.g. @{name}({example})")
    try:
        import pytest
    except ImportError as error:
        instead = f"check_{name.removesuffix('_checks')}"
        raise UserError(
            f"{name}: needs pytest, which is not installed; `pip install pytest`, or call "
            f"`{instead}` in a script"
        ) from error
    every = [check for each in given for check in _checks(each, checks)]
    return pytest.mark.parametrize("check", every, ids=[check.id for check in every])
