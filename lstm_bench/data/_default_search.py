"""The default search and description of a sweep over a CSV file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lstm_bench.data._csv_parameters import CELL_PARAMETERS
from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._series import sequence_steps
from lstm_bench.errors import Fault, RecipeError, UserError

MAX_SHORT = 0.1
"""A default search leaves out series too short for its windows up to this share of the rows."""
LABELLED_TIMES = 10
"""How many more rows a run of a default search for one label a sequence processes."""
ROWS_PER_RUN = 60_000
"""Rows that a training run of the default search processes, unless five epochs are more."""


MAX_SEARCH_ROWS = 20_000
"""Rows that a default search uses, the latest of a longer file.

Three fifths of them are the training set, of which five epochs are `ROWS_PER_RUN`.
A search over so many rows ends within ten minutes on two cores: see LOG.md.
"""


def limit_rows(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a sweep's document with `latest` set if its file is too long for a default search.

    A document that has `latest` is returned as it is. The limit depends on the number of rows
    alone, so that every machine runs the same search and can resume it. Raises `RecipeError` if
    the file cannot be read.
    """
    file = document.get("file")
    if "latest" in document or not isinstance(file, str) or document.get("label_per_sequence"):
        return dict(document)
    try:
        keys = {"file", "text", *CELL_PARAMETERS} & document.keys()
        short = CsvTask(**{key: document[key] for key in keys}).row_count <= MAX_SEARCH_ROWS
    except RecipeError:
        raise
    except UserError as error:
        raise RecipeError([Fault("file", str(error))]) from error
    return dict(document) if short else {**document, "latest": MAX_SEARCH_ROWS}


