"""Finds the recipe or the finished run that a user names.

`memory`              the default recipe of a task
`published:A1`        a row of a sweep, by its id
`mine.yaml:A1`        a recipe of a sweep file, run or not
`sales:last value`    a baseline in the report of a sweep over a file
`6ae6ab1aaeca`        a recipe that has been run, by its digest
`6ae6`                the same, by a prefix that no other recipe's digest has
"""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_bench.config import Settings
from lstm_bench.data import CsvTask
from lstm_bench.errors import (
    StoreError,
    SweepError,
    TaskError,
    UnknownRecipeError,
    UserError,
    unknown,
)
from lstm_bench.recipes import (
    BUILT_IN_TASKS,
    Recipe,
    TaskRegistry,
    recipe_from_settings,
    recipe_of_run,
    unchanged_network,
    unknown_task_message,
)
from lstm_bench.results import Outcome, Role
from lstm_bench.statistics import baseline_names
from lstm_bench.sweeps import changed_recipe, find_sweep, load_sweep, overlay_settings
from lstm_bench.tasks import Task, is_built_in
from lstm_bench.tracking._store import Store

MAX_SUGGESTIONS = 5
"""The most names that a message suggests in place of a wrong one."""


@dataclass(frozen=True)
class FoundRecipe:
    """A recipe, and its best seed if it has been run."""

    recipe: Recipe
    best_seed: int = 0


def find_recipe(
    what: str | type | Task | Recipe | Outcome,
    changes: Mapping[str, Any],
    config: Settings,
    tasks: TaskRegistry = BUILT_IN_TASKS,
) -> FoundRecipe:
    """Returns the recipe that `what` is or names, with the settings `changes` applied.

    Its task is one of `tasks`. Raises `UserError` if there is none.
    """
    if isinstance(what, Outcome):
        original = recipe_of_run(what.settings, what.digest, tasks)
        return FoundRecipe(changed_recipe(original, changes), what.best_seed)
    if not isinstance(what, str) or what in tasks:
        return FoundRecipe(changed_recipe(what, changes, tasks))
    if not _may_name_run(what):
        _refuse_sweep(what, config, tasks)
        raise UserError(
            f"{unknown_task_message(what, tasks)}; give a task, a row of a sweep as SWEEP:ID, or "
            "the digest of a recipe that has been run"
        )
    row = _find_row(what, config, tasks)
    if not changes:
        return row
    settings = overlay_settings(row.recipe.settings, changes, tasks)
    return FoundRecipe(recipe_from_settings(settings, tasks), row.best_seed)


def _may_name_run(word: str) -> bool:
    """Returns whether `word` has the form SWEEP:ID, or the form of the start of a digest."""
    return ":" in word or re.fullmatch("[0-9a-f]{3,12}", word) is not None


def _refuse_sweep(word: str, config: Settings, tasks: TaskRegistry) -> None:
    """Raises `StoreError` if `word` names a whole sweep that has rows, finished or not."""
    roles: dict[str, Role] = {}
    if (config.sweeps / f"{word}.yaml").is_file():
        sweep = load_sweep(find_sweep(word, config.sweeps), tasks=tasks)
        roles = dict.fromkeys(sweep.entries, "fixed")
    with contextlib.suppress(StoreError):  # not run yet: the file has its recipes
        roles = _roles(Store(config.store, config.artifacts, create=False), word)
    if roles:
        raise StoreError(_sweep_message(word, roles))


def _roles(store: Store, sweep: str) -> dict[str, Role]:
    """Returns why the finished rows of a sweep were run, by their ids."""
    return {row.id: row.role for row, _ in store.finished_rows(sweep)}


def _sweep_message(sweep: str, roles: Mapping[str, Role]) -> str:
    """Returns the message for a sweep that is named in place of a row; suggests finalists first.

    >>> _sweep_message("sales", {"trial-0": "trial", "trial-1": "trial", "confirm-1": "confirmed"})
    "'sales' is a sweep: give one of its recipes, e.g. sales:confirm-1, sales:trial-0"
    """
    suggested = sorted(roles, key=lambda id_: roles[id_] != "confirmed")[:2]
    if not suggested:
        return f"{sweep!r} is a sweep of which no recipe has finished; run it again"
    shown = ", ".join(f"{sweep}:{id_}" for id_ in suggested)
    return f"{sweep!r} is a sweep: give one of its recipes, e.g. {shown}"


def _find_row(word: str, config: Settings, tasks: TaskRegistry) -> FoundRecipe:
    """Returns the recipe that `word` names, from the store or else from the sweep's file."""
    name, colon, id_ = word.rpartition(":")
    if colon and Path(name).is_file():
        return _find_in_file(Path(name), id_, tasks)
    try:
        store = Store(config.store, config.artifacts, create=False)
        outcome = finished_outcome(word, store, tasks)
    except StoreError:
        path = config.sweeps / f"{name}.yaml"
        if not colon or not path.is_file() or id_ not in load_sweep(path, tasks=tasks).entries:
            raise
        return _find_in_file(path, id_, tasks)
    rebuilt = recipe_of_run(outcome.settings, outcome.digest, tasks)
    return FoundRecipe(rebuilt, outcome.best_seed)


