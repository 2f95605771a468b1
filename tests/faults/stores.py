"""Mutated run stores: a real store is made once, then copied and damaged."""

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
from .sandbox import Sandbox

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
MAY_WRITE = r"a/b/work/reports(/(?!.*notes\.txt).*)?"
"""The reports, except for a file of the user in their folder."""
OPENED = r"a/b/work/mlflow\.db"
"""MLflow adds missing tables to a database that it opens; `_lost` checks that no row is lost."""


class StoreBuilder:
    """Runs two sweeps that make a store, while the caller does something else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> StoreBuilder:
        (self._folder / "conf").mkdir()
        (self._folder / "conf" / "default.yaml").write_text("workers: 1\n")
        months = [f"{2000 + n // 12}-{n % 12 + 1:02}" for n in range(60)]
        rows = [f"{m},{10 + 5 * math.sin(n / 2):.2f},{n % 7}" for n, m in enumerate(months)]
        (self._folder / "shop.csv").write_text("\n".join(["month,sales,price", *rows, ""]))
        for name, text in (("small", SMALL), ("shop", SHOP)):
            (self._folder / f"{name}.yaml").write_text(text)
            command = [sys.executable, "-m", "lstm_bench", "sweep", f"{name}.yaml"]
            self._processes.append(
                subprocess.Popen(
                    command,
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
        """Waits for the sweeps, and returns the folder of the store."""
        for process in self._processes:
            output = process.communicate(timeout=300)[0] if process.returncode is None else ""
            assert process.returncode == 0, output
        return self._folder


def maker(store: Path) -> Make:
    """Returns the function that puts a damaged copy of `store` into a sandbox."""
    return functools.partial(_make, store)


def _make(store: Path, sandbox: Sandbox, rng: random.Random) -> Case:
    shutil.copytree(store, sandbox.folder, copy_function=os.link, dirs_exist_ok=True)
    _copy_database(store, sandbox.folder)
    (sandbox.folder / "reports" / "small" / "notes.txt").write_text("mine\n")
    kinds = [damage(sandbox.folder, rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    arguments, may_write = _command(rng)
    database = sandbox.folder / "mlflow.db"
    lost = functools.partial(_lost, database, _rows(database))
    return Case(kinds[0], arguments, f"{OPENED}|{may_write}", lost)


def _rows(path: Path) -> set[tuple[Any, ...]]:
    """Returns every readable row of a database, with the name of its table."""
    result: set[tuple[Any, ...]] = set()
    if not path.is_file():
        return result
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as database:
        database.text_factory = bytes
        with contextlib.suppress(sqlite3.Error):  # the database is damaged
            tables = database.execute("select name from sqlite_master where type = 'table'")
            for (table,) in tables.fetchall():
                rows = database.execute(f'select * from "{table.decode()}"').fetchall()
                result.update((table, *row) for row in rows)
    database.close()
    return result


def _lost(path: Path, before: set[tuple[Any, ...]]) -> list[str]:
    """Returns a message if a command has deleted rows of a database."""
    deleted = before - _rows(path)
    if not deleted:
        return []
    return [f"deleted: {len(deleted)} rows of mlflow.db, e.g. {min(deleted, key=str)}"]


def _copy_database(store: Path, folder: Path) -> None:
    """Replaces the link to the database by a copy that points to the files in `folder`."""
    path = folder / "mlflow.db"
    path.unlink()
    shutil.copy(store / "mlflow.db", path)
    columns = {"experiments": "artifact_location", "runs": "artifact_uri"}
    with sqlite3.connect(path) as database:
        for table, column in columns.items():
            query = f"update {table} set {column} = replace({column}, ?, ?)"
            database.execute(query, (str(store.resolve()), str(folder.resolve())))
    database.close()


def _command(rng: random.Random) -> tuple[tuple[str, ...], str]:
    """Returns a command, and the pattern of the paths that it may write."""
    run = rng.choice(("small:A1", "small:trial-0", "small:confirm-0", "shop:S1", "small:D3"))
    arguments, may_write = rng.choice(
        (
            (("report",), MAY_WRITE),
            (("report",), MAY_WRITE),
            (("report", "--json"), MAY_WRITE),
            (("report", "small"), MAY_WRITE),
            (("report", "shop"), MAY_WRITE),
            (("predict", run, "3 0 1 2"), ""),
            (("predict", run, "--csv", "shop.csv", "--output", "precious.csv"), ""),
            (("export", run), ""),
            (("export", run, "--model", "out.keras"), r"a/b/work/out\.keras"),
            (("export", run, "--model", "precious.csv", "--force"), ""),
        )
    )
    return arguments, may_write
