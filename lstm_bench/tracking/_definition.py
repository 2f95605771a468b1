"""The definition of a search, and the differences of two definitions.

A search can be resumed only while its definition is unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from lstm_bench.data import default_name, default_search
from lstm_bench.errors import UserError
from lstm_bench.sweeps import BATCH, Search, Sweep
from lstm_bench.tasks import task_faults

CHANGEABLE = {"trials", "confirm", "ablate", "switches", "contexts", "split"}
"""Options of a search that may change, and it is still the same search."""


def search_definition(sweep: Sweep) -> dict[str, Any]:
    """Returns the definition of the search of `sweep`, as plain JSON values by dotted key.

    Empty for a sweep without a search: fixed recipes do not depend on how many others there are.
    """
    if sweep.search is None:
        return {}
    shared = {"first_seed": sweep.first_seed, **sweep.settings, **_fingerprint(sweep)}
    return _flattened(json.loads(json.dumps(shared | {"search": _defining_options(sweep.search)})))


def _defining_options(search: Search) -> dict[str, Any]:
    options = search.model_dump(mode="json", by_alias=True, exclude=CHANGEABLE)
    # Searches that were stored before batches could be chosen do not mention them.
    options["batch"] = search.batch_size
    return {key: value for key, value in options.items() if (key, value) != ("batch", BATCH)}


def _fingerprint(sweep: Sweep) -> dict[str, Any]:
    """Returns the fingerprint of the task's data under the key `data`, if the task has one.

    Empty if the settings that all recipes share do not yet define a task.
    """
    settings, task_class = sweep.settings, sweep.tasks[str(sweep.settings["task"])]
    parameters = {key: settings[key] for key in task_class.model_fields if key in settings}
    try:
        task = task_class(**parameters)
    except (ValidationError, UserError):
        return {}
    return {"data": task.fingerprint} if not task_faults(task) and task.fingerprint else {}


def _flattened(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns nested mappings as one, with dotted keys.

    >>> _flattened({"a": {"b": 1}, "c": [2]})
    {'a.b': 1, 'c': [2]}
    """
    flat: dict[str, Any] = {}
    for key, part in value.items():
        name = f"{prefix}{key}"
        flat |= _flattened(part, f"{name}.") if isinstance(part, Mapping) else {name: part}
    return flat


def describe_changes(sweep: Sweep, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns the changes of the definition of a sweep's search since `before`, one per line.

    Changed data are described in words. Changes of the default space that only follow from changed
    data are left out.
    """
    if "data" not in before.keys() & now.keys() or before["data"] == now["data"]:
        return compare_definitions(before, now)
    task, consequences = sweep.settings["task"], {"data"}
    message = f"the data that the task {task!r} makes have changed since it began"
    if task == "csv":
        message = f"{sweep.settings.get('file', 'the example')} has changed since it began"
        default = Search(**default_search(sweep.settings))
        defaults = _flattened({"search": _defining_options(default)})
        consequences |= {key for key, value in defaults.items() if now.get(key) == value}
    rest = [{k: v for k, v in facts.items() if k not in consequences} for facts in (before, now)]
    changes = compare_definitions(*rest)
    another_file = before.get("file") != now.get("file")  # then `changes` says so
    return changes if another_file else [message, *changes]


def compare_definitions(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns the differences between two definitions, one line a key.

    >>> compare_definitions({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4})
    ['b was 2, but is 3', 'c was not there, but is 4']
    """
    keys = sorted(before.keys() | now.keys())
    pairs = {key: (_value_as_text(before, key), _value_as_text(now, key)) for key in keys}
    return [f"{key} was {old}, but is {new}" for key, (old, new) in pairs.items() if old != new]


def _value_as_text(facts: Mapping[str, Any], key: str) -> str:
    return json.dumps(facts[key]) if key in facts else "not there"


def data_file(sweep: Sweep) -> str:
    """Returns the data file that a sweep is named after, or "" for a sweep of a YAML file."""
    file = str(sweep.settings.get("file", ""))
    if sweep.settings.get("task") != "csv" or not file:
        return ""
    return file if default_name(sweep.settings) == sweep.name else ""