def complete_sweep(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a sweep's document with defaults if it is about a CSV file; otherwise unchanged.

    The defaults are a title, a description of what was inferred from the file, and a search.

    Raises `RecipeError` if the file or the settings of the task are wrong.
    """
    recipes = document.get("recipes")
    if document.get("task") != "csv" or ("file" not in document and _choose_data(recipes)):
        return dict(document)
    search = document.get("search", None if recipes else {})
    if isinstance(search, Mapping) and "space" not in search:
        document = limit_rows(document)
        document = {**default_settings(document), **document}
    task = _task(document)
    inferred = f"Found in {task.file or 'the file of the example'}: {'; '.join(task.summary())}."
    if isinstance(search, Mapping) and task.latest == MAX_SEARCH_ROWS < task.row_count:
        inferred += (
            f" A default search over a longer file uses its latest {MAX_SEARCH_ROWS:,} rows, to "
            f"end within some ten minutes on two cores; latest={task.row_count} uses all."
        )
    inferred = " ".join(inferred.split())  # a line break in a name would start a new line
    about = "\n\n".join(filter(None, [str(document.get("about") or ""), inferred]))
    verb = "labels sequences by" if task.label_per_sequence else "forecasts"
    completed = {"title": f"Which network {verb} {task.prepared.target}?"} | dict(document)
    completed["about"] = about
    if isinstance(search, Mapping):
        defaults = _search(task, document) if "space" not in search else {}
        teacher_forced = document.get("evaluation", "teacher_forced") == "teacher_forced"
        objective = "skill" if teacher_forced else "accuracy"
        completed["search"] = {"objective": objective, **defaults, **search}
    return completed


def _choose_data(recipes: object) -> bool:
    """Returns whether some of a sweep's recipes set their own file or target."""
    settings = recipes.values() if isinstance(recipes, Mapping) else ()
    return any(isinstance(s, Mapping) and {"file", "target"} & s.keys() for s in settings)


def default_search(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the search of a sweep over a CSV file whose document has none.

    Raises `RecipeError` if the file or the settings of the task are wrong.
    """
    return _search(_task(limit_rows(document)), document)


def default_settings(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of the task that the search of `default_search` needs.

    They are `shortest`, if windows suit the long series of a file but not a few short ones. Raises
    `RecipeError` if the file or the settings of the task are wrong.
    """
    if document.get("label_per_sequence"):
        return {}
    task = _task(document)
    lengths = sequence_steps(task.prepared.series, task.horizon)
    if "shortest" in document or len(lengths) < 2:
        return {}
    series = sorted(task.prepared.series, key=lambda s: lengths[s.name])
    few = np.cumsum([len(s) for s in series]) <= MAX_SHORT * sum(map(len, series))
    kept = [lengths[s.name] for s, is_few in zip(series, few, strict=True) if not is_few]
    largest = max(_windows(task, kept), default=0)
    return {"shortest": largest} if largest > min(lengths.values()) else {}


def _windows(task: CsvTask, lengths: Collection[int]) -> list[int]:
    """Returns the windows to search if the shortest sequences of the series have these lengths."""
    lags = {3, 6, 12, *([task.prepared.season] if task.prepared.season else [])}
    trained = min((len(s) for s in task.problem(0).train if len(s) >= min(lengths)), default=0)
    largest = max(3, min(100, trained // 4))
    return sorted(lag for lag in lags if lag <= largest and lag <= min(lengths))


def default_name(document: Mapping[str, Any]) -> str:
    """Returns the name of a sweep over a CSV file: the file's stem and the target, `shop-sales`.

    If they are the same, the name is just that.
    """
    target, stem = _task(document).prepared.target, Path(str(document["file"])).stem
    return stem if target == stem else f"{stem}-{target}"


def _task(document: Mapping[str, Any]) -> CsvTask:
    parameters = {key: value for key, value in document.items() if key in CsvTask.model_fields}
    try:
        task = CsvTask.class_for(parameters)(**parameters)
    except RecipeError:
        raise
    except UserError as error:
        raise RecipeError([Fault("file", str(error))]) from error
    assert isinstance(task, CsvTask)
    return task


def _search(task: CsvTask, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a search that suits the length and the season of a CSV file.

    It has 40 trials of up to 200 epochs; if `ROWS_PER_RUN` are reached earlier, of as many epochs
    as that, but at least five. Settings in `fixed` are not searched.
    """
    lengths = [len(sequence) for sequence in task.problem(0).train]
    if task.label_per_sequence:
        return _label_search(lengths, fixed)
    rows = sum(lengths)
    max_epochs = max(5, min(200, ROWS_PER_RUN // rows))
    space: dict[str, Any] = {
        "network": ["lstm", "gru"],
        "framing": ["window", "pairs"],
        "window": _windows(task, sequence_steps(task.prepared.series, task.horizon).values()),
        "stateful": [True, False],
        "shuffle": ["none", "samples"],
        "batch_size": [size for size in (1, 16, 64) if size <= rows // 2],
        "units": {"int": [4, 64], "log": True},
        "epochs": {"int": [max(2, max_epochs // 10), max_epochs], "log": True},
        "learning_rate": {"float": [1e-3, 3e-2], "log": True},
    }
    if task.kind == "regression" and task.horizon:
        space["difference"] = [True, False]
    if not space["window"]:
        space["framing"] = ["pairs"]
    if fixed.get("framing", "window") not in ("window", "feature_window"):
        del space["window"]
    space = {key: values for key, values in space.items() if key not in fixed and values}
    return {"trials": 40, "startup": 20, "confirm": 3, "space": space}


def _label_search(lengths: Sequence[int], fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a search for one label a sequence; `lengths` are those of the training sequences.

    They are whole samples, in batches, so that a row takes a fraction of the time of one that is
    forecast: a run processes up to `LABELLED_TIMES` times `ROWS_PER_RUN`, shorter ones padded.
    """
    rows = len(lengths) * max(lengths)
    max_epochs = max(5, min(200, LABELLED_TIMES * ROWS_PER_RUN // rows))
    space: dict[str, Any] = {
        "network": ["lstm", "gru"],
        "batch_size": [size for size in (4, 16, 64) if size <= len(lengths) // 2],
        "units": {"int": [4, 64], "log": True},
        "epochs": {"int": [max(2, max_epochs // 10), max_epochs], "log": True},
        "learning_rate": {"float": [1e-3, 3e-2], "log": True},
    }
    space = {key: values for key, values in space.items() if key not in fixed and values}
    return {"trials": 40, "startup": 20, "confirm": 3, "space": space}
