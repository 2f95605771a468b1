"""Ways to damage a run store."""

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
from .world import ASTRAY

NAMES = (
    f"/../..{ASTRAY}", "../neighbour", "../../x", "..", ".", "", "a/b", "a\\b", "{neighbour}",
    "{neighbour}/", "~", "con", "\x1b[2J", "\x00", "\x9b", "a\nb", "\u202etxt", "x" * 300,
    "x" * 20_000, "日本", " ", "[red]x[/red]", "[/]", "%2e%2e",
    "</script><script>alert(1)</script>", "${oc.env:LSTM_BENCH_SECRET}", "-x", "small",
    "index.html", "\udcff",
)  # fmt: skip
"""What sweeps and runs may be called; `{neighbour}` is the absolute path of a folder outside.

Nothing that would have a wrong command write where the tests do not look, as `/` would.
"""
PLACES = (
    "file:///etc", "/etc", "..", "", "file://{neighbour}", "{neighbour}", "ftp://localhost:1/x",
    "http://127.0.0.1:1/x", "mlflow-artifacts:/x", "s3://x/y", "file:///%00", "x" * 5000,
    "file:///proc/self", "runs:/x/y", "models:/x/1",
)  # fmt: skip
"""Where a store may say that the files of a run lie."""


def damage(here: Path, chance: random.Random) -> str:
    """Damages one thing of a store; returns the kind of damage."""
    kind = chance.choice(list(DAMAGES))
    DAMAGES[kind](here, chance)
    return kind


def _files(here: Path, pattern: str = "*") -> list[Path]:
    """Returns the files of a store, without its reports, in an order that no run's id changes."""
    found = [path for path in (here / "mlartifacts").rglob(pattern) if path.is_file()]
    found = [path for path in found if "report" not in path.parts[len(here.parts) :]]
    database = here / "mlflow.db"
    found += [database] if pattern == "*" and database.is_file() else []
    return sorted(found, key=lambda path: (path.name, path.stat().st_size, path))


def _a_file(here: Path, chance: random.Random, pattern: str = "*") -> Path | None:
    """Returns a file that may be written, for it is no link to that of another copy.

    None where earlier damage has left no such file.
    """
    files = _files(here, pattern)
    if not files:
        return None
    path = chance.choice(files)
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    return path


def _bytes(here: Path, chance: random.Random) -> None:
    path = _a_file(here, chance)
    if path is not None:
        path.write_bytes(bytewise.damaged(path.read_bytes(), chance))


