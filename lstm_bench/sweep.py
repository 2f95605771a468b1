"""A sweep, read from a YAML file: fixed recipes with their published figures, a search, or both.

::

    title: The memory problem
    task: memory                  # settings outside `recipes` and `search` hold for all of them
    seeds: 10
    recipes:
      A1: {published: all 8 steps right}
      A2: {base: A1, batch_size: 4, published: never converges}
    search:
      trials: 40
      space:
        units: {int: [4, 32], log: true}
        stateful: [true, false]
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lstm_bench.errors import Fault, RecipeError, SweepError, UserError, unknown
from lstm_bench.faults import pydantic_faults
from lstm_bench.recipe import Recipe, known_settings, recipe
from lstm_bench.tasks import TASKS

Scalar = bool | int | float | str


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
            raise ValueError(f"{rule} must hold for [low, high]")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value, both included."""
        return self.int_ or self.float_ or (0, 0)


class Search(BaseModel):
    """An Optuna search over recipes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: Annotated[int, Field(ge=1, le=100_000)] = 40
    sampler: Literal["tpe", "random"] = "tpe"
    objective: Literal["accuracy", "sequence_accuracy", "solve_rate"] = "accuracy"
    seed: Annotated[int, Field(ge=0)] = 1
    space: Annotated[Mapping[str, Range | tuple[Scalar, ...]], Field(min_length=1)]


class Entry(BaseModel):
    """A fixed recipe of a sweep, and what was published about it."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    recipe: Recipe
    published: str = ""
    accuracy: float | None = None
    """The published figure as a step accuracy in [0, 1], where there is one."""
    note: str = ""


