"""A sweep that is killed, again and again, ends as one that was not: with real processes."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pandas as pd
import pytest

from lstm_bench.results import unpack

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


def finished(folder):
    """Returns the seconds that each finished seed took, by recipe and seed, from the ledger."""
    path = folder / "mlartifacts" / "seeds.db"
    if not path.exists():
        return {}
    with sqlite3.connect(path) as database:
        try:
            rows = database.execute("select recipe, seed, outcome from seeds").fetchall()
        except sqlite3.OperationalError:  # killed before the table was made
            return {}
    return {(key, seed): unpack(data).seeds["seconds"].iloc[0] for key, seed, data in rows}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "killed.yaml").write_text(SWEEP)
    process = start(folder)
    began = time.monotonic()
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return tables(folder), time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_a_killed_sweep_ends_as_if_it_had_not_been(undisturbed, tmp_path, number):
    """Kills at random points until the sweep has had the time to end; compares to the last bit."""
    expected, lasted = undisturbed
    (tmp_path / "killed.yaml").write_text(SWEEP)
    chance = random.Random(number)
    kills, kept = 0, {}
    while True:
        process = start(tmp_path)
        # The first seconds are imports. At least one kill, and an end for certain.
        until = chance.uniform(0.1, 0.6) * lasted if kills < 6 else 600
        try:
            said, _ = process.communicate(timeout=until)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
            kept |= finished(tmp_path)
            continue
        assert process.returncode == 0, said
        break
    assert kills > 0
    found = tables(tmp_path)
    assert found.keys() == expected.keys()
    for name, table in expected.items():
        pd.testing.assert_frame_equal(found[name], table, check_exact=True, obj=name)
    # Nothing that had finished was run again: it would have taken another time.
    seeds = pd.read_csv(tmp_path / "reports" / "killed" / "seeds.csv")
    seconds = {(row.digest, row.seed): row.seconds for row in seeds.itertuples() if row.seed < 6}
    again = [key for key, spent in kept.items() if key in seconds and seconds[key] != spent]
    assert again == []
    assert set(kept) & set(seconds)
    assert finished(tmp_path) == {}  # the ledger holds nothing that the store has
