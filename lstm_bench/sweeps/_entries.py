"""The fixed recipes of a sweep file, with inheritance and expansion over an axis.

::

    A10: {task: memory, over: {lag: [4, 8, 16]}, updates: 2000}

stands for the recipes `A10/4`, `A10/8` and `A10/16`, each with as many epochs as 2000 updates take.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lstm_bench.errors import Fault, RecipeError, unknown
from lstm_bench.recipes import (
    Recipe,
    TaskRegistry,
    known_settings,
    recipe_from_settings,
)
from lstm_bench.safety import pydantic_faults
from lstm_bench.statistics import Claim
from lstm_bench.sweeps._conditions import overlay_settings
from lstm_bench.sweeps._published_trials import (
    Link,
    PublishedSequences,
    PublishedSuccess,
    check_published_trials,
)
from lstm_bench.sweeps._sweep_tasks import TASK_MARK, SweepTask, per_task_faults, recipe_faults

Scalar = bool | int | float | str

ANNOTATION_KEYS = {
    *("published", "accuracy", "claim", "note"),
    *("published_success", "published_sequences", "full", "source", "url"),
}
"""Keys of a fixed recipe that describe it and are no settings."""

NOT_JUDGED = "not judged, because settings were overridden"
"""A note on the published figure of a recipe that overrides have changed in this run."""

RESERVED_KEYS = ANNOTATION_KEYS | {"base", "over", "per_task"}
"""Keys of a fixed recipe that are neither settings nor inherited."""

TOP_KEYS = {
    *("about", "check", "comparisons", "first_seed", "metrics", "recipes", "refused", "search"),
    *("seeds", "tasks", "time_limit", "title"),
}
"""Keys of a sweep file that no recipe has."""

NO_TASK = "must be given, at the top of the sweep or in each recipe, e.g. task: memory"

SEARCH_ROW_ID = re.compile(r"(trial|confirm|context|split)-|.*-again$")
"""Matches the ids that a search gives to the recipes it runs."""


class Entry(BaseModel):
    """A fixed recipe of a sweep, and what was published about it."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    recipe: Recipe
    published: str = ""
    accuracy: Annotated[float | None, Field(ge=0, le=1)] = None
    """The published figure as a step accuracy in [0, 1], if there is one."""
    claim: Claim | None = None
    """The source's claim about solving the task: its run did, no run can, or every run does."""
    published_success: PublishedSuccess | None = None
    """The number of published trials that succeeded, and the number of trials."""
    published_sequences: PublishedSequences | None = None
    """The published mean number of training sequences of successful trials."""
    full: bool = False
    """Whether the recipe takes long, and so runs only with `--full`; in a file, also the values of
    `over` that do."""
    note: str = ""
    source: str = ""
    """Where it was published: author, title, year; empty if in the source of the sweep."""
    url: Link = ""
    family: str = ""
    """The key in the sweep file that this recipe was expanded from, over `axis`, to `value`."""
    axis: str = ""
    value: Scalar | None = None
    place: tuple[str, str] | None = None
    """In a sweep over several tasks: the recipe's name without the task, and the task's name."""

    @model_validator(mode="after")
    def _check_trials(self) -> Entry:
        check_published_trials(self.published_success, self.published_sequences)
        return self

    def not_judged(self) -> Entry:
        """Returns the entry with the published result only as a text, which says why."""
        judged = ("accuracy", "claim", "published_success", "published_sequences")
        if all(getattr(self, key) is None for key in judged):
            return self
        figure = "" if self.accuracy is None else f"{100 * self.accuracy:g} %"
        if self.published_success is not None:
            succeeded, trials = self.published_success
            figure = figure or ("" if succeeded is None else f"{succeeded} of {trials} trials")
        text = "; ".join(filter(None, (self.published or figure, NOT_JUDGED)))
        return self.model_copy(update={**dict.fromkeys(judged), "published": text})


