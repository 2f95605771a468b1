"""Sweeps and their YAML files: fixed recipes with their published figures, a search, or both.

::

    title: The memory problem
    source: Hochreiter & Schmidhuber (1997), Long Short-Term Memory
    url: https://doi.org/10.1162/neco.1997.9.8.1735
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

With `tasks` in place of `task`, every recipe is run on each of several tasks: see `_sweep_tasks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, ValidationError

from lstm_bench.data import (
    complete_sweep,
    default_name,
    default_search,
    default_settings,
    limit_rows,
)
from lstm_bench.errors import Fault, RecipeError, SweepError, UserError, unknown
from lstm_bench.recipes import BUILT_IN_TASKS, TaskRegistry, files_outside, known_settings
from lstm_bench.safety import WholeNumber, pydantic_faults, read_yaml
from lstm_bench.statistics import METRICS, ComparisonQuestion, Kind, margin_fault
from lstm_bench.sweeps._entries import (
    Entry,
    drop_changed_figures,
    read_entries,
    recipe_key,
    value_as_text,
)
from lstm_bench.sweeps._overrides import (
    idle_faults,
    merge_documents,
    name_faults,
    parse_assignments,
)
from lstm_bench.sweeps._published_trials import Link
from lstm_bench.sweeps._refused import RefusedEntry, read_refused
from lstm_bench.sweeps._search import Search, search_faults
from lstm_bench.sweeps._setting_values import value_faults
from lstm_bench.sweeps._sweep_tasks import read_sweep_tasks, without_dropped_tasks

if TYPE_CHECKING:
    from lstm_bench.results import TaskGrid


class Sweep(BaseModel):
    """A validated sweep. `settings` are shared by all recipes, `entries` the fixed ones by id."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str
    title: str = ""
    about: str = ""
    source: str = ""
    """The source of the published figures, or of the data: author, title, year."""
    url: Link = ""
    seeds: Annotated[WholeNumber, Field(ge=1, le=10_000)] = 10
    first_seed: Annotated[WholeNumber, Field(ge=0, le=2**31)] = 0
    time_limit: Annotated[float | None, Field(gt=0, allow_inf_nan=False)] = None
    """Seconds for all seeds of a recipe; a recipe that takes longer fails."""
    check: Literal["bits"] | None = None  # one seed is compared on each kind of processor
    settings: Mapping[str, Any] = {}
    entries: Mapping[str, Entry] = {}
    refused: Mapping[str, RefusedEntry] = {}
    comparisons: Mapping[str, ComparisonQuestion] = {}
    metrics: tuple[str, ...] = ()
    search: Search | None = None
    overrides: str = ""
    """The changes of this run to the sweep file, as key=value words."""
    planned_seeds: int = 0
    """The number of seeds in the file, if `overrides` changed it; else 0."""
    full: bool = False
    """Whether recipes that the file marks as `full` are run too; not a key of the file."""
    tasks: Annotated[InstanceOf[TaskRegistry], Field(exclude=True, repr=False)] = BUILT_IN_TASKS
    """The tasks that the sweep may name; not a key of the file."""

    @property
    def grid(self) -> TaskGrid | None:
        """The tasks of a sweep over several tasks; None for any other sweep."""
        placed = {id_: entry for id_, entry in self.entries.items() if entry.place is not None}
        tasks = {entry.place[1]: entry.recipe.task for entry in placed.values() if entry.place}
        if not tasks:
            return None
        from lstm_bench.results import GridTask, TaskGrid  # takes pandas, which takes a second

        described = (GridTask(name, task.chance, task.ceiling) for name, task in tasks.items())
        return TaskGrid(tuple(described), {id_: e.place for id_, e in placed.items() if e.place})

    @property
    def left_out(self) -> Mapping[str, Entry]:
        """The fixed recipes that this run leaves out: those marked as `full`, unless `full` is set.

        A recipe that is run anyway, under another id, is not left out.
        """
        marked = {id_: entry for id_, entry in self.entries.items() if entry.full and not self.full}
        run = {entry.recipe.digest for id_, entry in self.entries.items() if id_ not in marked}
        return {id_: entry for id_, entry in marked.items() if entry.recipe.digest not in run}

    def with_full(self, full: bool) -> Sweep:
        """Returns the same sweep for a run with the recipes that are marked as `full`, or not."""
        return self.model_copy(update={"full": bool(full)})

    @property
    def report_name(self) -> str:
        """The name of the sweep in reports: its name and its overrides."""
        return f"{self.name} {self.overrides}".rstrip()

    @property
    def seed_list(self) -> list[int]:
        """The seeds of every fixed recipe and every trial."""
        return list(range(self.first_seed, self.first_seed + self.seeds))

    def seed_block(self, block: int) -> tuple[int, ...]:
        """Returns as many seeds as `seed_list`, from another block; blocks never share a seed."""
        return tuple(seed + block * SEED_BLOCK for seed in self.seed_list)


SEED_BLOCK = 10_000
"""Distance between the first seeds of two blocks, and so the most seeds that a sweep may have."""

