"""A recipe or a finished run, by the words that a user has for it.

`memory`              the default recipe of a task
`published:A1`        a row of a sweep, by its id
`mine.yaml:A1`        a recipe of a sweep's file, run or not
`6ae6ab1aaeca`        a recipe that has been run, by its digest
`6ae6`                the same, where no other recipe's digest begins so
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
from lstm_bench.errors import StoreError, SweepError, TaskError, UserError, unknown
from lstm_bench.recipes import TASKS, Recipe, recipe, recipe_of_run, unknown_task_message
from lstm_bench.results import Outcome
from lstm_bench.sweeps import find_sweep, load_sweep, overlay_settings, task_place
from lstm_bench.tasks import is_built_in
from lstm_bench.tracking._store import Store

NEAREST = 5
"""Names that a message offers in the place of a wrong one."""


@dataclass(frozen=True)
class Chosen:
    """A recipe, and the seed that did best where it has been run."""

    recipe: Recipe
    best_seed: int = 0


def find_recipe(word: str, changes: Mapping[str, Any], where: Settings) -> Chosen:
    """Returns the recipe that `word` names, with the settings `changes` laid over it.

    Raises `UserError` where there is none.
    """
    if word in TASKS:
        return Chosen(recipe(word, **changes))
    if not _is_run(word):
        _not_a_sweep(word, where)
        raise UserError(
            f"{unknown_task_message(word)}; give a task, a row of a sweep as SWEEP:ID, or the "
            "digest of a recipe that has been run"
        )
    found = _row(word, where)
    if not changes:
        return found
    return Chosen(recipe(**overlay_settings(found.recipe.settings, changes)), found.best_seed)


def _is_run(word: str) -> bool:
    return ":" in word or re.fullmatch("[0-9a-f]{3,12}", word) is not None


def _not_a_sweep(word: str, where: Settings) -> None:
    """Raises `StoreError` where `word` is a whole sweep, finished or not, with rows to name."""
    rows: Iterable[str] = ()
    if (where.sweeps / f"{word}.yaml").is_file():
        rows = load_sweep(find_sweep(word, where.sweeps)).entries
    with contextlib.suppress(StoreError):
        rows = Store(where.store, where.artifacts, create=False).ids(word)
    if rows:
        raise StoreError(_whole(word, rows))


def _whole(sweep: str, rows: Iterable[str]) -> str:
    """Returns the message for a sweep in the place of one of its rows; finalists are named first.

    >>> _whole("sales", ["trial-0", "trial-1", "confirm-1"])
    "'sales' is a sweep: give one of its recipes, e.g. sales:confirm-1, sales:trial-0"
    """
    names = sorted(rows, key=lambda row: not row.startswith("confirm-"))[:2]
    if not names:
        return f"{sweep!r} is a sweep of which no recipe has finished; run it again"
    shown = ", ".join(f"{sweep}:{row}" for row in names)
    return f"{sweep!r} is a sweep: give one of its recipes, e.g. {shown}"


def _row(word: str, where: Settings) -> Chosen:
    """Returns the recipe as it was run; else as the sweep's file has it."""
    name, colon, row = word.rpartition(":")
    if colon and Path(name).is_file():
        return _in_file(Path(name), row)
    try:
        outcome = finished_outcome(word, Store(where.store, where.artifacts, create=False))
        return Chosen(recipe_of_run(outcome.settings, outcome.digest), outcome.best_seed)
    except StoreError:
        if not colon or not (where.sweeps / f"{name}.yaml").is_file():
            raise
        return _in_file(find_sweep(name, where.sweeps), row)


def _in_file(path: Path, row: str) -> Chosen:
    entries = load_sweep(path).entries
    if row not in entries:
        raise SweepError(f"{path}: {_unknown('recipe', row, entries)}")
    return Chosen(entries[row].recipe)


def finished_outcome(word: str, store: Store) -> Outcome:
    """Returns the outcome of the run that `word` names: SWEEP:ID, a digest, or the start of one.

    Raises `StoreError` where there is none, or several.
    """
    name, colon, row = word.rpartition(":")
    if colon:
        rows = store.ids(name)
        if row not in rows:
            raise StoreError(f"{name}: {_unknown('finished recipe', row, rows)}")
        return _of_a_task_here(store.outcome(rows[row]))
    digests = store.digests()
    fitting = sorted(digest for digest in digests if digest.startswith(word))
    if len(fitting) > 1:
        raise StoreError(
            f"{word!r}: the digests of {len(fitting)} recipes begin so; give more of one of them: "
            + ", ".join(fitting[:NEAREST])
            + (", ..." if len(fitting) > NEAREST else "")
        )
    if not fitting:
        sweeps = store.names()
        if word in sweeps:
            raise StoreError(_whole(word, store.ids(word)))
        if not re.fullmatch("[0-9a-f]+", word):
            raise StoreError(f"store: {unknown('finished sweep', word, sweeps)}; give SWEEP:ID")
        raise StoreError(f"store: {_unknown('finished recipe', word, digests)}, or as SWEEP:ID")
    return _of_a_task_here(store.outcome(digests[fitting[0]]))


def _of_a_task_here(outcome: Outcome) -> Outcome:
    """Returns `outcome`; raises `TaskError` where its task is not here, or is another by now."""
    name = outcome.settings["task"]
    if name not in TASKS:
        raise TaskError(
            f"{outcome.digest}: is a run of the task {name!r}, which must be given, but is not; "
            "name its file with --tasks FILE, or under `tasks` in conf/default.yaml"
        )
    if not is_built_in(TASKS[name]) and recipe(**outcome.settings).digest != outcome.digest:
        raise TaskError(
            f"{outcome.digest}: is a run of {name!r} as it was, but the task makes other data "
            f"now ({task_place(name)}); run it again, or put that file back"
        )
    return outcome


def network_file(word: str, path: Path, where: Settings) -> bytes:
    """Returns the `.keras` file of a finished run's best seed, to be written to `path`.

    Raises `UserError` where Keras would not open it under that name, `StoreError` where there is
    none.
    """
    if path.suffix != ".keras":
        raise UserError(f"--model: Keras opens files called *.keras, but got {str(path)!r}")
    outcome = finished_outcome(word, Store(where.store, where.artifacts, create=False))
    if not outcome.model:
        raise StoreError(f"{word}: this run has no model in the store; run its sweep with --again")
    return outcome.model


def _unknown(what: str, got: str, known: Iterable[str]) -> str:
    """Returns the message for a name that is not among `known`, which may be thousands.

    >>> _unknown("recipe", "A9", ["A1", "B5"])
    "there is no recipe 'A9'; the nearest are A1"
    """
    names = list(known)
    near = difflib.get_close_matches(got, names, NEAREST, cutoff=0.3) or sorted(names)[:NEAREST]
    if not near:
        return f"there is no {what} {got!r}, nor any other; run `lstm-bench sweep` first"
    return f"there is no {what} {got!r}; the nearest are {', '.join(sorted(near))}"
