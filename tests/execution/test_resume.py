"""A sweep that is killed several times ends as one that was not; with real processes."""

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
"""Columns that differ from run to run because they are measured times."""


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
    """Returns every table of the report by name, without measured times."""
    frames = {}
    for path in sorted((folder / "reports" / "killed").glob("*.csv")):
        frame = pd.read_csv(path)
        frames[path.name] = frame.drop(columns=MEASURED & set(frame.columns))
    return frames


def assert_same_tables(actual, expected):
    assert actual.keys() == expected.keys()
    for name, table in expected.items():
        pd.testing.assert_frame_equal(actual[name], table, check_exact=True, obj=name)


def in_checkpoint(folder):
    """Returns the seconds that each finished seed took, by recipe and seed, from the checkpoint."""
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
    seconds = {}
    for path in (folder / "mlartifacts").rglob("outcome.json"):
        try:
            digest = json.loads(path.read_text())["digest"]
            seeds = pd.read_parquet(path.parent / "seeds.parquet")
        except (OSError, ValueError):  # killed while it wrote them
            continue
        seconds |= {(digest, row.seed): row.seconds for row in seeds.itertuples()}
    return seconds


def wait_for_work(process, folder, rng):
    """Waits until something was written to the checkpoint and some time has passed, or it ended.

    A kill during the first seconds, which are imports, would test nothing.
    """
    log = folder / "mlartifacts" / "seeds.db-wal"

    def stamp():
        return log.stat().st_mtime_ns if log.exists() else 0

    before, deadline = stamp(), time.monotonic() + 300
    while stamp() == before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=rng.uniform(0, 3))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    (folder / "killed.yaml").write_text(SWEEP)
    process = start(folder)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    return tables(folder)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_a_killed_sweep_ends_like_an_uninterrupted_one(uninterrupted, tmp_path, number):
    """Kills it at random points while it works, then lets it end; compares bit by bit."""
    expected = uninterrupted
    (tmp_path / "killed.yaml").write_text(SWEEP)
    rng = random.Random(number)
    kills, finished = 0, {}
    while True:
        process = start(tmp_path)
        if kills < 5:
            wait_for_work(process, tmp_path, rng)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                kills += 1
                finished |= in_store(tmp_path) | in_checkpoint(tmp_path)
                continue
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, output
        break
    assert kills > 0
    assert_same_tables(tables(tmp_path), expected)
    shutil.rmtree(tmp_path / "reports")
    words = [sys.executable, "-m", "lstm_bench", "report", "killed"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    assert_same_tables(tables(tmp_path), expected)  # everything is in the store
    # No finished seed was run again: it would have taken a different time.
    seeds = pd.read_csv(tmp_path / "reports" / "killed" / "seeds.csv")
    seconds = {(row.digest, row.seed): row.seconds for row in seeds.itertuples() if row.seed < 6}
    again = [key for key, spent in finished.items() if key in seconds and seconds[key] != spent]
    assert again == []
    assert len(set(finished) & set(seconds)) > 10
    assert in_checkpoint(tmp_path) == {}  # the checkpoint holds nothing that the store has
