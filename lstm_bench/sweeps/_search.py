"""The search of a sweep file: its options and its space, and the checks of both."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lstm_bench.errors import Fault, unknown
from lstm_bench.recipes import (
    FRAMINGS,
    Recipe,
    TaskRegistry,
    known_settings,
    unknown_task_message,
)
from lstm_bench.safety import WholeNumber, broken_rule
from lstm_bench.sweeps._entries import Entry, Scalar
from lstm_bench.sweeps._setting_values import strict_adapter
from lstm_bench.tasks import Task

ENDS = re.compile(r"\s*\[?\s*([\d.e+-]*\d)\s*(?:\.\.\.?|,|:|to|-)\s*([\d.e+-]*\d)\s*\]?\s*")
"""A range as text, such as 4..64."""


def _form(value: Any, rule: str) -> str:
    """Returns a rule for a part of a space with the range that a wrong value may stand for.

    >>> _form("4..64", "takes a range"), _form({"min": 0.1, "max": 1}, "takes a range")
    ('takes a range, as in {int: [4, 64]}', 'takes a range, as in {float: [0.1, 1]}')
    """
    ends = ["4", "64"]
    if isinstance(value, str) and (read := ENDS.fullmatch(value)):
        ends = list(read.groups())
    elif isinstance(value, Mapping):
        numbers = [str(end) for end in value.values() if type(end) in (int, float)]
        ends = numbers if len(numbers) == 2 else ends
    kind = "int" if all(re.fullmatch(r"[+-]?\d+", end) for end in ends) else "float"
    return f"{rule}, as in {{{kind}: [{', '.join(ends)}]}}"


class Range(BaseModel):
    """A range of numbers in a search space: `{int: [low, high]}` or `{float: [low, high]}`.

    With `log: true` it is searched on a logarithmic scale.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    int_: Annotated[tuple[WholeNumber, WholeNumber] | None, Field(alias="int")] = None
    float_: Annotated[tuple[float, float] | None, Field(alias="float")] = None
    log: bool = False

    @model_validator(mode="before")
    @classmethod
    def _check_form(cls, value: Any) -> Any:
        if isinstance(value, str | int | float | None):
            raise ValueError(_form(value, "takes a list of choices, or a range"))
        if isinstance(value, Mapping) and not value.keys() <= {"int", "float", "log"}:
            raise ValueError(_form(value, "takes a range with the keys int or float, and log"))
        return value

    @field_validator("int_", "float_", mode="before")
    @classmethod
    def _check_ends(cls, value: Any) -> Any:
        if value is not None and (not isinstance(value, list | tuple) or len(value) != 2):
            raise ValueError("needs the two ends of a range, [low, high]")
        return value

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if (self.int_ is None) == (self.float_ is None):
            raise ValueError("give one of int: [low, high] and float: [low, high]")
        low, high = self.bounds
        if low > high or (self.log and low <= 0):
            rule = "0 < low <= high" if self.log else "low <= high"
            repair = "; start above 0, or leave log out" if self.log and low <= high else ""
            raise ValueError(f"{rule} must hold for [low, high]{repair}")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value, both included."""
        return self.int_ or self.float_ or (0, 0)


BATCH = 8
"""The number of recipes that a search proposes at a time by default."""


class Search(BaseModel):
    """An Optuna search over recipes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: Annotated[WholeNumber, Field(ge=1, le=100_000)] = 40
    sampler: Literal["tpe", "random", "grid", "qmc", "nsga2"] = "tpe"
    objective: Literal["accuracy", "sequence_accuracy", "solve_rate", "skill"] = "accuracy"
    seed: Annotated[WholeNumber, Field(ge=0)] = 1
    startup: Annotated[WholeNumber, Field(ge=1, le=100_000)] = 16
    """Random trials before the sampler takes over; importances are estimated from them."""
    batch: Annotated[WholeNumber, Field(ge=1, le=10_000)] | None = None
    """The number of recipes proposed at a time, from the scores of all earlier batches; by default
    `BATCH`. It changes the result. Small batches learn from more scores; large ones keep more
    workers busy."""
    race: bool = True
    """Whether a trial is stopped early once it is very unlikely to beat the best one."""
    confirm: Annotated[WholeNumber, Field(ge=0, le=1000)] = 3
    """Finalists that are run again on seeds that the search never saw."""
    ablate: str = ""
    """The fixed recipe whose settings replace those of the simplest finalist, one at a time."""
    switches: tuple[str, ...] = ()
    """Settings whose effect is measured by changing them alone in random trials."""
    contexts: Annotated[WholeNumber, Field(ge=2, le=1000)] | None = None
    """Random trials in which each switch is changed; by default as many as its verdict may need."""
    split: Literal[0] | Annotated[int, Field(ge=2, le=30)] = 0
    """Draws of data, of initial weights and of sample order, crossed for the winner; 0: none."""
    space: Annotated[Mapping[str, Range | tuple[Scalar, ...]], Field(min_length=1)]

    @property
    def batch_size(self) -> int:
        """Recipes proposed at a time, whatever the number of workers."""
        return self.batch or BATCH