def recipe_key(id_: str) -> str:
    """Returns the key in a sweep file of the recipe `id_`: `A10` of `A10/4` and of `A10@memory`."""
    return id_.partition(TASK_MARK)[0].partition("/")[0]


def drop_changed_figures(
    entries: Mapping[str, Entry], original: Mapping[str, Entry], keys: object
) -> dict[str, Entry]:
    """Returns `entries`, in which changed recipes keep their published result only as a text.

    `original` has the recipes without overrides, and `keys` those of the sweep file. A run with
    other settings neither reproduces a published figure nor contradicts it.
    """
    names = set(map(str, keys)) if isinstance(keys, Mapping) else set()
    digests = {id_: entry.recipe.digest for id_, entry in original.items()}
    return {
        id_: entry.not_judged()
        if recipe_key(id_) in names and digests.get(id_) != entry.recipe.digest
        else entry
        for id_, entry in entries.items()
    }


@dataclass(frozen=True)
class _Variant:
    """The id of one recipe, and the key and value of its axis if it has one."""

    id: str
    axis: str = ""
    value: Scalar | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    """Where in the recipe's part of the file a setting is, if not at its top."""


def read_entries(
    mapping: object,
    shared: Mapping[str, Any],
    tasks: TaskRegistry,
    faults: list[Fault],
    has_search: bool = False,
    sweep_tasks: Sequence[SweepTask] = (),
) -> tuple[dict[str, Entry], set[str]]:
    """Returns the fixed recipes by id, and the keys of those that have faults.

    `mapping` is the part `recipes` of a sweep file, which names tasks in `tasks`; faults are
    appended to `faults`. With `has_search`, ids that a search gives to its recipes are refused.
    With `sweep_tasks`, every recipe is on each of these tasks.
    """
    if not isinstance(mapping, Mapping):
        faults.append(Fault("recipes", f"must map ids to settings, but got {mapping!r}"))
        return {}, set()
    faults += [Fault("recipes", message) for message in _id_faults(mapping, has_search)]
    entries: dict[str, Entry] = {}
    pairs = [(str(key), value) for key, value in mapping.items()]
    names, keys = [task.name for task in sweep_tasks], [key for key, _ in pairs]
    # The members of a family, and a recipe on several tasks, mostly share their faults: report each
    # fault once, with the tasks that it is found on.
    faulty: dict[tuple[str, Fault], list[str]] = {}
    for sweep_task in sweep_tasks or (None,):
        below = shared
        if sweep_task is not None:
            below = overlay_settings(shared, sweep_task.settings, tasks)
        resolved: dict[str, dict[str, Any]] = {}
        for key, value in pairs:
            entry_faults: list[Fault] = []
            variants = _variants(
                key, value, below, resolved, tasks, entry_faults, names, sweep_task, keys
            )
            for variant, settings, document in variants:
                entry = _entry(key, variant, settings, document, tasks, entry_faults, sweep_task)
                id_ = _on_task(variant.id, sweep_task)
                if id_ in entries:
                    entry_faults.append(Fault("", f"there are two recipes {id_!r}; rename one"))
                elif entry is not None:
                    entries[id_] = entry
            for fault in dict.fromkeys(entry_faults):
                faulty.setdefault((key, fault), []).append(sweep_task.name if sweep_task else "")
    for (key, fault), on in faulty.items():
        place = f"recipes.{key}.{fault.key}" if fault.key else f"recipes.{key}"
        everywhere = len(on) == len(names or [""]) or fault.key.startswith("per_task.")
        where = "" if everywhere else f" (on {', '.join(on)})"
        faults.append(Fault(place, f"{fault.message}{where}"))
    return entries, {key for key, _ in faulty}


def _on_task(name: str, task: SweepTask | None) -> str:
    """Returns the id of a recipe on a task of a sweep over several: `lstm@memory`."""
    return name if task is None else f"{name}{TASK_MARK}{task.name}"


