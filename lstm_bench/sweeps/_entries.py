"""The fixed recipes of a sweep file: inherited from one another, and spread over an axis.

::

    A10: {task: memory, over: {lag: [4, 8, 16]}, updates: 2000}

stands for the recipes `A10/4`, `A10/8` and `A10/16`, each with as many epochs as 2000 updates take.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lstm_bench.errors import Fault, RecipeError, unknown
from lstm_bench.recipes import (
    FRAMINGS,
    LEARNING_RATES,
    TASKS,
    Recipe,
    known_settings,
    recipe,
    unknown_task_message,
)
from lstm_bench.safety import pydantic_faults
from lstm_bench.statistics import Claim

Scalar = bool | int | float | str

FACTS = {"published", "accuracy", "claim", "note"}
"""Keys of a fixed recipe that say something about it."""

OF_A_SEARCH = re.compile(r"(trial|confirm|context|split)-|.*-again$")
"""The ids of the recipes that a search runs."""

RESERVED = FACTS | {"base", "over"}
"""Keys of a fixed recipe that are neither settings nor inherited."""


class Entry(BaseModel):
    """A fixed recipe of a sweep, and what was published about it."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    recipe: Recipe
    published: str = ""
    accuracy: Annotated[float | None, Field(ge=0, le=1)] = None
    """The published figure as a step accuracy in [0, 1], where there is one."""
    claim: Claim | None = None
    """What the source says of solving it: one run did, none can, every one does."""
    note: str = ""
    family: str = ""
    """The key in the sweep file that this recipe was spread from, over `axis`, to `value`."""
    axis: str = ""
    value: Scalar | None = None