def search_faults(
    search: Search,
    shared: Mapping[str, Any],
    tasks: TaskRegistry,
    entries: Mapping[str, Entry],
    broken: set[str],
) -> list[Fault]:
    """Returns the faults of a search: of its space, objective, switches and ablation."""
    task = shared.get("task")
    if task is None:
        return [Fault("task", "must be given at the top of a sweep with a search: task: memory")]
    if not isinstance(task, str) or task not in tasks:
        return [Fault("task", unknown_task_message(task, tasks))]
    settings = known_settings(tasks[task])
    unknown_keys = [key for key in shared if key not in settings | {"task"}]
    faults = [Fault(key, unknown("setting", key, settings)) for key in unknown_keys]
    for key, part in search.space.items():
        if key == "seed" or key not in settings:
            message = unknown("setting to search", key, settings)
        elif key in tasks[task].not_searchable:
            message = "defines the problem, so it cannot be searched; make a sweep for each value"
        elif key in shared:
            message = "is also fixed above; keep one of the two"
        else:
            message = _part_fault(part, tasks[task], key)
            message = message or _choice_fault(part, tasks[task], key)
        if message:
            faults.append(Fault(f"search.space.{key}", message))
    if search.objective == "skill" and not tasks[task].has_baselines:
        message = f"skill is measured against baselines, but {task} has none; use accuracy"
        faults.append(Fault("search.objective", message))
    other_evaluation = shared.get("evaluation", "teacher_forced") != "teacher_forced"
    if search.objective == "skill" and (other_evaluation or "evaluation" in search.space):
        rule = "is measured in teacher forcing; leave evaluation out, or use objective: accuracy"
        faults.append(Fault("search.objective", f"skill {rule}"))
    for key in search.switches:
        part = search.space.get(key, ())
        if key not in search.space:
            message = unknown("part of the space", key, search.space)
            faults.append(Fault("search.switches", message))
        elif isinstance(part, Range) or len(part) < 2:
            rule = "needs choices to switch between, at least two"
            faults.append(Fault("search.switches", f"{key} {rule}; list them in the space"))
    if search.ablate and search.ablate not in entries:
        if search.ablate.partition("/")[0] not in broken:
            faults.append(Fault("search.ablate", unknown("recipe", search.ablate, entries)))
    elif search.ablate and entries[search.ablate].recipe.task.name != task:
        other = entries[search.ablate].recipe.task.name
        rule = f"must be a recipe of the task that is searched, {task}"
        faults.append(Fault("search.ablate", f"{rule}, but {search.ablate} is of {other}"))
    elif search.ablate and entries[search.ablate].full:
        rule = "must be a recipe that every run trains"
        faults.append(Fault("search.ablate", f"{rule}, but {search.ablate} has full: true"))
    return faults


def _part_fault(part: Range | tuple[Scalar, ...], task: type[Task], key: str) -> str:
    """Returns what is wrong with the form of a part of the space, or "" if nothing is."""
    if isinstance(part, Range):
        number_type = _number_type(task, key)
        if number_type is None:
            return "takes names and not numbers, but got a range; list the choices: [a, b]"
        if number_type is int and part.float_ is not None:
            whole = _whole_range(*part.float_, task, key)
            repair = f"int: {whole}" if whole else "int: [low, high] with two of them"
            return f"takes whole numbers, but got {{float: {list(part.float_)}}}; use {repair}"
        return ""
    # 1 and 1.0 are the same choice, but True is another one than 1.
    distinct = {(isinstance(value, bool), value) for value in part}
    if not part or len(distinct) < len(part):
        repair = "list each value once" if part else "list values, or give a range, {int: [4, 64]}"
        return f"choices must be distinct, and at least one, but got {list(part)}; {repair}"
    return ""


def _whole_range(low: float, high: float, task: type[Task], key: str) -> list[int]:
    """Returns the ends of a range of whole numbers that a setting can have, about as wide.

    Each end is rounded outwards if that is legal, else inwards. Empty if neither is legal.
    """

    def legal(ends: Sequence[int]) -> list[int]:
        return [end for end in ends if not _choice_fault((end,), task, key)]

    lowest = legal([math.floor(low), math.ceil(low)])
    highest = legal([math.ceil(high), math.floor(high)])
    ends = [*lowest[:1], *highest[:1]]
    return ends if len(ends) == 2 and ends[0] <= ends[1] else []


def _choice_fault(part: Range | tuple[Scalar, ...], task: type[Task], key: str) -> str:
    """Returns a message for the first choice that is illegal with any other settings, or ""."""
    models: tuple[type[BaseModel], ...] = (task, Recipe, *FRAMINGS.values())
    field = next((m.model_fields[key] for m in models if key in m.model_fields), None)
    for value in () if isinstance(part, Range) else part:
        if key == "framing" and value not in FRAMINGS:
            return unknown("framing", value, FRAMINGS)
        if key == "framing" or field is None:
            continue
        try:
            strict_adapter(field).validate_python(value)
        except ValidationError as error:
            rules = " or ".join(dict.fromkeys(broken_rule(dict(item)) for item in error.errors()))
            return f"{rules}, but one of the choices is {value!r}"
    return ""


def _number_type(task: type[Task], key: str) -> type | None:
    """Returns the type of number that a setting takes; None if it takes names or true and false.

    >>> from lstm_bench.tasks import BUILT_IN
    >>> _number_type(BUILT_IN["memory"], "batch_size"), _number_type(BUILT_IN["memory"], "stateful")
    (<class 'int'>, None)
    """
    models: tuple[type[BaseModel], ...] = (Recipe, task, *FRAMINGS.values())
    unresolved: list[Any] = [model.model_fields[key].annotation for model in models
                             if key in model.model_fields]  # fmt: skip
    types = set()
    while unresolved:
        annotation = unresolved.pop()
        if get_origin(annotation) in (Union, UnionType, Annotated):
            unresolved += get_args(annotation)
        else:
            types.add(annotation)
    return next((number for number in (float, int) if number in types), None)