def _find_in_file(path: Path, id_: str, tasks: TaskRegistry) -> FoundRecipe:
    """Returns the recipe `id_` of a sweep file."""
    entries = load_sweep(path, tasks=tasks).entries
    if id_ not in entries:
        raise SweepError(f"{path}: {_unknown_message('recipe', id_, entries)}")
    return FoundRecipe(entries[id_].recipe)


def finished_outcome(word: str, store: Store, tasks: TaskRegistry = BUILT_IN_TASKS) -> Outcome:
    """Returns the outcome of the run that `word` names: SWEEP:ID, a digest, or its beginning.

    Raises `StoreError` if there is no such run, or several, and `TaskError` if its task is missing
    or has changed.
    """
    name, colon, id_ = word.rpartition(":")
    if colon:
        run_ids = store.run_ids(name)
        if id_ not in run_ids:
            message = _unknown_message("finished recipe", id_, run_ids)
            raise UnknownRecipeError(f"{name}: {message}")
        return _check_task(store.load_outcome(run_ids[id_]), tasks)
    by_digest = store.run_ids_by_digest()
    matches = sorted(digest for digest in by_digest if digest.startswith(word))
    if len(matches) > 1:
        raise StoreError(
            f"{word!r}: the digests of {len(matches)} recipes begin so; give more of one of them: "
            + ", ".join(matches[:MAX_SUGGESTIONS])
            + (", ..." if len(matches) > MAX_SUGGESTIONS else "")
        )
    if not matches:
        sweeps = store.sweep_names()
        if word in sweeps:
            raise StoreError(_sweep_message(word, _roles(store, word)))
        if not re.fullmatch("[0-9a-f]+", word):
            raise StoreError(f"store: {unknown('finished sweep', word, sweeps)}; give SWEEP:ID")
        message = _unknown_message("finished recipe", word, by_digest)
        raise StoreError(f"store: {message}, or as SWEEP:ID")
    return _check_task(store.load_outcome(by_digest[matches[0]]), tasks)


def find_baseline(
    word: str, store: Store, tasks: TaskRegistry = BUILT_IN_TASKS
) -> tuple[CsvTask, str] | None:
    """Returns the task and the name of the baseline that `word` names as SWEEP:BASELINE, or None.

    It is a baseline that the report of the sweep has. Raises `StoreError` if the file that the
    sweep learned from is missing or has changed.
    """
    name, colon, baseline = word.rpartition(":")
    listed = store.finished_rows(name) if colon else []
    if baseline in {row.id for row, _ in listed}:
        return None
    for row, run_id in listed:
        if row.role not in ("fixed", "confirmed"):
            continue
        outcome = _check_task(store.load_outcome(run_id), tasks)
        if baseline in baseline_names(outcome.predictions):
            task = recipe_of_run(outcome.settings, outcome.digest, tasks).outside_search.task
            return (task, baseline) if isinstance(task, CsvTask) else None
    return None


def _check_task(outcome: Outcome, tasks: TaskRegistry) -> Outcome:
    """Returns `outcome`; raises `TaskError` if its task is missing or now makes other data."""
    name = outcome.settings["task"]
    if name not in tasks:
        raise TaskError(
            f"{outcome.digest}: is a run of the task {name!r}, which must be given, but is not; "
            "name its file with --tasks FILE, or under `tasks` in conf/default.yaml"
        )
    try:
        unchanged_network(outcome.settings, outcome.provenance)
    except StoreError as error:
        raise StoreError(f"{outcome.digest}: {error}") from error
    if is_built_in(tasks[name]):
        return outcome
    if recipe_from_settings(outcome.settings, tasks).digest != outcome.digest:
        raise TaskError(
            f"{outcome.digest}: is a run of {name!r} as it was, but the task makes other data "
            f"now ({tasks.places[name]}); run it again, or restore that file"
        )
    return outcome


def network_file(
    word: str, path: Path, config: Settings, tasks: TaskRegistry = BUILT_IN_TASKS
) -> bytes:
    """Returns the content of the `.keras` file of a run's best seed, to be written to `path`.

    Raises `UserError` if Keras would not open a file with that name, `StoreError` if there is none.
    """
    if path.suffix != ".keras":
        raise UserError(f"--model: Keras opens files called *.keras, but got {str(path)!r}")
    store = Store(config.store, config.artifacts, create=False)
    outcome = finished_outcome(word, store, tasks)
    if not outcome.model:
        raise StoreError(f"{word}: this run has no model in the store; run its sweep with --again")
    return outcome.model


def _unknown_message(what: str, got: str, names: Iterable[str]) -> str:
    """Returns the message for a name that is not in `names`, which may have thousands of names.

    >>> _unknown_message("recipe", "A9", ["A1", "B5"])
    "there is no recipe 'A9'; the nearest are A1"
    """
    existing = list(names)
    near = difflib.get_close_matches(got, existing, MAX_SUGGESTIONS, cutoff=0.3)
    near = near or sorted(existing)[:MAX_SUGGESTIONS]
    if not near:
        return f"there is no {what} {got!r}, nor any other; run `lstm-bench sweep` first"
    return f"there is no {what} {got!r}; the nearest are {', '.join(sorted(near))}"