class Illegal(BaseModel):
    """Settings that a sweep shows to be refused, and with which words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: str
    reason: str
    published: str = ""


@dataclass(frozen=True)
class _Variant:
    """One recipe to be: its id, and the key and value of its axis, if it has one."""

    id: str
    axis: str = ""
    value: Scalar | None = None


def read_entries(
    given: object, shared: Mapping[str, Any], faults: list[Fault], searched: bool = False
) -> tuple[dict[str, Entry], set[str]]:
    """Returns the fixed recipes by id, and the keys of those in which something is wrong.

    What is wrong is added to `faults`. `searched` says that a search will name recipes as well.
    """
    if not isinstance(given, Mapping):
        faults.append(Fault("recipes", f"must map ids to settings, but got {given!r}"))
        return {}, set()
    faults += [Fault("recipes", told) for told in _misnamed(given, searched)]
    entries: dict[str, Entry] = {}
    resolved: dict[str, dict[str, Any]] = {}
    broken: set[str] = set()
    for key, value in ((str(key), value) for key, value in given.items()):
        found: list[Fault] = []
        for variant, settings, own in _variants(key, value, shared, resolved, found):
            made = _entry(key, variant, settings, own, found)
            if variant.id in entries:
                found.append(Fault("", f"there are two recipes {variant.id!r}; rename one"))
            elif made is not None:
                entries[variant.id] = made
        # What is wrong with one member of a family is mostly wrong with all of them.
        for fault in dict.fromkeys(found):
            place = f"recipes.{key}.{fault.key}" if fault.key else f"recipes.{key}"
            faults.append(Fault(place, fault.message))
            broken.add(key)
    return entries, broken


def _misnamed(ids: Iterable[object], searched: bool) -> Iterator[str]:
    """Yields what is wrong with the ids of recipes."""
    for id_ in ids:
        if isinstance(id_, bool) or not str("" if id_ is None else id_).strip():
            yield f"an id must be a word, but got {id_!r}; write it in quotes, e.g. 'A1'"
        elif searched and OF_A_SEARCH.match(str(id_)):
            yield f"{id_!r} is what a search may call its own recipes; rename it"


def read_refused(
    given: object, shared: Mapping[str, Any], faults: list[Fault]
) -> dict[str, Illegal]:
    """Returns by id what a sweep says is refused; what is legal after all is a fault."""
    if not isinstance(given, Mapping):
        faults.append(Fault("refused", f"must map ids to settings, but got {given!r}"))
        return {}
    found = {}
    for key, value in given.items():
        if not isinstance(value, Mapping):
            faults.append(Fault(f"refused.{key}", f"must be a mapping, but got {value!r}"))
            continue
        own = {str(k): v for k, v in value.items()}
        published = str(own.pop("published", ""))
        settings = overlay_settings(shared, own)
        task = TASKS.get(str(settings.get("task")))
        known = {"task", "updates"} | (known_settings(task) if task else set())
        wrong = sorted(own.keys() - known)
        typos = [Fault(f"refused.{key}.{k}", unknown("setting", k, known)) for k in wrong]
        if task is None:
            typos = [Fault(f"refused.{key}.task", unknown_task_message(settings.get("task")))]
        if typos:
            faults += typos
            continue
        try:
            made = built(settings)
        except RecipeError as error:
            asked = " ".join(f"{k}={settings_as_text(v)}" for k, v in own.items())
            found[str(key)] = Illegal(asked=asked, reason=str(error), published=published)
            continue
        words = f"is legal ({made.name}); move it to recipes"
        faults.append(Fault(f"refused.{key}", words))
    return found


def _variants(
    key: str,
    given: object,
    shared: Mapping[str, Any],
    resolved: dict[str, dict[str, Any]],
    faults: list[Fault],
) -> Iterator[tuple[_Variant, dict[str, Any], dict[str, Any]]]:
    """Yields the recipes that `key` stands for: variant, settings, and what the file says itself.

    `resolved` gains the settings that later recipes can build on.
    """
    if given is not None and not isinstance(given, Mapping):
        faults.append(Fault("", f"must be a mapping, but got {given!r}"))
        return
    own = {str(k): v for k, v in (given or {}).items()}
    base = own.get("base")
    if base is not None and str(base) not in resolved:
        faults.append(Fault("base", unknown("recipe above this one", base, resolved)))
        return
    if "updates" in own and "epochs" in own:
        faults.append(Fault("updates", "stands in place of epochs, but both are given; keep one"))
        return
    inherited = resolved[str(base)] if base is not None else dict(shared)
    settings = overlay_settings(inherited, {k: v for k, v in own.items() if k not in RESERVED})
    resolved[key] = settings
    if "over" not in own:
        yield _Variant(key), settings, own
        return
    fault = _over_fault(own)
    if fault is not None:
        faults.append(fault)
        return
    axis, values = next((str(k), v) for k, v in own["over"].items())
    for value in values:
        variant = _Variant(f"{key}/{settings_as_text(value)}", axis, value)
        resolved[variant.id] = overlay_settings(settings, {axis: value})
        yield variant, resolved[variant.id], own


def _over_fault(own: Mapping[str, Any]) -> Fault | None:
    """Returns what is wrong with `over`, apart from what the recipes will say of its values."""
    over = own["over"]
    if not isinstance(over, Mapping) or len(over) != 1:
        rule = "must map exactly one setting to its values, e.g. {lag: [4, 8, 16]}"
        return Fault("over", f"{rule}, but got {over!r}")
    axis, values = next(iter(over.items()))
    known = set().union(*(known_settings(task) for task in TASKS.values())) | {"updates"}
    if axis not in known:
        return Fault(f"over.{axis}", unknown("setting", axis, known))
    if axis in own or {str(axis), *own} >= {"epochs", "updates"}:
        return Fault(f"over.{axis}", "is also fixed beside `over`; keep one of the two")
    scalars = isinstance(values, list) and all(isinstance(v, Scalar) for v in values)
    if not scalars or len(set(map(settings_as_text, values))) < max(2, len(values)):
        rule = "must be a list of at least two distinct values"
        return Fault(f"over.{axis}", f"{rule}, but got {values!r}")
    return None


def _entry(
    key: str,
    variant: _Variant,
    settings: Mapping[str, Any],
    own: Mapping[str, Any],
    faults: list[Fault],
) -> Entry | None:
    facts = {k: own[k] for k in FACTS if k in own}
    if variant.axis:
        facts |= {"family": key, "axis": variant.axis, "value": variant.value}
    try:
        return Entry(recipe=built(settings), **facts)
    except RecipeError as error:
        found = list(error.faults)
    except ValidationError as error:
        found = pydantic_faults(error, own)
    over = {variant.axis: f"over.{variant.axis}"} if variant.axis else {}
    faults += [Fault(over.get(fault.key, fault.key), fault.message) for fault in found]
    return None


def built(settings: Mapping[str, Any]) -> Recipe:
    """Returns the recipe of `settings`, in which `updates` may stand in place of epochs.

    The epochs are as many as it takes to make at least so many weight updates.

    >>> built({"task": "memory", "updates": 2000}).epochs
    250
    """
    given = {"task": settings.get("task", ""), **settings}
    if "updates" not in given:
        return recipe(**given)
    updates = given.pop("updates")
    if isinstance(updates, bool) or not isinstance(updates, int) or updates < 1:
        rule = "must be a whole number of weight updates, at least 1"
        raise RecipeError([Fault("updates", f"{rule}, but got {updates!r}")])
    once = recipe(**given, epochs=1)
    return recipe(**given, epochs=math.ceil(updates * once.accumulate / once.schedule.batches))


def overlay_settings(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `above` over `below`; inherited settings that no longer apply are dropped.

    What `above` changes takes the settings that belong to it along: a task or framing its inherited
    parameters, an optimizer its momentum and its default rate, `stateful: false` the `layout` and
    the `reset`, and `updates` the `epochs`, or they it.

    >>> overlay_settings({"stateful": True, "layout": "streams"}, {"stateful": False})
    {'stateful': False}
    >>> overlay_settings({"epochs": 20}, {"updates": 400})
    {'updates': 400}
    """
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
    if "optimizer" in above and above["optimizer"] != below.get("optimizer"):
        if below.get("learning_rate") == LEARNING_RATES.get(str(below.get("optimizer"))):
            kept.pop("learning_rate", None)  # it was the other optimizer's own
        kept.pop("momentum", None)
    for given, instead_of in (("epochs", "updates"), ("updates", "epochs")):
        if given in above:
            kept.pop(instead_of, None)
    return kept | dict(above)


def settings_as_text(value: object) -> str:
    """Returns a value of an axis as an id shows it: `4`, `true`, `0.01`."""
    return str(value).lower() if isinstance(value, bool) else str(value)
