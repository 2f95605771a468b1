"""What a sweep over a file of data does where nobody says otherwise: a search, and an account."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lstm_bench.data._csv_task import CsvTask
from lstm_bench.errors import Fault, RecipeError, UserError
from lstm_bench.safety import pydantic_faults

STEPS_A_RUN = 60_000
"""Rows that a training run of the usual search goes through, unless five epochs are more."""


def completed_sweep(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a sweep's document; one about data says what was found in them, and has a search.

    Raises `RecipeError` where the data are wrong.
    """
    recipes = document.get("recipes")
    if document.get("task") != "csv" or ("file" not in document and _each_its_own(recipes)):
        return dict(document)
    task = _task(document)
    told = f"Found in {task.file or 'the example'}: {'; '.join(task.summary())}."
    told = " ".join(told.split())  # a name with a line break in it would begin a line of its own
    about = "\n\n".join(filter(None, [str(document.get("about") or ""), told]))
    made = {"title": f"Which network forecasts {task.prepared.target}?"} | dict(document)
    made["about"] = about
    asked = document.get("search", None if recipes else {})
    if isinstance(asked, Mapping):
        found = search(task, document) if "space" not in asked else {}
        otherwise = document.get("evaluation", "teacher_forced") != "teacher_forced"
        objective = "accuracy" if otherwise else "skill"
        made["search"] = {"objective": objective, **found, **asked}
    return made


def _each_its_own(recipes: object) -> bool:
    """Returns whether recipes name files or targets of their own."""
    given = recipes.values() if isinstance(recipes, Mapping) else ()
    return any(isinstance(own, Mapping) and {"file", "target"} & own.keys() for own in given)


def default_search(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the search that a sweep about data has where it says nothing of one.

    Raises `RecipeError` where the data, or the settings of the task, are wrong.
    """
    return search(_task(document), document)


def default_name(document: Mapping[str, Any]) -> str:
    """Returns what a sweep over a file of data is called: the file's stem, and the target's name.

    Once, where they are the same.
    """
    target, stem = _task(document).prepared.target, Path(str(document["file"])).stem
    return stem if target == stem else f"{stem}-{target}"


def _task(document: Mapping[str, Any]) -> CsvTask:
    own = {key: value for key, value in document.items() if key in CsvTask.model_fields}
    try:
        made = CsvTask.suited(own)(**own)
    except UserError as error:
        raise RecipeError([Fault("file", str(error))]) from error
    except ValidationError as error:
        raise RecipeError(pydantic_faults(error, own)) from error
    assert isinstance(made, CsvTask)
    return made


def search(task: CsvTask, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a search that suits the length and the season of a file of data.

    Forty recipes of up to 200 epochs; where `STEPS_A_RUN` are fewer, so many, but at least five.
    What is `fixed` is not searched.
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
    if fixed.get("framing", "window") not in ("window", "feature_window"):
        del space["window"]
    space = {key: part for key, part in space.items() if key not in fixed and part}
    return {"trials": 40, "startup": 20, "confirm": 3, "space": space}
