"""Writes the archive of a working folder, for `test_old_stores.py`.

::

    PYTHONPATH=CHECKOUT python tests/execution/stores/make_store.py ARCHIVE.tar.xz

CHECKOUT is a checkout of the version whose store is wanted. `version_0_1.tar.xz` was made so from
revision c6d8043 of version 0.1.0, the last one before its modules became packages.

The archive holds `mlflow.db`, `mlartifacts/`, `sweeps/`, `data/` and `reports/` after four sweeps,
one of them killed, and under `expected/` the JSON documents that the commands printed. In the
database every location of artifacts begins with `ARTIFACTS`; whoever unpacks it puts the real
folder there.
"""

import contextlib
import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ARTIFACTS = "file:///somewhere/mlartifacts"
"""Stands for the folder of artifacts in the database of an archive."""

SMALL = """\
title: A small sweep of everything
about: >-
  Fixed recipes, a published figure, claims, a family over the lag, comparisons, and a search
  with races, a confirmation, an ablation, a switch and a split of the variance.
task: memory
lag: 2
seeds: 6
metrics: [macro_f1]
recipes:
  A1:
    units: 6
    epochs: 40
    learning_rate: 0.02
    published: all 4 steps right
    accuracy: 1.0
    claim: solved
    note: the state is kept, one pair a sample
  A2:
    base: A1
    batch_size: 2
    published: never converges
    accuracy: 0.875
    claim: never
  whole:
    base: A1
    framing: whole
    stateful: false
    over: {lag: [2, 4, 16]}
comparisons:
  batch 2 for batch 1 (A2, A1): {of: A2, to: A1, claim: right at 1 but not at 2}
  longer for shorter (whole/16, whole/2):
    of: whole/16
    to: whole/2
    measure: epochs_to_solve
search:
  objective: solve_rate
  trials: 13
  startup: 8
  confirm: 2
  ablate: A1
  switches: [stateful]
  contexts: 2
  split: 2
  space:
    units: [6]
    epochs: {int: [10, 40]}
    learning_rate: {float: [3.0e-3, 1.0e-1], log: true}
    framing: [pairs, whole]
    stateful: [true, false]
    shuffle: [none, sequences]
    batch_size: [1, 2]
"""

TASKS = """\
title: Other kinds of answers
seeds: 2
units: 2
epochs: 2
recipes:
  sums: {task: cumulative_sum}
  ramp: {task: ramp}
  letters: {task: alphabet, framing: substrings, substrings: 20, fresh: 20, published: suggested}
refused:
  D3: {task: alphabet, stateful: true, shuffle: samples, published: meaningless}
"""

SEASON = """\
title: A file of data, and the search that suits it
task: csv
file: data/season.csv
target: sold
time: day
seeds: 3
units: 4
epochs: 4
recipes:
  plain: {window: 7, batch_size: 1, learning_rate: 0.02}
  wild:
    framing: pairs
    stateful: true
    batch_size: 1
    optimizer: sgd
    learning_rate: 10.0
    epochs: 20
comparisons:
  wild for plain: {of: wild, to: plain}
search:
  trials: 4
  startup: 4
  confirm: 1
"""

KILLED = """\
title: Killed in the middle
task: memory
seeds: 6
units: 2
recipes:
  short: {epochs: 2}
  long: {epochs: 15000}
"""


SWEEPS = {"small": SMALL, "tasks": TASKS, "season": SEASON, "killed": KILLED}


def data() -> str:
    """Returns 60 days of sales, with a trend and a weekly season in them."""
    days = [f"2024-{1 + d // 31:02d}-{1 + d % 31:02d}" for d in range(31 + 29)]
    sold = [20 + 0.1 * d + 5 * math.sin(2 * math.pi * d / 7) + d * 37 % 11 / 10 for d in range(60)]
    return "day,sold\n" + "".join(f"{d},{s:.1f}\n" for d, s in zip(days, sold, strict=True))


def command(folder: Path, *words: str) -> str:
    """Returns what a command prints on standard output when it is run in `folder`."""
    words = (sys.executable, "-m", "lstm_bench", *words)
    return subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout


def run_and_kill(folder: Path, name: str, seeds: int) -> None:
    """Runs a sweep until one of its recipes has at least `seeds` seeds, and kills it then."""
    checkpoint = folder / "mlartifacts" / "seeds.db"
    words = [sys.executable, "-m", "lstm_bench", "sweep", name]
    process = subprocess.Popen(words, cwd=folder, start_new_session=True)
    while process.poll() is None:
        time.sleep(0.01)
        rows = []
        with (
            contextlib.suppress(sqlite3.Error),  # it is not there yet
            contextlib.closing(sqlite3.connect(checkpoint)) as database,
        ):
            rows = database.execute("select count(*) from seeds group by recipe").fetchall()
        if max(rows, default=(0,))[0] >= seeds:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return
    raise SystemExit(f"{name} ended before it was killed; let its recipe have more epochs")


def remove_paths(folder: Path) -> None:
    """Takes the path of `folder` out of the databases, and makes each one small file."""
    prefix = (folder / "mlartifacts").as_uri()
    columns = (("experiments", "artifact_location"), ("runs", "artifact_uri"))
    for path in (folder / "mlflow.db", folder / "mlartifacts" / "seeds.db"):
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
            for table, column in columns if path.name == "mlflow.db" else ():
                query = f"update {table} set {column} = replace({column}, ?, ?)"
                database.execute(query, (prefix, ARTIFACTS))
            database.execute("pragma journal_mode = delete")
            database.execute("vacuum")
    for path in folder.rglob("*"):
        if path.is_file() and str(folder).encode() in path.read_bytes():
            raise SystemExit(f"{path} still has the path of its folder in it")


def main(archive: str) -> None:
    """Runs the sweeps in a new folder, and writes an archive of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for part in ("sweeps", "data", "expected"):
            (folder / part).mkdir()
        for sweep, text in SWEEPS.items():
            (folder / "sweeps" / f"{sweep}.yaml").write_text(text)
        (folder / "data" / "season.csv").write_text(data())
        for sweep in ("small", "tasks", "season"):
            printed = command(folder, "sweep", sweep, "--json")
            (folder / "expected" / f"{sweep}.json").write_text(printed)
        printed = command(folder, "predict", "small:whole/4", "3 0 1 2", "--json")
        (folder / "expected" / "predict.json").write_text(printed)
        run_and_kill(folder, "killed", seeds=3)
        remove_paths(folder)
        facts = json.loads((folder / "expected" / "predict.json").read_text())
        print(f"recipe {facts['id']} answers {facts['answer']}")
        with tarfile.open(archive, "w:xz", preset=9) as packed:
            for path in sorted(folder.rglob("*"), key=lambda path: (path.suffix, path.name)):
                copy = "report" in path.parts  # of a file in reports/
                if path.is_file() and path.suffix != ".lock" and not copy:
                    packed.add(path, path.relative_to(folder), filter=_without_owner)


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main(sys.argv[1])
