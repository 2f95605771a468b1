"""Data files that a stored run or a sweep file names, restricted to the working folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_bench.errors import Fault, StoreError, UserError
from lstm_bench.recipes._recipe import Recipe, recipe_from_settings
from lstm_bench.recipes._registry import TaskRegistry


def files_outside(document: Mapping[str, Any], folder: Path) -> list[Fault]:
    """Returns a fault for each data file that a sweep file names outside `folder`."""
    sections: dict[str, Any] = {"": document}
    for part in ("recipes", "refused"):
        entries = document.get(part)
        for name, entry in entries.items() if isinstance(entries, Mapping) else ():
            sections |= {f"{part}.{name}.": entry}
            if isinstance(entry, Mapping):
                sections |= {f"{part}.{name}.over.": entry.get("over")}
                sections |= _members(f"{part}.{name}.per_task", entry.get("per_task"))
    sections |= _members("tasks", document.get("tasks"))
    files = [
        (prefix, file)
        for prefix, settings in sections.items()
        if isinstance(settings, Mapping)
        for file in (
            settings["file"] if isinstance(settings.get("file"), list) else [settings.get("file")]
        )
    ]
    faults = []
    for prefix, file in files:
        if isinstance(file, str) and not _is_within(file, folder):
            rule = "a sweep's data must lie in the working folder"
            repair = "copy the file there, or use `lstm-bench sweep --csv FILE`"
            faults.append(Fault(f"{prefix}file", f"{rule}, but got {file!r}; {repair}"))
    return faults


def _members(place: str, parts: object) -> dict[str, Any]:
    """Returns the members of a mapping or a list, with the prefixes of their keys in messages."""
    if isinstance(parts, Mapping):
        return {f"{place}.{key}.": part for key, part in parts.items()}
    listed = parts if isinstance(parts, list | tuple) else ()
    return {f"{place}.{number}.": part for number, part in enumerate(listed, 1)}


def recipe_of_run(
    settings: Mapping[str, Any], digest: str, tasks: TaskRegistry, unchanged: bool = True
) -> Recipe:
    """Returns the recipe of a finished run, whose task is one of `tasks`.

    Raises `StoreError` if the run's data file is missing, or, where it must be `unchanged`, is not
    the file that the run was trained on, judged by the digest. A file outside the working folder
    must always be: a store from someone else may name any file, and the content of that file must
    not get into a script or a prediction.
    """
    if not files_outside({"recipes": {digest: settings}}, Path()):
        file = settings.get("file")
        if isinstance(file, str) and not _is_file(file):
            raise StoreError(
                f"{digest}: this run was trained on {file!r}, whose rows are not in the store, so "
                "that file must be in the working folder, but it is missing; restore it there, or "
                "take the trained network alone: `lstm-bench export ... --model NAME.keras`"
            )
        recipe = recipe_from_settings(settings, tasks)
        if isinstance(file, str) and unchanged and recipe.digest != digest:
            raise StoreError(
                f"{digest}: this run was trained on {file!r} as it was, so that file must be "
                "unchanged, but it has other content now; restore it, or run the sweep again"
            )
        return recipe
    try:
        rebuilt = recipe_from_settings(settings, tasks)
    except UserError:
        rebuilt = None
    if rebuilt is None or rebuilt.digest != digest:
        raise StoreError(
            f"{digest}: this run's data file {settings['file']!r} is outside the working folder, "
            "so it must exist and be the file that the run was trained on, but it is not; restore "
            "that file, or run the sweep again"
        )
    return rebuilt


def _is_file(file: str) -> bool:
    try:
        return Path(file).is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _is_within(file: str, folder: Path) -> bool:
    try:
        return (folder / file).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a link to itself
        return False