_NOT_IN_FILES = {"name", "settings", "entries", "overrides", "planned_seeds", "full", "tasks"}
_SWEEP_KEYS = set(Sweep.model_fields) - _NOT_IN_FILES | {"recipes", "tasks"}
"""Keys of a sweep file that are not settings."""


def find_sweep(name: str, folder: Path = Path("sweeps")) -> Path:
    """Returns the file of the sweep `name`: a path, or a name in `folder`."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        if path.is_file():
            return path
        raise SweepError(f"sweep: there is no file {name!r} (looked for in {Path.cwd()})")
    names = sorted(p.stem for p in folder.glob("*.yaml"))
    if name not in names:
        first = "" if names else "make a folder with sweeps by `lstm-bench init DIR`, "
        raise SweepError(
            f"sweep: {unknown('sweep', name, names)}; looked for the file {folder}/{name}.yaml in "
            f"{Path.cwd()}; {first}or give the path of a file"
        )
    return folder / f"{name}.yaml"


def load_sweep(
    path: Path, overrides: Sequence[str] = (), tasks: TaskRegistry = BUILT_IN_TASKS
) -> Sweep:
    """Returns the sweep in the file at `path`, with `key=value` overrides applied.

    The file may name any of `tasks`. Raises `SweepError`, which names the file and every wrong key.
    """
    document = read_yaml(path)
    if not isinstance(document, dict) or not document:
        raise SweepError(f"{path}: must be a mapping of keys to values, e.g. 'task: memory'")
    return sweep_from_document(path.stem, document, overrides, tasks, str(path))


def sweep_from_document(
    name: str,
    document: Mapping[str, Any],
    overrides: Sequence[str] = (),
    tasks: TaskRegistry = BUILT_IN_TASKS,
    origin: str = "",
) -> Sweep:
    """Returns the sweep that `document` describes, with `key=value` overrides applied.

    Overrides that change the sweep are in its `overrides`. Raises `SweepError`, which names
    `origin`, by default the sweep, and every wrong key.
    """
    changes = parse_assignments(overrides)
    try:
        whole = merge_documents(document, {})
        outside = files_outside(whole, Path())
        if outside:
            raise RecipeError(outside)
        faults = name_faults(whole, changes)
        if faults:
            raise RecipeError(faults)
        merged = without_dropped_tasks(merge_documents(document, changes), whole)
        changed = parse_sweep(name, merged, tasks)
        if changed.search is None:  # which takes every setting

            def entries_of(one: Mapping[str, Any]) -> Mapping[str, Entry]:
                return parse_sweep(name, one, tasks).entries

            faults = idle_faults(merged, changes, changed.settings, changed.entries, entries_of)
        if faults:
            raise RecipeError(faults)
        original = _without_overrides(whole, changed) if changes else changed
        if changed == original:
            return changed
    except UserError as error:
        lines = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise SweepError(f"{origin or name}:\n{lines}") from error
    planned = whole.get("seeds", Sweep.model_fields["seeds"].default)
    update: dict[str, Any] = {"overrides": " ".join(sorted(overrides))}
    update["entries"] = drop_changed_figures(
        changed.entries, original.entries if original else {}, whole.get("recipes")
    )
    if planned != changed.seeds and isinstance(planned, int):
        update["planned_seeds"] = max(planned, 0)
    return changed.model_copy(update=update)


def _without_overrides(document: Mapping[str, Any], changed: Sweep) -> Sweep | None:
    """Returns the sweep of a document without any override; None if it needs them."""
    try:
        return parse_sweep(changed.name, document, changed.tasks)
    except UserError:
        return None


def sweep_over_file(settings: Mapping[str, Any], overrides: Sequence[str] = ()) -> Sweep:
    """Returns the default sweep over a file of data, with `key=value` overrides applied.

    `settings` are those of the task `csv`. Raises `SweepError` with every fault.
    """
    changes = parse_assignments(overrides)
    document = {"task": "csv", "seeds": 10, **settings}
    try:
        changed = document | {key: value for key, value in changes.items() if key != "search"}
        document |= {key: value for key, value in limit_rows(changed).items() if key == "latest"}
        document = default_settings(document | changed) | document
        changed = document | changed
        whole = merge_documents(document | {"search": default_search(changed)}, changes)
        return parse_sweep(default_name(changed), whole)
    except UserError as error:
        faults = error.faults if isinstance(error, RecipeError) else ()
        in_changes = faults and all(fault.key.partition(".")[0] in changes for fault in faults)
        raise SweepError(str(error) if in_changes else f"--csv: {error}") from error


def parse_sweep(
    name: str, document: Mapping[str, Any], tasks: TaskRegistry = BUILT_IN_TASKS
) -> Sweep:
    """Returns the sweep that `document` describes; raises `RecipeError` with every fault."""
    document = complete_sweep(document)
    shared = {key: value for key, value in document.items() if key not in _SWEEP_KEYS}
    settings = set().union(*(known_settings(task) for task in tasks.values()))
    allowed = _SWEEP_KEYS | settings | {"task", "updates"}
    faults = [
        Fault(k, _unknown_key(k, shared[k], allowed, "search" in document))
        for k in shared.keys() - allowed
    ]
    if "updates" in shared and ("epochs" in shared or "search" in document):
        rule = "stands in place of epochs for fixed recipes, so neither epochs nor a search"
        faults.append(Fault("updates", f"{rule} may be given as well; set it in each recipe"))
        del shared["updates"]
    shared = {key: value for key, value in shared.items() if key in allowed}
    recipes = {} if document.get("recipes") is None else document["recipes"]
    listed = read_sweep_tasks(document, tasks, faults)
    entries: dict[str, Entry] = {}
    broken = set(map(str, recipes)) if isinstance(recipes, Mapping) else set()
    if listed is not None:  # else the faults of the tasks come first
        entries, broken = read_entries(recipes, shared, tasks, faults, "search" in document, listed)
    parts = _SWEEP_KEYS - {"recipes", "tasks", *(["search"] if "tasks" in document else [])}
    fields = {key: value for key, value in document.items() if key in parts}
    fields["refused"] = read_refused(document.get("refused", {}), shared, tasks, faults)
    if recipes == {} and "search" not in fields:
        faults.append(Fault("recipes", "a sweep needs recipes, a search, or both, but has neither"))
    faults += _equal_task_faults(entries)
    sweep = None
    try:
        sweep = Sweep(name=name, settings=shared, entries=entries, tasks=tasks, **fields)
        faults += _comparison_faults(sweep.comparisons, entries, broken)
        faults += _metric_faults(sweep.metrics, {e.recipe.task.kind for e in entries.values()})
    except ValidationError as error:
        faults += pydantic_faults(error, fields, Sweep)
    if sweep is not None and sweep.search is not None:
        faults += search_faults(sweep.search, shared, tasks, entries, broken)
    elif not entries and not faults:
        faults.append(Fault("recipes", "none were given"))
    faults = faults or value_faults(document, tasks)
    if faults or sweep is None:
        raise RecipeError(faults)
    return sweep


def _unknown_key(key: str, value: object, allowed: set[str], has_search: bool) -> str:
    """Returns the message for a key that a sweep does not have, such as an option of its search."""
    if key in Search.model_fields:
        if has_search:
            return (
                "is an option of the search, not of the sweep; did you mean "
                f"search.{key}={value_as_text(value)}?"
            )
        return "is an option of a search, but this sweep has no search; remove it, or add `search`"
    return unknown("setting or part of a sweep", key, allowed)


def _equal_task_faults(entries: Mapping[str, Entry]) -> list[Fault]:
    """Returns a fault for each of several tasks on which every recipe is one on another task."""
    digests: dict[str, tuple[str, ...]] = {}
    for entry in entries.values():
        if entry.place is not None:
            task = entry.place[1]
            digests[task] = (*digests.get(task, ()), entry.recipe.digest)
    names = list(digests)
    return [
        Fault("tasks", f"{name} and {other} are one task under two names; remove one")
        for place, name in enumerate(names)
        for other in names[:place]
        if digests[name] == digests[other]
    ]


def _metric_faults(metrics: Sequence[str], kinds: set[Kind]) -> list[Fault]:
    """Returns a fault for each metric that no recipe has, and for each that is named twice."""
    names = set().union(*(METRICS[kind] for kind in kinds or METRICS))
    faults = [Fault("metrics", unknown("metric", m, names)) for m in metrics if m not in names]
    repeated = sorted({name for name in metrics if metrics.count(name) > 1})
    return faults + [Fault("metrics", f"{name} is named twice") for name in repeated]


def _comparison_faults(
    comparisons: Mapping[str, ComparisonQuestion], entries: Mapping[str, Entry], broken: set[str]
) -> list[Fault]:
    """Returns the faults of the comparisons: a missing recipe, the same one twice, a bad margin."""
    faults = []
    for name, question in comparisons.items():
        of, to = question.of, question.to
        for key, id_ in (("of", of), ("to", to)):
            # The faults of a broken recipe are reported already; do not report it missing as well.
            if id_ not in entries and not broken & {recipe_key(id_), id_.partition("/")[0]}:
                faults.append(Fault(f"comparisons.{name}.{key}", unknown("recipe", id_, entries)))
        compared = [entries[id_].recipe.task for id_ in (of, to) if id_ in entries]
        without = [task.name for task in compared if not task.has_baselines]
        if question.measure == "skill" and without:
            message = f"skill is measured against baselines, but {without[0]} has none"
            faults.append(Fault(f"comparisons.{name}.measure", f"{message}; use accuracy"))
        if of == to:
            message = f"must be another recipe than `of`, but both are {to!r}"
            faults.append(Fault(f"comparisons.{name}.to", message))
        digests = [entries[id_].recipe.digest for id_ in (of, to) if id_ in entries]
        if of != to and len(digests) == 2 and digests[0] == digests[1]:
            message = f"{of} and {to} are one recipe under two names; name another"
            faults.append(Fault(f"comparisons.{name}.to", message))
        if message := margin_fault(question.measure, question.margin):
            faults.append(Fault(f"comparisons.{name}.margin", message))
    return faults
