"""The rules for a task class: what it must define, and what it must not."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lstm_bench.errors import RecipeError, unknown
from lstm_bench.recipes import FRAMINGS, OUTPUT_LAYERS, Recipe, known_settings
from lstm_bench.sweeps._entries import RESERVED_KEYS
from lstm_bench.sweeps._sweep import Sweep
from lstm_bench.tasks import Task, error_origin

HELP = "see docs/howto/task.md, `Add a task of your own`"


def missing_parts(task: type[Task]) -> str:
    """Returns what a class lacks to be a task, as the end of a sentence; "" if it is complete."""
    missing = sorted(task.__abstractmethods__)
    name = getattr(task, "name", None)
    if name is None:
        missing = ["name", *missing]
    if missing:
        return f"must define {', '.join(missing)}, but does not; {HELP}"
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
        return f"must have a name of letters, digits, _ and -, but got {name!r}"
    if task.kind not in OUTPUT_LAYERS:
        return f"must be of kind {', '.join(OUTPUT_LAYERS)}, but got {task.kind!r}"
    reserved = sorted(set(task.model_fields) & reserved_names())
    if reserved:
        rule = "must not name parameters after keys of recipes or sweep files"
        pronoun = "it" if len(reserved) == 1 else "them"
        return f"{rule}, but has {', '.join(reserved)}; rename {pronoun}"
    if not isinstance(task.defaults, Mapping):
        return f"must have a mapping of settings as `defaults`, but got {task.defaults!r}"
    settings = known_settings(task)
    for key in task.defaults:
        if key not in settings:
            return f"must have only settings in `defaults`, but {unknown('setting', key, settings)}"
    try:
        task()
    except RecipeError as error:
        faults = "; ".join(map(str, error.faults))
        return f"must be creatable without arguments, as each has a default, but {faults}"
    except Exception as error:
        return f"must be creatable without arguments, but raised {error_origin(error)}"
    return ""


def reserved_names() -> set[str]:
    """Returns the names that no parameter of a task may have: keys of recipes and sweep files."""
    framings = (key for framing in FRAMINGS.values() for key in framing.model_fields)
    names = {"recipes", "updates", "seed", "version", "data"}
    sweep_keys = Sweep.model_fields.keys() - {"overrides", "planned_seeds"}
    return names.union(Recipe.model_fields, sweep_keys, RESERVED_KEYS, framings)