def _cut(here: Path, chance: random.Random) -> None:
    path = _a_file(here, chance)
    if path is None:
        return
    size = path.stat().st_size
    os.truncate(path, chance.choice((0, 1, size // 2, max(size - 1, 0))))


def _gone(here: Path, chance: random.Random) -> None:
    path = _a_file(here, chance)
    if path is None:
        return
    path.unlink()
    match chance.randrange(7):
        case 0:
            path.mkdir()
        case 1:
            path.symlink_to(path.name)
        case 2:
            path.symlink_to(here.parent / "secret.csv")
        case 3:
            path.symlink_to("/dev/null")
        case 4:
            os.mkfifo(path)
        case 5 if path.parent != here:
            shutil.rmtree(path.parent)
        case _:
            pass


def _json(here: Path, chance: random.Random) -> None:
    pattern = chance.choice(("sweep.json", "sweep.json", "outcome.json"))
    path = _a_file(here, chance, pattern)
    if path is None:
        return
    try:
        document = json.loads(path.read_bytes())
    except ValueError:  # was damaged just before
        return
    found = [key for above, key in documents.places([document]) if isinstance(above, dict)]
    words = sorted({key for key in found if isinstance(key, str)}) or ["name"]
    if chance.random() < 0.4 and isinstance(document, dict):
        document["name"] = _name(here, chance)
    else:
        document = documents.mutated(document, chance, words, [*NAMES, *words])
    path.write_text(json.dumps(document, skipkeys=True), encoding="utf-8")


def _name(here: Path, chance: random.Random, names: tuple[str, ...] = NAMES) -> str:
    return chance.choice(names).replace("{neighbour}", str(here.parent / "neighbour"))


def _tables(here: Path, chance: random.Random) -> None:
    """Writes a table anew, with other cells, other columns, or in the place of another one."""
    path, other = (_a_file(here, chance, "*.parquet") for _ in range(2))
    if path is None or other is None:
        return
    if chance.random() < 0.3:
        path.write_bytes(other.read_bytes())
        return
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError):  # was damaged just before
        return
    columns = list(table.columns)
    column = chance.choice(columns)
    values: list[Any] = table[column].tolist()
    match chance.randrange(7):
        case 0:
            table = table.drop(columns=column)
        case 1:
            table = table.rename(columns={column: _name(here, chance).replace("\udcff", "x")})
        case 2:
            table = table.head(chance.choice((0, 1)))
        case 3:
            table = pd.concat([table, table], ignore_index=True)
        case 4:
            table[column] = [str(value) for value in values]
        case 5:
            odd = chance.choice((math.nan, math.inf, -1.0, 1e308, 2.0**62))
            table[column] = [odd if chance.random() < 0.5 else 1.0 for _ in values]
        case _:
            strange = chance.choice((None, True, 0, -1, "\x1b[2J", b"\xff", [1, 2]))
            table[column] = [strange for _ in values]
    table.to_parquet(path)


def _rows(here: Path, chance: random.Random) -> None:
    """Edits the database with SQL, as anybody may."""
    path = here / "mlflow.db"
    if not path.is_file():
        return
    with sqlite3.connect(path) as database:
        try:
            query, values = chance.choice(QUERIES)(here, chance)
            database.execute("pragma foreign_keys = off")
            database.execute(query, values)
        except (sqlite3.Error, UnicodeEncodeError):  # was damaged just before, or will not have it
            pass
    database.close()


Query = tuple[str, tuple[Any, ...]]


def _one(table: str, column: str, names: tuple[str, ...]) -> Callable[[Path, random.Random], Query]:
    """Returns what sets a column of one row of a table, and of some of all."""

    def made(here: Path, chance: random.Random) -> Query:
        some = "" if chance.random() < 0.2 else " where rowid in " + ROW.format(table)
        return f"update {table} set {column} = ?{some}", (_name(here, chance, names),)

    return made


def _plain(query: str) -> Callable[[Path, random.Random], Query]:
    return lambda here, chance: (query, ())


ROW = "(select rowid from {} order by random() limit 1)"
TABLES = ("tags", "runs", "experiments", "params", "latest_metrics")
NUMBERS = ("", "x", "-1", "0", "1e400", "9" * 30, "nan", "\x1b[2J", "2000000000000")
QUERIES = (
    *[_one("experiments", "name", NAMES)] * 4,
    *[_one("experiments", "artifact_location", PLACES)] * 2,
    _one("experiments", "lifecycle_stage", ("deleted", "x", "")),
    _one("experiments", "creation_time", NUMBERS), *[_one("runs", "artifact_uri", PLACES)] * 3,
    _one("runs", "name", NAMES), _one("runs", "status", ("RUNNING", "FAILED", "x", "", "\x1b[2J")),
    _one("runs", "start_time", NUMBERS), _one("runs", "end_time", NUMBERS),
    _one("runs", "lifecycle_stage", ("deleted", "x")), _one("runs", "experiment_id", NUMBERS),
    *[_one("tags", "value", (*NAMES, *NUMBERS))] * 6,
    *[_one("tags", "key", (*NAMES, "kind", "outcome", "digest", "taken_up", "seed_count"))] * 2,
    _one("params", "value", NAMES), _one("params", "key", NAMES),
    _one("latest_metrics", "value", NUMBERS),
    _one("alembic_version", "version_num", ("x", "", "zzzz")),
    *[_plain(f"delete from {t} where rowid in {ROW.format(t)}") for t in TABLES],
    *[_plain(f"delete from {table}") for table in TABLES],
    *[_plain(f"drop table {table}") for table in (*TABLES, "alembic_version")],
    _plain("insert into tags select 'taken_up', 'soon', run_uuid from runs"),
    _plain("update tags set value = 'sweep' where key = 'kind'"),
    _plain("update tags set value = 'x' where key = 'seed_count'"),
)  # fmt: skip
DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "bytes": _bytes,
    "cut": _cut,
    "gone": _gone,
    "json": _json,
    "tables": _tables,
    "rows": _rows,
}
