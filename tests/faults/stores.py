"""Mutated run stores: a real one is made once, copied, and damaged."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from .damages import damage
from .fuzzing import Case, Make
from .world import World

SMALL = """\
title: Small
task: memory
seeds: 2
units: 3
epochs: 4
recipes:
  A1: {published: all right, accuracy: 1.0, claim: solved}
  A2: {base: A1, batch_size: 4}
comparisons:
  A2 against A1: {of: A2, to: A1}
refused:
  D3: {stateful: true, shuffle: samples, published: meaningless}
search:
  trials: 3
  startup: 2
  confirm: 1
  space: {learning_rate: [1.0e-3, 1.0e-2]}
"""
SHOP = """\
title: Shop
task: csv
file: shop.csv
target: sales
target_kind: real
seeds: 2
units: 3
epochs: 2
recipes:
  S1: {}
"""
MAY_WRITE = r"a/b/here/reports(/(?!.*notes\.txt).*)?"
"""The reports, but for what the user has put beside them."""
OPENED = r"a/b/here/mlflow\.db"
"""MLflow lays what it misses into a database that it opens; that no row is lost is seen apart."""


class Making:
    """Two sweeps that make a store, while the caller does something else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Making:
        (self._folder / "conf").mkdir()
        (self._folder / "conf" / "default.yaml").write_text("workers: 1\n")
        months = [f"{2000 + n // 12}-{n % 12 + 1:02}" for n in range(60)]
        rows = [f"{m},{10 + 5 * math.sin(n / 2):.2f},{n % 7}" for n, m in enumerate(months)]
        (self._folder / "shop.csv").write_text("\n".join(["month,sales,price", *rows, ""]))
        for name, text in (("small", SMALL), ("shop", SHOP)):
            (self._folder / f"{name}.yaml").write_text(text)
            words = [sys.executable, "-m", "lstm_bench", "sweep", f"{name}.yaml"]
            self._processes.append(
                subprocess.Popen(
                    words,
                    cwd=self._folder,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
            process.communicate()

    def store(self) -> Path:
        """Returns the folder of the store, once it is made."""
        for process in self._processes:
            said = process.communicate(timeout=300)[0] if process.returncode is None else ""
            assert process.returncode == 0, said
        return self._folder


def maker(made: Path) -> Make:
    """Returns what puts a damaged copy of the store in a folder into a world, for a command."""
    return functools.partial(_make, made)


def _make(made: Path, world: World, chance: random.Random) -> Case:
    shutil.copytree(made, world.here, copy_function=os.link, dirs_exist_ok=True)
    _own_database(made, world.here)
    (world.here / "reports" / "small" / "notes.txt").write_text("mine\n")
    kinds = [damage(world.here, chance) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
    words, may_write = _words(chance)
    lost = functools.partial(_lost, world.here / "mlflow.db", _database(world.here / "mlflow.db"))
    return Case(kinds[0], words, f"{OPENED}|{may_write}", lost)


def _database(path: Path) -> set[tuple[Any, ...]]:
    """Returns every row of a database that can be read, with its table's name."""
    found: set[tuple[Any, ...]] = set()
    if not path.is_file():
        return found
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as database:
        database.text_factory = bytes
        with contextlib.suppress(sqlite3.Error):  # it is damaged
            tables = database.execute("select name from sqlite_master where type = 'table'")
            for (table,) in tables.fetchall():
                rows = database.execute(f'select * from "{table.decode()}"').fetchall()
                found.update((table, *row) for row in rows)
    database.close()
    return found


def _lost(path: Path, before: set[tuple[Any, ...]]) -> list[str]:
    """Returns which rows a command has taken from a database."""
    gone = before - _database(path)
    return [f"deleted: {len(gone)} rows of mlflow.db, like {min(gone, key=str)}"] if gone else []


def _own_database(made: Path, here: Path) -> None:
    """Replaces the link to the database by a copy whose files are those of the copy."""
    path = here / "mlflow.db"
    path.unlink()
    shutil.copy(made / "mlflow.db", path)
    moved = {"experiments": "artifact_location", "runs": "artifact_uri"}
    with sqlite3.connect(path) as database:
        for table, column in moved.items():
            query = f"update {table} set {column} = replace({column}, ?, ?)"
            database.execute(query, (str(made.resolve()), str(here.resolve())))
    database.close()


def _words(chance: random.Random) -> tuple[tuple[str, ...], str]:
    """Returns a command, and which paths it may write."""
    row = chance.choice(("small:A1", "small:trial-0", "small:confirm-0", "shop:S1", "small:D3"))
    words, may_write = chance.choice(
        (
            (("report",), MAY_WRITE),
            (("report",), MAY_WRITE),
            (("report", "--json"), MAY_WRITE),
            (("report", "small"), MAY_WRITE),
            (("report", "shop"), MAY_WRITE),
            (("predict", row, "3 0 1 2"), ""),
            (("predict", row, "--csv", "shop.csv", "--output", "precious.csv"), ""),
            (("export", row), ""),
            (("export", row, "--model", "out.keras"), r"a/b/here/out\.keras"),
            (("export", row, "--model", "precious.csv", "--force"), ""),
        )
    )
    return words, may_write
