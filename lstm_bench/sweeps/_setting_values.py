"""Values that a setting can never have, even if no recipe uses them.

Recipes are validated with all their settings. A setting that every recipe overrides, or drops
because it does not apply, is in no recipe, and is checked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo

from lstm_bench.errors import Fault, RecipeError, unknown
from lstm_bench.recipes import FRAMINGS, Recipe, TaskRegistry, unknown_task_message
from lstm_bench.safety import broken_rule, shown_value
from lstm_bench.sweeps._entries import RESERVED_KEYS
from lstm_bench.tasks import Task


def value_faults(document: Mapping[str, Any], tasks: TaskRegistry) -> list[Fault]:
    """Returns a fault for each value in a sweep's document that its setting can never have.

    >>> from lstm_bench.recipes import BUILT_IN_TASKS
    >>> document = {"units": "x", "recipes": {"A": {"task": "memory", "units": 4}}}
    >>> [str(fault) for fault in value_faults(document, BUILT_IN_TASKS)]
    ["units: must be a whole number, but got 'x'"]
    """
    return [
        Fault(f"{place}{key}", message)
        for place, settings in _sections(document)
        for key, value in settings.items()
        for message in [_message(key, value, tasks)]
        if message
    ]


def _sections(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yields the mappings of settings in a document, each with where it is."""
    yield "", document
    listed = document.get("tasks")
    for number, part in enumerate(listed if isinstance(listed, list | tuple) else (), 1):
        if isinstance(part, Mapping):
            yield f"tasks.{number}.", {key: part[key] for key in part if key != "as"}
    recipes = document.get("recipes")
    for name, entry in recipes.items() if isinstance(recipes, Mapping) else ():
        if not isinstance(entry, Mapping):
            continue
        yield f"recipes.{name}.", {k: v for k, v in entry.items() if k not in RESERVED_KEYS}
        for task, part in (entry.get("per_task") or {}).items():
            settings = {k: v for k, v in part.items() if k not in RESERVED_KEYS}
            yield f"recipes.{name}.per_task.{task}.", settings


def _message(key: str, value: Any, tasks: TaskRegistry) -> str:
    """Returns what is wrong with a value of the setting `key`, or "" if nothing is."""
    if key == "task":
        return (
            "" if isinstance(value, str) and value in tasks else unknown_task_message(value, tasks)
        )
    if key == "framing":
        known = isinstance(value, str) and value in FRAMINGS
        return "" if known else unknown("framing", value, FRAMINGS)
    if key == "updates":
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        rule = "must be a whole number of weight updates, at least 1"
        return "" if whole else f"{rule}, but got {shown_value(value)}"
    models: list[type[BaseModel]] = [*tasks.values(), Recipe, *FRAMINGS.values()]
    messages = [_broken(model, key, value) for model in models if key in model.model_fields]
    return messages[0] if messages and all(messages) else ""


def field_type(field: FieldInfo) -> Any:
    """Returns the type of a model's field with its rules."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def strict_adapter(field: FieldInfo) -> TypeAdapter[Any]:
    """Returns the check of a field's type, as strict as the model: a field may allow more."""
    try:
        return TypeAdapter(field_type(field), config=ConfigDict(strict=True))
    except PydanticUserError:  # a model, which has a configuration of its own
        return TypeAdapter(field_type(field))


def _broken(model: type[BaseModel], key: str, value: Any) -> str:
    """Returns the rule of a model's field that a value breaks, or ""."""
    if issubclass(model, Task):  # which may read values before they are validated
        try:
            model(**{key: value})
        except RecipeError as error:
            return next((fault.message for fault in error.faults if fault.key == key), "")
        except Exception:  # a rule of the task, which holds between several parameters
            return ""
        return ""
    try:
        strict_adapter(model.model_fields[key]).validate_python(value)
    except ValidationError as error:
        rules = " or ".join(dict.fromkeys(broken_rule(dict(item)) for item in error.errors()))
        return f"{rules}, but got {shown_value(value)}"
    return ""
