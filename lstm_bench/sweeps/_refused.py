"""The refused configurations of a sweep file, which are illegal, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from lstm_bench.errors import Fault, RecipeError, unknown
from lstm_bench.recipes import TaskRegistry, known_settings, unknown_task_message
from lstm_bench.sweeps._conditions import overlay_settings
from lstm_bench.sweeps._entries import NO_TASK, build_recipe, value_as_text


class RefusedEntry(BaseModel):
    """Settings that a sweep lists as refused, and the error message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: str
    """The settings, as key=value words."""
    reason: str
    published: str = ""


def read_refused(
    mapping: object, shared: Mapping[str, Any], tasks: TaskRegistry, faults: list[Fault]
) -> dict[str, RefusedEntry]:
    """Returns the refused configurations of a sweep by id; a legal one is added to `faults`."""
    if not isinstance(mapping, Mapping):
        faults.append(Fault("refused", f"must map ids to settings, but got {mapping!r}"))
        return {}
    refused = {}
    for key, value in mapping.items():
        if not isinstance(value, Mapping):
            faults.append(Fault(f"refused.{key}", f"must be a mapping, but got {value!r}"))
            continue
        given = {str(k): v for k, v in value.items()}
        published = str(given.pop("published", ""))
        settings = overlay_settings(shared, given, tasks)
        task = tasks.get(str(settings.get("task")))
        allowed = {"task", "updates"} | (known_settings(task) if task else set())
        wrong = sorted(given.keys() - allowed)
        typos = [Fault(f"refused.{key}.{k}", unknown("setting", k, allowed)) for k in wrong]
        if task is None:
            message = (
                unknown_task_message(settings["task"], tasks) if settings.get("task") else NO_TASK
            )
            typos = [Fault(f"refused.{key}.task", message)]
        if typos:
            faults += typos
            continue
        try:
            legal = build_recipe(settings, tasks)
        except RecipeError as error:
            words = " ".join(f"{k}={value_as_text(v)}" for k, v in given.items())
            refused[str(key)] = RefusedEntry(asked=words, reason=str(error), published=published)
            continue
        faults.append(Fault(f"refused.{key}", f"is legal ({legal.name}); move it to recipes"))
    return refused