def _id_faults(ids: Iterable[object], has_search: bool) -> Iterator[str]:
    """Yields a message for each id that no fixed recipe may have."""
    for id_ in ids:
        if isinstance(id_, bool) or not str("" if id_ is None else id_).strip():
            yield f"an id must be a word, but got {id_!r}; write it in quotes, e.g. 'A1'"
        elif has_search and SEARCH_ROW_ID.match(str(id_)):
            yield f"the id {id_!r} is reserved for the recipes of the search; rename it"


def _variants(
    key: str,
    value: object,
    shared: Mapping[str, Any],
    resolved: dict[str, dict[str, Any]],
    tasks: TaskRegistry,
    faults: list[Fault],
    names: Sequence[str],
    sweep_task: SweepTask | None,
    keys: Collection[str],
) -> Iterator[tuple[_Variant, dict[str, Any], dict[str, Any]]]:
    """Yields the recipes that `key` stands for: variant, full settings, and the file's own lines.

    The settings are added to `resolved`, so that later recipes can inherit them.
    """
    if value is not None and not isinstance(value, Mapping):
        faults.append(Fault("", f"must be a mapping, but got {value!r}"))
        return
    document = {str(k): v for k, v in (value or {}).items()}
    base = document.get("base")
    if base is not None and str(base) not in resolved:
        faults.append(Fault("base", _base_message(key, str(base), resolved, keys)))
        return
    misplaced = [k for k in document if k in TOP_KEYS and k not in _settings_of(tasks)]
    if misplaced:
        rule = "belongs at the top of the file, for all recipes, not in a recipe; move it there"
        faults += [Fault(k, rule) for k in misplaced]
        return
    if "updates" in document and "epochs" in document:
        faults.append(Fault("updates", "stands in place of epochs, but both are given; keep one"))
        return
    inherited = resolved[str(base)] if base is not None else dict(shared)
    own_settings = {k: v for k, v in document.items() if k not in RESERVED_KEYS}
    settings = overlay_settings(inherited, own_settings, tasks)
    wrong = per_task_faults(document, names)
    if wrong:
        faults += wrong
        return
    specific: Mapping[str, Any] = {}
    places: dict[str, str] = {}
    if sweep_task is not None:
        parts = document.get("per_task", {})
        specific = {str(k): v for k, v in parts.get(sweep_task.name, {}).items()}
        wrong = recipe_faults(key, document, own_settings, specific, sweep_task, tasks)
        if wrong:
            faults += wrong
            return
        places = {k: f"per_task.{sweep_task.name}.{k}" for k in specific}
        document |= {k: v for k, v in specific.items() if k in ANNOTATION_KEYS}
        specific = {k: v for k, v in specific.items() if k not in ANNOTATION_KEYS}
        settings = overlay_settings(settings, specific, tasks)
    resolved[key] = settings
    if "over" not in document:
        yield _Variant(key, places=places), settings, document
        return
    fault = _over_fault(document, tasks, specific)
    if fault is not None:
        faults.append(fault)
        return
    axis, values = next((str(k), v) for k, v in document["over"].items())
    for point in values:
        places[axis] = f"over.{axis}"
        variant = _Variant(f"{key}/{value_as_text(point)}", axis, point, places)
        resolved[variant.id] = overlay_settings(settings, {axis: point}, tasks)
        yield variant, resolved[variant.id], document


def _settings_of(tasks: TaskRegistry) -> set[str]:
    """Returns the settings that a recipe of some task has."""
    return set().union(*(known_settings(task) for task in tasks.values()))


def _base_message(key: str, base: str, above: Collection[str], keys: Collection[str]) -> str:
    """Returns the message for a `base` of the recipe `key` that is not among those above it."""
    if base == key:
        return f"must be another recipe, above this one, but got {base!r} itself"
    if base in keys:
        return f"must be a recipe above this one, but {base!r} is below; write {base!r} first"
    if not above:
        return f"must be a recipe above this one, but got {base!r}, and there is none; remove base"
    return f"must be a recipe above this one, but {unknown('recipe', base, above)}"


