"""What a sweep over a file of data does where nobody says otherwise: a search, and an account."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from lstm_bench.errors import Fault, RecipeError, UserError
from lstm_bench.recipe import recipe
from lstm_bench.tasks import TASKS, Task
from lstm_bench.tasks.own import Csv

STEPS_A_RUN = 60_000
"""Rows that a training run of the usual search goes through, at most."""


def completed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a sweep's document; one about data says what was found in them, and has a search.

    Raises `RecipeError` where the data are wrong.
    """
    if document.get("task") != "csv":
        return dict(document)
    task = _task(document)
    if task is None:  # some setting has a wrong type: who reads it says so
        return dict(document)
    told = f"Found in {task.file or 'the example'}: {'; '.join(task.summary())}."
    about = "\n\n".join(filter(None, [str(document.get("about") or ""), told]))
    made = {"title": f"Which network foretells {task.prepared.target}?"} | dict(document)
    made["about"] = about
    asked = document.get("search", {} if not document.get("recipes") else None)
    if isinstance(asked, Mapping) and "space" not in asked:
        made["search"] = search(task) | dict(asked)
    return made


def usual(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the search that a sweep about data has where it says nothing of one.

    Raises `RecipeError` where the data, or the settings of the task, are wrong.
    """
    task = _task(document)
    if task is None:
        own = {key: value for key, value in document.items() if key in Csv.model_fields}
        return search(cast(Csv, recipe("csv", **own).task))  # or says what is wrong
    return search(task)


def _task(document: Mapping[str, Any]) -> Csv | None:
    own = {key: value for key, value in document.items() if key in Csv.model_fields}
    try:
        chosen: type[Task] = TASKS["csv"].suited(own)
        made = chosen(**own)
    except UserError as error:
        raise RecipeError([Fault("file", str(error))]) from error
    except ValueError:
        return None
    assert isinstance(made, Csv)
    return made


def search(task: Csv) -> dict[str, Any]:
    """Returns a search that suits the length and the season of a file of data.

    Some forty recipes; an epoch is short enough for `STEPS_A_RUN`.
    """
    shortest = min(len(sequence) for sequence in task.problem(0).train)
    rows = sum(len(sequence) for sequence in task.problem(0).train)
    most = max(5, min(200, STEPS_A_RUN // rows))
    lags = {3, 6, 12, *([task.prepared.season] if task.prepared.season else [])}
    windows = sorted(lag for lag in lags if lag <= max(3, min(100, shortest // 4)))
    space: dict[str, Any] = {
        "network": ["lstm", "gru"],
        "framing": ["window", "pairs"],
        "window": windows,
        "stateful": [True, False],
        "shuffle": ["none", "samples"],
        "batch_size": [size for size in (1, 16, 64) if size <= rows // 2],
        "units": {"int": [4, 64], "log": True},
        "epochs": {"int": [max(2, most // 10), most], "log": True},
        "learning_rate": {"float": [1e-3, 3e-2], "log": True},
    }
    if task.kind == "regression" and task.horizon:
        space["difference"] = [True, False]
    return {"objective": "skill", "trials": 40, "startup": 20, "confirm": 3, "space": space}


def strayed(document: Mapping[str, Any], where: Path) -> list[Fault]:
    """Returns which files of data a sweep file names outside the folder `where`."""
    found = []
    places = {"": document}
    recipes = document.get("recipes")
    if isinstance(recipes, Mapping):
        places |= {f"recipes.{key}.": own for key, own in recipes.items()
                   if isinstance(own, Mapping)}  # fmt: skip
    for prefix, own in places.items():
        named = own.get("file")
        if isinstance(named, str) and not _within(named, where):
            rule = "a sweep's data must lie in the working folder"
            repair = "copy the file there, or use `lstm-bench sweep --csv FILE`"
            found.append(Fault(f"{prefix}file", f"{rule}, but got {named!r}; {repair}"))
    return found


def _within(named: str, where: Path) -> bool:
    try:
        return (where / named).resolve().is_relative_to(where.resolve())
    except (OSError, ValueError):
        return False
