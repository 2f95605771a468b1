"""Mutations of a run store."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from . import bytewise, documents
from .sandbox import ASTRAY

NAMES = (
    f"/../..{ASTRAY}", "../neighbour", "../../x", "..", ".", "", "a/b", "a\\b", "{neighbour}",
    "{neighbour}/", "~", "con", "\x1b[2J", "\x00", "\x9b", "a\nb", "\u202etxt", "x" * 300,
    "x" * 20_000, "日本", " ", "[red]x[/red]", "[/]", "%2e%2e",
    "</script><script>alert(1)</script>", "${oc.env:LSTM_BENCH_SECRET}", "-x", "small",
    "index.html", "\udcff",
)  # fmt: skip
"""Names for sweeps and runs; `{neighbour}` is the absolute path of a folder outside.

Names like `/` are left out: a faulty command would write where the tests do not look.
"""
LOCATIONS = (
    "file:///etc", "/etc", "..", "", "file://{neighbour}", "{neighbour}", "ftp://localhost:1/x",
    "http://127.0.0.1:1/x", "mlflow-artifacts:/x", "s3://x/y", "file:///%00", "x" * 5000,
    "file:///proc/self", "runs:/x/y", "models:/x/1",
)  # fmt: skip
"""Locations that a store may give for the files of a run."""


def damage(folder: Path, rng: random.Random) -> str:
    """Damages one part of a store; returns the kind of damage."""
    kind = rng.choice(list(DAMAGES))
    DAMAGES[kind](folder, rng)
    return kind


def _files(folder: Path, pattern: str = "*") -> list[Path]:
    """Returns the files of a store without its reports, in an order independent of run ids."""
    files = [path for path in (folder / "mlartifacts").rglob(pattern) if path.is_file()]
    files = [path for path in files if "report" not in path.parts[len(folder.parts) :]]
    database = folder / "mlflow.db"
    files += [database] if pattern == "*" and database.is_file() else []
    return sorted(files, key=lambda path: (path.name, path.stat().st_size, path))


def _writable_file(folder: Path, rng: random.Random, pattern: str = "*") -> Path | None:
    """Returns a file of the store, after replacing the hard link to it by a copy.

    None if earlier damage has left no such file.
    """
    files = _files(folder, pattern)
    if not files:
        return None
    path = rng.choice(files)
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    return path


def _change_bytes(folder: Path, rng: random.Random) -> None:
    path = _writable_file(folder, rng)
    if path is not None:
        path.write_bytes(bytewise.mutated(path.read_bytes(), rng))


def _truncate(folder: Path, rng: random.Random) -> None:
    path = _writable_file(folder, rng)
    if path is None:
        return
    size = path.stat().st_size
    os.truncate(path, rng.choice((0, 1, size // 2, max(size - 1, 0))))


def _replace_file(folder: Path, rng: random.Random) -> None:
    path = _writable_file(folder, rng)
    if path is None:
        return
    path.unlink()
    match rng.randrange(7):
        case 0:
            path.mkdir()
        case 1:
            path.symlink_to(path.name)
        case 2:
            path.symlink_to(folder.parent / "secret.csv")
        case 3:
            path.symlink_to("/dev/null")
        case 4:
            os.mkfifo(path)
        case 5 if path.parent != folder:
            shutil.rmtree(path.parent)
        case _:
            pass


def _change_json(folder: Path, rng: random.Random) -> None:
    pattern = rng.choice(("sweep.json", "sweep.json", "outcome.json"))
    path = _writable_file(folder, rng, pattern)
    if path is None:
        return
    try:
        document = json.loads(path.read_bytes())
    except ValueError:  # damaged before
        return
    positions = documents.positions([document])
    keys = {key for parent, key in positions if isinstance(parent, dict) and isinstance(key, str)}
    keys_or_name = sorted(keys) or ["name"]
    if rng.random() < 0.4 and isinstance(document, dict):
        document["name"] = _name(folder, rng)
    else:
        odd = [*NAMES, *keys_or_name]
        document = documents.mutated(document, rng, keys_or_name, odd)
    path.write_text(json.dumps(document, skipkeys=True), encoding="utf-8")


def _name(folder: Path, rng: random.Random, names: tuple[str, ...] = NAMES) -> str:
    """Returns one of `names`, with the path of the neighbour filled in."""
    return rng.choice(names).replace("{neighbour}", str(folder.parent / "neighbour"))


def _change_table(folder: Path, rng: random.Random) -> None:
    """Rewrites a table with other cells or columns, or replaces it by another table."""
    path, other = (_writable_file(folder, rng, "*.parquet") for _ in range(2))
    if path is None or other is None:
        return
    if rng.random() < 0.3:
        path.write_bytes(other.read_bytes())
        return
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError):  # damaged before
        return
    columns = list(table.columns)
    column = rng.choice(columns)
    values: list[Any] = table[column].tolist()
    match rng.randrange(7):
        case 0:
            table = table.drop(columns=column)
        case 1:
            table = table.rename(columns={column: _name(folder, rng).replace("\udcff", "x")})
        case 2:
            table = table.head(rng.choice((0, 1)))
        case 3:
            table = pd.concat([table, table], ignore_index=True)
        case 4:
            table[column] = [str(value) for value in values]
        case 5:
            odd = rng.choice((math.nan, math.inf, -1.0, 1e308, 2.0**62))
            table[column] = [odd if rng.random() < 0.5 else 1.0 for _ in values]
        case _:
            odd = rng.choice((None, True, 0, -1, "\x1b[2J", b"\xff", [1, 2]))
            table[column] = [odd for _ in values]
    table.to_parquet(path)


def _change_rows(folder: Path, rng: random.Random) -> None:
    """Edits the database with SQL."""
    path = folder / "mlflow.db"
    if not path.is_file():
        return
    with sqlite3.connect(path) as database:
        try:
            query, values = rng.choice(QUERIES)(folder, rng)
            database.execute("pragma foreign_keys = off")
            database.execute(query, values)
        except (sqlite3.Error, UnicodeEncodeError):  # damaged before, or the value is refused
            pass
    database.close()


Query = tuple[str, tuple[Any, ...]]


def _update(
    table: str, column: str, values: tuple[str, ...]
) -> Callable[[Path, random.Random], Query]:
    """Returns a function that gives a query to set a column of one row, or sometimes of all."""

    def query(folder: Path, rng: random.Random) -> Query:
        condition = "" if rng.random() < 0.2 else " where rowid in " + ROW.format(table)
        return f"update {table} set {column} = ?{condition}", (_name(folder, rng, values),)

    return query


def _fixed(query: str) -> Callable[[Path, random.Random], Query]:
    """Returns a function that always gives the same query."""
    return lambda folder, rng: (query, ())


ROW = "(select rowid from {} order by random() limit 1)"
TABLES = ("tags", "runs", "experiments", "params", "latest_metrics")
NUMBERS = ("", "x", "-1", "0", "1e400", "9" * 30, "nan", "\x1b[2J", "2000000000000")
QUERIES = (
    *[_update("experiments", "name", NAMES)] * 4,
    *[_update("experiments", "artifact_location", LOCATIONS)] * 2,
    _update("experiments", "lifecycle_stage", ("deleted", "x", "")),
    _update("experiments", "creation_time", NUMBERS),
    *[_update("runs", "artifact_uri", LOCATIONS)] * 3, _update("runs", "name", NAMES),
    _update("runs", "status", ("RUNNING", "FAILED", "x", "", "\x1b[2J")),
    _update("runs", "start_time", NUMBERS), _update("runs", "end_time", NUMBERS),
    _update("runs", "lifecycle_stage", ("deleted", "x")), _update("runs", "experiment_id", NUMBERS),
    *[_update("tags", "value", (*NAMES, *NUMBERS))] * 6,
    *[_update("tags", "key", (*NAMES, "kind", "outcome", "digest", "taken_up", "seed_count"))] * 2,
    _update("params", "value", NAMES), _update("params", "key", NAMES),
    _update("latest_metrics", "value", NUMBERS),
    _update("alembic_version", "version_num", ("x", "", "zzzz")),
    *[_fixed(f"delete from {t} where rowid in {ROW.format(t)}") for t in TABLES],
    *[_fixed(f"delete from {table}") for table in TABLES],
    *[_fixed(f"drop table {table}") for table in (*TABLES, "alembic_version")],
    _fixed("insert into tags select 'taken_up', 'soon', run_uuid from runs"),
    _fixed("update tags set value = 'sweep' where key = 'kind'"),
    _fixed("update tags set value = 'x' where key = 'seed_count'"),
)  # fmt: skip
DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "bytes": _change_bytes,
    "cut": _truncate,
    "gone": _replace_file,
    "json": _change_json,
    "tables": _change_table,
    "rows": _change_rows,
}