class Sweep(BaseModel):
    """A checked sweep. `settings` are the shared ones, `entries` the fixed recipes by id."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str
    title: str = ""
    about: str = ""
    seeds: Annotated[int, Field(ge=1, le=10_000)] = 10
    first_seed: Annotated[int, Field(ge=0)] = 0
    settings: Mapping[str, Any] = {}
    entries: Mapping[str, Entry] = {}
    search: Search | None = None

    @property
    def seed_list(self) -> list[int]:
        """The seeds that every recipe runs on."""
        return list(range(self.first_seed, self.first_seed + self.seeds))

    @property
    def digest(self) -> str:
        """Changes with anything that changes a result; more trials or more seeds do not."""
        entries = {key: entry.recipe.digest for key, entry in self.entries.items()}
        search = self.search.model_dump(mode="json", exclude={"trials"}) if self.search else None
        parts = [self.name, self.first_seed, dict(self.settings), entries, search]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


_OWN = set(Sweep.model_fields) - {"name", "settings", "entries"} | {"recipes"}
"""Keys of a sweep file that are not settings."""

RESERVED = {"published", "accuracy", "note", "base"}
"""Keys of a fixed recipe that are not settings."""


def find(name: str, folder: Path = Path("sweeps")) -> Path:
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


def assignments(words: Sequence[str]) -> dict[str, Any]:
    """Returns `key=value` words as a mapping, with YAML's types and `1e-4` a number.

    >>> assignments(["units=20", "stateful=true", "learning_rate=1e-4"])
    {'units': 20, 'stateful': True, 'learning_rate': 0.0001}
    """
    for word in words:
        key, equals, _ = word.partition("=")
        if not equals or not key:
            raise SweepError(f"{word!r}: settings are given as key=value, e.g. units=20")
    try:
        found = OmegaConf.to_container(OmegaConf.from_dotlist(list(words)), resolve=True)
    except (yaml.YAMLError, OmegaConfBaseException, ValueError) as error:
        shown = " ".join(words)
        raise SweepError(f"{shown}: is not key=value ({' '.join(str(error).split())})") from error
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def load(path: Path, overrides: Sequence[str] = ()) -> Sweep:
    """Returns the sweep in the file at `path`, with `key=value` overrides laid over it.

    Raises `SweepError` that names the file and every wrong key.
    """
    given = assignments(overrides)
    try:
        document = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except (OSError, UnicodeDecodeError) as error:
        raise SweepError(f"{path}: cannot be read ({error})") from error
    except (yaml.YAMLError, OmegaConfBaseException, ValueError, RecursionError) as error:
        raise SweepError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not document:
        raise SweepError(f"{path}: must be a mapping of keys to values, e.g. 'task: memory'")
    try:
        return parse(path.stem, _laid_over(document, given))
    except UserError as error:
        lines = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise SweepError(f"{path}:\n{lines}") from error


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
    own = _OWN - {"recipes"}
    shared = {key: value for key, value in document.items() if key not in _OWN}
    known = _OWN.union({"task"}, *(known_settings(task) for task in TASKS.values()))
    faults = [
        Fault(k, unknown("setting or part of a sweep", k, known)) for k in shared.keys() - known
    ]
    shared = {key: value for key, value in shared.items() if key in known}
    entries = _entries(document.get("recipes", {}), shared, faults)
    fields = {key: value for key, value in document.items() if key in own}
    if not document.get("recipes") and "search" not in fields:
        faults.append(Fault("recipes", "a sweep needs recipes, a search, or both, but has neither"))
    sweep = None
    try:
        sweep = Sweep(name=name, settings=shared, entries=entries, **fields)
    except ValidationError as error:
        faults += pydantic_faults(error, fields)
    if sweep is not None and sweep.search is not None:
        faults += _space_faults(sweep.search, shared)
    elif not entries and not faults:
        faults.append(Fault("recipes", "none were given"))
    if faults or sweep is None:
        raise RecipeError(faults)
    return sweep


def _entries(given: object, shared: Mapping[str, Any], faults: list[Fault]) -> dict[str, Entry]:
    if not isinstance(given, Mapping):
        faults.append(Fault("recipes", f"must map ids to settings, but got {given!r}"))
        return {}
    entries: dict[str, Entry] = {}
    resolved: dict[str, dict[str, Any]] = {}
    for key, value in ((str(key), value) for key, value in given.items()):
        if value is not None and not isinstance(value, Mapping):
            faults.append(Fault(f"recipes.{key}", f"must be a mapping, but got {value!r}"))
            continue
        own = {str(k): v for k, v in (value or {}).items()}
        base = own.get("base")
        if base is not None and str(base) not in resolved:
            known = unknown("recipe above this one", base, resolved)
            faults.append(Fault(f"recipes.{key}.base", known))
            continue
        settings = {k: v for k, v in own.items() if k not in RESERVED}
        inherited = resolved[str(base)] if base is not None else dict(shared)
        resolved[key] = overlay(inherited, settings)
        try:
            built = recipe(**_named(resolved[key]))
            facts = {k: own[k] for k in RESERVED - {"base"} if k in own}
            entries[key] = Entry(recipe=built, **facts)
        except RecipeError as error:
            faults += [Fault(f"recipes.{key}.{fault.key}", fault.message) for fault in error.faults]
        except ValidationError as error:
            found = pydantic_faults(error, own)
            faults += [Fault(f"recipes.{key}.{fault.key}", fault.message) for fault in found]
    return entries


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `above` over `below`; inherited settings that no longer apply are dropped.

    A task or framing that `above` changes takes its inherited parameters with it, and so does
    `stateful: false` with `layout` and `reset`.

    >>> overlay({"stateful": True, "layout": "streams"}, {"stateful": False})
    {'stateful': False}
    """
    from lstm_bench.framings import FRAMINGS

    kept = dict(below)
    if "framing" in above:
        framing = FRAMINGS.get(str(above["framing"]))
        fields = set(framing.model_fields) if framing else set()
        for other in FRAMINGS.values():
            for key in set(other.model_fields) - fields:
                kept.pop(key, None)
    if above.get("stateful") is False:
        kept.pop("layout", None)
        kept.pop("reset", None)
    return kept | dict(above)


def _named(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `settings` with a task name that `recipe` can refuse where there is none."""
    return {"task": settings.get("task", ""), **settings}


def _space_faults(search: Search, shared: Mapping[str, Any]) -> list[Fault]:
    """Returns what is wrong with the keys and values of a search space."""
    task = shared.get("task")
    if not isinstance(task, str) or task not in TASKS:
        return [Fault("task", unknown("task", task or "", TASKS))]
    known = known_settings(TASKS[task])
    found = [
        Fault(key, unknown("setting", key, known)) for key in shared if key not in known | {"task"}
    ]
    for key, part in search.space.items():
        if key == "seed" or key not in known:
            found.append(Fault(f"search.space.{key}", unknown("setting to search", key, known)))
        elif key in shared:
            found.append(Fault(f"search.space.{key}", "is also fixed above; keep one of the two"))
        elif isinstance(part, tuple) and (not part or len(set(map(repr, part))) < len(part)):
            found.append(Fault(f"search.space.{key}", "choices must be distinct, and at least one"))
    return found
