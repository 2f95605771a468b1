"""A sweep, read from a YAML file: fixed recipes with their published figures, a search, or both.

::

    title: The memory problem
    task: memory                  # settings outside `recipes` and `search` hold for all of them
    seeds: 10
    recipes:
      A1: {published: all 8 steps right}
      A2: {base: A1, batch_size: 4, published: never converges, claim: never}
      A10: {over: {lag: [4, 8, 16]}, updates: 2000}     # A10/4, A10/8, A10/16
    refused:                      # shown to be illegal, with the reason
      D3: {stateful: true, shuffle: samples, published: meaningless}
    metrics: [macro_f1]           # further columns
    comparisons:
      A2 against A1: {of: A2, to: A1, measure: solve_rate}
    search:
      trials: 40
      space:
        units: {int: [4, 32], log: true}
        stateful: [true, false]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from lstm_bench.data import completed_sweep, default_name, default_search
from lstm_bench.errors import Fault, RecipeError, SweepError, UserError, unknown
from lstm_bench.recipes import (
    FRAMINGS,
    TASKS,
    Recipe,
    files_outside,
    known_settings,
    unknown_task_message,
)
from lstm_bench.safety import broken_rule, check_yaml, pydantic_faults, read_yaml
from lstm_bench.statistics import METRICS, Comparison, Kind
from lstm_bench.sweeps._entries import Entry, Illegal, Scalar, read_entries, read_refused
from lstm_bench.tasks import Task


class Range(BaseModel):
    """A numeric part of a space: `{int: [low, high]}` or `{float: [low, high], log: true}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    int_: Annotated[tuple[int, int] | None, Field(alias="int")] = None
    float_: Annotated[tuple[float, float] | None, Field(alias="float")] = None
    log: bool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
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
        """Lowest and highest value, both included."""
        return self.int_ or self.float_ or (0, 0)


class Search(BaseModel):
    """An Optuna search over recipes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: Annotated[int, Field(ge=1, le=100_000)] = 40
    sampler: Literal["tpe", "random", "grid", "qmc", "nsga2"] = "tpe"
    objective: Literal["accuracy", "sequence_accuracy", "solve_rate", "skill"] = "accuracy"
    seed: Annotated[int, Field(ge=0)] = 1
    startup: Annotated[int, Field(ge=1, le=100_000)] = 16
    """Trials drawn at random before the sampler takes over: what importances are told from."""
    race: bool = True
    """Whether a trial is stopped when its chance of beating the best has gone."""
    confirm: Annotated[int, Field(ge=0, le=1000)] = 3
    """Finalists that are run again on seeds that the search never saw."""
    ablate: str = ""
    """The fixed recipe to whose settings the simplest one is put back, one by one."""
    switches: tuple[str, ...] = ()
    """Settings whose effect is measured by changing them alone in random trials."""
    contexts: Annotated[int, Field(ge=2, le=1000)] = 12
    """Random trials in which each switch is changed."""
    split: Literal[0] | Annotated[int, Field(ge=2, le=30)] = 0
    """Draws of data, of initial weights and of order that are crossed for the winner; 0: none."""
    space: Annotated[Mapping[str, Range | tuple[Scalar, ...]], Field(min_length=1)]


class Sweep(BaseModel):
    """A checked sweep. `settings` are the shared ones, `entries` the fixed recipes by id."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str
    title: str = ""
    about: str = ""
    seeds: Annotated[int, Field(ge=1, le=10_000)] = 10
    first_seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    time_limit: Annotated[float | None, Field(gt=0, allow_inf_nan=False)] = None
    """Seconds that a recipe may take, all its seeds together; one that takes longer has failed."""
    settings: Mapping[str, Any] = {}
    entries: Mapping[str, Entry] = {}
    refused: Mapping[str, Illegal] = {}
    comparisons: Mapping[str, Comparison] = {}
    metrics: tuple[str, ...] = ()
    search: Search | None = None

    @property
    def seed_list(self) -> list[int]:
        """The seeds that every recipe runs on."""
        return list(range(self.first_seed, self.first_seed + self.seeds))

    def other_seeds(self, block: int) -> tuple[int, ...]:
        """Returns as many seeds of another block: however many there are, none is in two blocks."""
        return tuple(seed + block * BLOCK for seed in self.seed_list)


BLOCK = 10_000
"""How far blocks of seeds are apart: no sweep may have more seeds."""

_OWN = set(Sweep.model_fields) - {"name", "settings", "entries"} | {"recipes"}
"""Keys of a sweep file that are not settings."""


def find_sweep(name: str, folder: Path = Path("sweeps")) -> Path:
    """Returns the file of the sweep `name`: a path, or a name in `folder`."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        if path.is_file():
            return path
        raise SweepError(f"sweep: there is no file {name!r}")
    known = sorted(p.stem for p in folder.glob("*.yaml"))
    if name not in known:
        raise SweepError(f"sweep: {unknown('sweep', name, known)} in {folder}/")
    return folder / f"{name}.yaml"


def parse_assignments(words: Sequence[str]) -> dict[str, Any]:
    """Returns `key=value` words as a mapping, with YAML's types and `1e-4` a number.

    >>> parse_assignments(["units=20", "stateful=true", "learning_rate=1e-4"])
    {'units': 20, 'stateful': True, 'learning_rate': 0.0001}
    """
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise SweepError(f"{word!r}: settings are given as key=value, e.g. units=20")
        try:
            check_yaml(value)
        except SweepError as error:
            raise SweepError(f"{word[:80]}: is not key=value ({error})") from error
    try:
        found = OmegaConf.to_container(OmegaConf.from_dotlist(list(words)))
    except (yaml.YAMLError, OmegaConfBaseException, ValueError) as error:
        shown = " ".join(words)
        raise SweepError(f"{shown}: is not key=value ({' '.join(str(error).split())})") from error
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def load_sweep(path: Path, overrides: Sequence[str] = ()) -> Sweep:
    """Returns the sweep in the file at `path`, with `key=value` overrides laid over it.

    Raises `SweepError` that names the file and every wrong key.
    """
    given = parse_assignments(overrides)
    document = read_yaml(path)
    if not isinstance(document, dict) or not document:
        raise SweepError(f"{path}: must be a mapping of keys to values, e.g. 'task: memory'")
    try:
        astray = files_outside(_laid_over(document, {}), Path())
        if astray:
            raise RecipeError(astray)
        return parse(path.stem, _laid_over(document, given))
    except UserError as error:
        lines = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise SweepError(f"{path}:\n{lines}") from error


def sweep_over_file(settings: Mapping[str, Any], overrides: Sequence[str] = ()) -> Sweep:
    """Returns the usual sweep over a file of data, with `key=value` overrides laid over it.

    `settings` are those of the task `csv`. Raises `SweepError` with everything that is wrong.
    """
    given = parse_assignments(overrides)
    document = {"task": "csv", "seeds": 10, **settings}
    try:
        asked = document | {key: own for key, own in given.items() if key != "search"}
        return parse(
            default_name(asked), _laid_over(document | {"search": default_search(asked)}, given)
        )
    except UserError as error:
        faults = error.faults if isinstance(error, RecipeError) else ()
        own = faults and all(fault.key.partition(".")[0] in given for fault in faults)
        raise SweepError(str(error) if own else f"--csv: {error}") from error


def _laid_over(below: Mapping[Any, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `above` over `below`, mapping by mapping; lists and single values replace.

    >>> _laid_over({"space": {"units": {"int": [1, 9]}}}, {"space": {"units": [4, 8]}})
    {'space': {'units': [4, 8]}}
    """
    merged = {str(key): value for key, value in below.items()}
    for key, value in above.items():
        known = merged.get(key)
        if isinstance(value, Mapping) and isinstance(known, Mapping):
            merged[key] = _laid_over(known, value)
        else:
            merged[key] = value
    return merged


def parse(name: str, document: Mapping[str, Any]) -> Sweep:
    """Returns the sweep that `document` describes; raises `RecipeError` with every fault."""
    document = completed_sweep(document)
    own = _OWN - {"recipes"}
    shared = {key: value for key, value in document.items() if key not in _OWN}
    known = _OWN.union({"task", "updates"}, *(known_settings(task) for task in TASKS.values()))
    faults = [
        Fault(k, unknown("setting or part of a sweep", k, known)) for k in shared.keys() - known
    ]
    if "updates" in shared and ("epochs" in shared or "search" in document):
        rule = "stands in place of epochs for fixed recipes, so neither epochs nor a search"
        faults.append(Fault("updates", f"{rule} may be beside it; set it in each recipe"))
        del shared["updates"]
    shared = {key: value for key, value in shared.items() if key in known}
    listed = {} if document.get("recipes") is None else document["recipes"]
    entries, broken = read_entries(listed, shared, faults, "search" in document)
    fields = {key: value for key, value in document.items() if key in own}
    fields["refused"] = read_refused(document.get("refused", {}), shared, faults)
    if listed == {} and "search" not in fields:
        faults.append(Fault("recipes", "a sweep needs recipes, a search, or both, but has neither"))
    sweep = None
    try:
        sweep = Sweep(name=name, settings=shared, entries=entries, **fields)
        faults += _comparison_faults(sweep.comparisons, entries, broken)
        faults += _metric_faults(sweep.metrics, {e.recipe.task.kind for e in entries.values()})
    except ValidationError as error:
        faults += pydantic_faults(error, fields, Sweep)
    if sweep is not None and sweep.search is not None:
        faults += _space_faults(sweep.search, shared, entries, broken)
    elif not entries and not faults:
        faults.append(Fault("recipes", "none were given"))
    if faults or sweep is None:
        raise RecipeError(faults)
    return sweep


def _metric_faults(metrics: Sequence[str], kinds: set[Kind]) -> list[Fault]:
    """Returns which metrics no recipe has, or are named twice."""
    known = set().union(*(METRICS[kind] for kind in kinds or METRICS))
    found = [Fault("metrics", unknown("metric", m, known)) for m in metrics if m not in known]
    twice = sorted({name for name in metrics if metrics.count(name) > 1})
    return found + [Fault("metrics", f"{name} is named twice") for name in twice]


def _comparison_faults(
    comparisons: Mapping[str, Comparison], entries: Mapping[str, Entry], broken: set[str]
) -> list[Fault]:
    """Returns which comparisons name no recipe, or one recipe twice."""
    found = []
    for name, asked in comparisons.items():
        for key, id_ in (("of", asked.of), ("to", asked.to)):
            # What is wrong with a recipe is said already; that it is missing would be no news.
            if id_ not in entries and id_.partition("/")[0] not in broken:
                message = unknown("recipe", id_, entries)
                found.append(Fault(f"comparisons.{name}.{key}", message))
        if asked.of == asked.to:
            message = f"must be another recipe than `of`, but both are {asked.to!r}"
            found.append(Fault(f"comparisons.{name}.to", message))
        both = [entries[key].recipe.digest for key in (asked.of, asked.to) if key in entries]
        if asked.of != asked.to and len(both) == 2 and both[0] == both[1]:
            message = f"{asked.of} and {asked.to} are one recipe under two names; name another"
            found.append(Fault(f"comparisons.{name}.to", message))
        if asked.margin is not None and not 0 < asked.margin < math.inf:
            message = f"must be above 0 and finite, but got {asked.margin!r}"
            found.append(Fault(f"comparisons.{name}.margin", message))
    return found


def _space_faults(
    search: Search, shared: Mapping[str, Any], entries: Mapping[str, Entry], broken: set[str]
) -> list[Fault]:
    """Returns what is wrong with a search's space, and with what it asks for afterwards."""
    task = shared.get("task")
    if not isinstance(task, str) or task not in TASKS:
        return [Fault("task", unknown_task_message(task or ""))]
    known = known_settings(TASKS[task])
    found = [
        Fault(key, unknown("setting", key, known)) for key in shared if key not in known | {"task"}
    ]
    for key, part in search.space.items():
        if key == "seed" or key not in known:
            message = unknown("setting to search", key, known)
        elif key in TASKS[task].asking:
            message = "says what is asked, so it cannot be searched; make a sweep for each value"
        elif key in shared:
            message = "is also fixed above; keep one of the two"
        else:
            message = _part_fault(part, _numbers(TASKS[task], key))
            message = message or _strange(part, TASKS[task], key)
        if message:
            found.append(Fault(f"search.space.{key}", message))
    if search.objective == "skill" and not TASKS[task].has_naive:
        rule = "skill is measured against naive answers, which"
        found.append(Fault("search.objective", f"{rule} {task} has none of; use accuracy"))
    otherwise = shared.get("evaluation", "teacher_forced") != "teacher_forced"
    if search.objective == "skill" and (otherwise or "evaluation" in search.space):
        rule = "is measured in teacher forcing; leave evaluation out, or use objective: accuracy"
        found.append(Fault("search.objective", f"skill {rule}"))
    for key in search.switches:
        part = search.space.get(key, ())
        if key not in search.space:
            message = unknown("part of the space", key, search.space)
            found.append(Fault("search.switches", message))
        elif isinstance(part, Range) or len(part) < 2:
            rule = "needs choices to switch between, at least two"
            found.append(Fault("search.switches", f"{key} {rule}; list them in the space"))
    if search.ablate and search.ablate not in entries:
        if search.ablate.partition("/")[0] not in broken:
            found.append(Fault("search.ablate", unknown("recipe", search.ablate, entries)))
    elif search.ablate and entries[search.ablate].recipe.task.name != task:
        other = entries[search.ablate].recipe.task.name
        rule = f"must be a recipe of the task that is searched, {task}"
        found.append(Fault("search.ablate", f"{rule}, but {search.ablate} is of {other}"))
    return found


def _part_fault(part: Range | tuple[Scalar, ...], taken: type | None) -> str:
    """Returns what is wrong with a part of a space, where the setting takes such numbers."""
    if isinstance(part, Range):
        if taken is None:
            return "takes names and not numbers, but got a range; list the choices: [a, b]"
        if taken is int and part.float_ is not None:
            whole = [math.floor(part.float_[0]), math.ceil(part.float_[1])]
            return f"takes whole numbers, but got {{float: {list(part.float_)}}}; use int: {whole}"
        return ""
    # 1 and 1.0 are one number, but True is none.
    same = {(isinstance(value, bool), value) for value in part}
    if not part or len(same) < len(part):
        return "choices must be distinct, and at least one"
    return ""


def _strange(part: Range | tuple[Scalar, ...], task: type[Task], key: str) -> str:
    """Returns which choice a setting does not know at all, whatever stands beside it."""
    models: tuple[type[BaseModel], ...] = (task, Recipe, *FRAMINGS.values())
    field = next((m.model_fields[key] for m in models if key in m.model_fields), None)
    for value in () if isinstance(part, Range) else part:
        if key == "framing" and value not in FRAMINGS:
            return unknown("framing", value, FRAMINGS)
        if key == "framing" or field is None:
            continue
        known: Any = (
            Annotated[field.annotation, *field.metadata] if field.metadata else (field.annotation)
        )
        try:
            TypeAdapter(known).validate_python(value, strict=True)
        except ValidationError as error:
            told = " or ".join(dict.fromkeys(broken_rule(dict(item)) for item in error.errors()))
            return f"{told}, but one of the choices is {value!r}"
    return ""


def _numbers(task: type[Task], key: str) -> type | None:
    """Returns which numbers a setting takes: int, float, or None for names and switches.

    >>> _numbers(TASKS["memory"], "batch_size"), _numbers(TASKS["memory"], "stateful")
    (<class 'int'>, None)
    """
    models: tuple[type[BaseModel], ...] = (Recipe, task, *FRAMINGS.values())
    open_: list[Any] = [model.model_fields[key].annotation for model in models
                        if key in model.model_fields]  # fmt: skip
    taken = set()
    while open_:
        annotation = open_.pop()
        if get_origin(annotation) in (Union, UnionType, Annotated):
            open_ += get_args(annotation)
        else:
            taken.add(annotation)
    return next((number for number in (float, int) if number in taken), None)