def _over_fault(
    document: Mapping[str, Any], tasks: TaskRegistry, specific: Mapping[str, Any]
) -> Fault | None:
    """Returns what is wrong with the form of `over`; its values are checked by the recipes.

    `specific` are the settings for one task alone.
    """
    over = document["over"]
    if not isinstance(over, Mapping) or len(over) != 1:
        rule = "must map exactly one setting to its values, e.g. {lag: [4, 8, 16]}"
        return Fault("over", f"{rule}, but got {over!r}")
    axis, values = next(iter(over.items()))
    allowed = _settings_of(tasks) | {"updates"}
    if axis not in allowed:
        return Fault(f"over.{axis}", unknown("setting", axis, allowed))
    both = {"epochs", "updates"}
    fixed = {*document, *specific}
    if axis in fixed or (axis in both and fixed & both):
        return Fault(f"over.{axis}", "is also fixed next to `over`; keep one of the two")
    scalars = isinstance(values, list) and all(isinstance(v, Scalar) for v in values)
    if not scalars or len(set(map(value_as_text, values))) < max(2, len(values)):
        rule = "must be a list of at least two distinct values"
        return Fault(f"over.{axis}", f"{rule}, but got {values!r}")
    return None


def _entry(
    key: str,
    variant: _Variant,
    settings: Mapping[str, Any],
    document: Mapping[str, Any],
    tasks: TaskRegistry,
    faults: list[Fault],
    sweep_task: SweepTask | None,
) -> Entry | None:
    """Returns the entry of one variant of `key`, or None after adding to `faults`."""
    fields = {k: document[k] for k in ANNOTATION_KEYS if k in document}
    if variant.axis:
        family = _on_task(key, sweep_task)
        fields |= {"family": family, "axis": variant.axis, "value": variant.value}
    if sweep_task is not None:
        fields["place"] = (variant.id, sweep_task.name)
    if isinstance(fields.get("full"), list):
        points = {value_as_text(v) for v in next(iter(document.get("over", {}).values()), [])}
        listed = [value_as_text(value) for value in fields["full"]]
        if not set(listed) <= points:
            rule = "must be true, false, or a list of values of `over`"
            faults.append(Fault("full", f"{rule}, but got {fields['full']!r}"))
            return None
        fields["full"] = value_as_text(variant.value) in listed
    try:
        return Entry(recipe=build_recipe(settings, tasks), **fields)
    except RecipeError as error:
        entry_faults = list(error.faults)
    except ValidationError as error:
        entry_faults = pydantic_faults(error, document)
    places = variant.places
    faults += [Fault(places.get(fault.key, fault.key), fault.message) for fault in entry_faults]
    return None


def build_recipe(settings: Mapping[str, Any], tasks: TaskRegistry) -> Recipe:
    """Returns the recipe of `settings`, in which `updates` may stand in place of epochs.

    The number of epochs is the smallest that makes at least `updates` weight updates.

    >>> from lstm_bench.recipes import BUILT_IN_TASKS
    >>> build_recipe({"task": "memory", "updates": 2000}, BUILT_IN_TASKS).epochs
    250
    """
    if settings.get("task") is None:
        raise RecipeError([Fault("task", NO_TASK)])
    if "updates" not in settings:
        return recipe_from_settings(settings, tasks)
    arguments = dict(settings)
    updates = arguments.pop("updates")
    if isinstance(updates, bool) or not isinstance(updates, int) or updates < 1:
        rule = "must be a whole number of weight updates, at least 1"
        raise RecipeError([Fault("updates", f"{rule}, but got {updates!r}")])
    once = recipe_from_settings({**arguments, "epochs": 1}, tasks)
    epochs = math.ceil(updates * once.accumulate / once.epoch_updates)
    return once.with_settings({**arguments, "epochs": epochs})


def value_as_text(value: object) -> str:
    """Returns the value of a setting as ids show it: `4`, `true`, `0.01`."""
    return str(value).lower() if isinstance(value, bool) else str(value)
