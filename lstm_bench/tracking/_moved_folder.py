"""The places of the files of runs after the working folder was moved or copied.

MLflow stores the place of a run's files as an absolute address. A moved or copied folder has
`mlflow.db` and `mlartifacts`, but these addresses still name the old folder. Files in the store's
folder of artifacts belong to its runs, because run ids are unique.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from lstm_bench.tracking._connection import CONNECT_TIMEOUT, local_path

PLACES = "select e.experiment_id, e.artifact_location, r.run_uuid, r.artifact_uri from experiments"
PLACES += " e left join runs r on r.experiment_id = e.experiment_id"
UPDATES = [
    f"update {table} set {column} = ? || substr({column}, ?) where substr({column}, 1, ?) = ?"
    for table, column in (
        ("experiments", "artifact_location"),
        ("runs", "artifact_uri"),
        ("logged_models", "artifact_location"),
    )
]
TAIL = 3
"""Parts of the path of a run's files that are below the folder of artifacts: NAME/RUN/artifacts."""


def current_folder(folder: Path, run_id: str, artifacts: Path, database: Path | None) -> Path:
    """Returns the folder of a run's files, for which the store names `folder`.

    It is the folder of this run in the store's folder of `artifacts`, if it exists. Else it is the
    folder next to the `database`, which is there if the database of another folder is read. Else
    it is `folder`.
    """
    tail, roots = folder.parts[-TAIL:], [artifacts]
    if database is not None and len(folder.parts) > TAIL:
        roots.append(database.resolve().parent / folder.parts[-TAIL - 1])
    if len(tail) == TAIL and tail[1] == run_id:
        for root in roots:
            if _exists(root.joinpath(*tail)):
                return root.joinpath(*tail)
    return folder


def adopt_moved_runs(database: Path, artifacts: Path) -> str | None:
    """Rewrites the places of files in a SQLite store whose working folder was moved or copied.

    If the database names another folder of artifacts, and `artifacts` has files of its runs, then
    `artifacts` replaces that folder. All places are changed in one transaction. Returns the folder
    that was replaced, or None. A database that cannot be written is left unchanged.
    """
    with contextlib.closing(sqlite3.connect(database, timeout=CONNECT_TIMEOUT)) as connection:
        moved = _moved_roots(connection, artifacts)
        if not moved:
            return None
        try:
            connection.isolation_level = None
            connection.execute("begin immediate")
            for root in moved:
                values = (artifacts.as_uri(), len(root) + 1, len(root) + 1, f"{root}/")
                for statement in UPDATES:
                    connection.execute(statement, values)
            connection.execute("commit")
        except sqlite3.OperationalError:  # read-only, or in use: places are translated when read
            return None
    return str(local_path(moved[0]))


def _moved_roots(connection: sqlite3.Connection, artifacts: Path) -> list[str]:
    """Returns the folders of artifacts in a database that `artifacts` replaces."""
    by_root: dict[str, list[tuple[str, str]]] = {}
    for _, location, run_id, uri in connection.execute(PLACES):
        root = str(location or "").rpartition("/")[0]
        runs = by_root.setdefault(root, [])
        if run_id and str(uri or "").startswith(f"{root}/"):
            runs.append((str(run_id), str(uri)))
    return [root for root, runs in by_root.items() if _is_moved(root, runs, artifacts)]


def _is_moved(root: str, runs: list[tuple[str, str]], artifacts: Path) -> bool:
    """Returns whether the files of `runs`, (id, address), moved from `root` to `artifacts`."""
    folder = local_path(root)
    if folder is None or not folder.is_absolute() or ".." in folder.parts or not runs:
        return False
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # a path that no file can have
        if folder.resolve() == artifacts:
            return False
    places = [(local_path(uri), run_id) for run_id, uri in runs]
    return any(
        current_folder(place, run_id, artifacts, None) != place for place, run_id in places if place
    )


def _exists(path: Path) -> bool:
    """Returns whether there is a folder `path`; addresses in a damaged store may be no paths."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
