"""Files of data that a stored run or a sweep file names, held to the working folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_bench.errors import Fault, StoreError, UserError
from lstm_bench.recipes._recipe import Recipe, recipe


def files_outside(document: Mapping[str, Any], where: Path) -> list[Fault]:
    """Returns which files of data a sweep file names outside the folder `where`."""
    found = []
    places: dict[str, Any] = {"": document}
    for part in ("recipes", "refused"):
        given = document.get(part)
        for key, own in given.items() if isinstance(given, Mapping) else ():
            places |= {f"{part}.{key}.": own}
            if isinstance(own, Mapping):
                places |= {f"{part}.{key}.over.": own.get("over")}
    files = [
        (prefix, file)
        for prefix, own in places.items()
        if isinstance(own, Mapping)
        for file in (own["file"] if isinstance(own.get("file"), list) else [own.get("file")])
    ]
    for prefix, file in files:
        if isinstance(file, str) and not _within(file, where):
            rule = "a sweep's data must lie in the working folder"
            repair = "copy the file there, or use `lstm-bench sweep --csv FILE`"
            found.append(Fault(f"{prefix}file", f"{rule}, but got {file!r}; {repair}"))
    return found


def recipe_of_run(settings: Mapping[str, Any], digest: str) -> Recipe:
    """Returns the recipe of a finished run.

    Raises `StoreError` where it is one of a file outside the working folder that is not the file
    that was trained on, by the digest: a store of somebody else's may name any file, and what is
    in it must not go into a script or an answer.
    """
    if not files_outside({"recipes": {digest: settings}}, Path()):
        return recipe(**settings)
    try:
        found = recipe(**settings)
    except UserError:
        found = None
    if found is None or found.digest != digest:
        raise StoreError(
            f"{digest}: is a run of the file {settings['file']!r}, outside the working folder, "
            "which must be there and be the very file that was trained on, but is not; put it "
            "back, or run the sweep again"
        )
    return found


def _within(named: str, where: Path) -> bool:
    try:
        return (where / named).resolve().is_relative_to(where.resolve())
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a link to itself
        return False
