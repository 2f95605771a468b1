"""A sweep that is killed, again and again, ends as one that was not: with real processes."""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pandas as pd
import pytest

from lstm_bench.results._storage import unpack_outcome

SWEEP = """\
title: Killed
task: memory
seeds: 6
units: 4
recipes:
  A1: {epochs: 30}
search:
  trials: 16
  startup: 8
  confirm: 2
  ablate: A1
  switches: [stateful]
  contexts: 3
  split: 2
  space:
    epochs: {int: [20, 60]}
    learning_rate: {float: [1.0e-3, 1.0e-1], log: true}
    stateful: [true, false]
    shuffle: [none, samples]
    batch_size: [1, 4]
"""
MEASURED = {"seconds", "compile_seconds", "train_seconds"}
"""Columns that are measured anew whenever something runs."""


def start(folder):
    words = [sys.executable, "-m", "lstm_bench", "sweep", "killed.yaml"]
    return subprocess.Popen(
        words,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def tables(folder):
    """Returns every table of the report by name, without what is measured anew."""
    found = {}
    for path in sorted((folder / "reports" / "killed").glob("*.csv")):
        frame = pd.read_csv(path)
        found[path.name] = frame.drop(columns=MEASURED & set(frame.columns))
    return found


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, table in expected.items():
        pd.testing.assert_frame_equal(found[name], table, check_exact=True, obj=name)


def in_ledger(folder):
    """Returns the seconds that each finished seed took, by recipe and seed, from the ledger."""
    path = folder / "mlartifacts" / "seeds.db"
    if not path.exists():
        return {}
    with sqlite3.connect(path) as database:
        try:
            rows = database.execute("select recipe, seed, outcome from seeds").fetchall()
        except sqlite3.OperationalError:  # killed before the table was made
            return {}
    return {(key, seed): unpack_outcome(data).seeds["seconds"].iloc[0] for key, seed, data in rows}


def in_store(folder):
    """Returns the same from the recipes that were written to the store as a whole."""
    found = {}
    for path in (folder / "mlartifacts").rglob("outcome.json"):
        try:
            digest = json.loads(path.read_text())["digest"]
            seeds = pd.read_parquet(path.parent / "seeds.parquet")
        except (OSError, ValueError):  # it was killed at that
            continue
        found |= {(digest, row.seed): row.seconds for row in seeds.itertuples()}
    return found


def wait_for_work(process, folder, chance):
    """Returns once something was written to the ledger and a little time has passed, or it ended.

    A kill during the first seconds, which are imports, would be no test.
    """
    log = folder / "mlartifacts" / "seeds.db-wal"

    def stamp():
        return log.stat().st_mtime_ns if log.exists() else 0

    before, deadline = stamp(), time.monotonic() + 300
    while stamp() == before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=chance.uniform(0, 3))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "killed.yaml").write_text(SWEEP)
    process = start(folder)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return tables(folder)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_a_killed_sweep_ends_as_if_it_had_not_been(undisturbed, tmp_path, number):
    """Kills at random points while it works, then lets it end; compares to the last bit."""
    expected = undisturbed
    (tmp_path / "killed.yaml").write_text(SWEEP)
    chance = random.Random(number)
    kills, kept = 0, {}
    while True:
        process = start(tmp_path)
        if kills < 5:
            wait_for_work(process, tmp_path, chance)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                kills += 1
                kept |= in_store(tmp_path) | in_ledger(tmp_path)
                continue
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said
        break
    assert kills > 0
    same(tables(tmp_path), expected)
    shutil.rmtree(tmp_path / "reports")
    words = [sys.executable, "-m", "lstm_bench", "report", "killed"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    same(tables(tmp_path), expected)  # all of it is in the store
    # Nothing that had finished was run again: it would have taken another time.
    seeds = pd.read_csv(tmp_path / "reports" / "killed" / "seeds.csv")
    seconds = {(row.digest, row.seed): row.seconds for row in seeds.itertuples() if row.seed < 6}
    again = [key for key, spent in kept.items() if key in seconds and seconds[key] != spent]
    assert again == []
    assert len(set(kept) & set(seconds)) > 10
    assert in_ledger(tmp_path) == {}  # the ledger holds nothing that the store has
