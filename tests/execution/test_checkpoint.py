"""The checkpoint: saved seeds are there for the next process of the session, and no other."""

import contextlib
import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from lstm_bench.errors import StoreError
from lstm_bench.execution._checkpoint import Checkpoint, file_lock


def test_saved_seeds_are_loaded_by_the_next_process_until_they_are_removed(tmp_path):
    first = Checkpoint(tmp_path / "deep" / "seeds.db", "session")
    first.save("recipe", 3, b"three")
    first.save("recipe", 1, b"one")
    first.save("recipe", 3, b"again")  # the first stays
    first.save("other", 3, b"other")
    second = Checkpoint(tmp_path / "deep" / "seeds.db", "session")
    assert second.load("recipe") == {1: b"one", 3: b"three"}
    assert Checkpoint(tmp_path / "deep" / "seeds.db", "another").load("recipe") == {}
    second.remove("recipe")
    assert first.load("recipe") == {}
    assert first.load("other") == {3: b"other"}


def save_and_die(path):
    checkpoint = Checkpoint(path, "session")
    for seed in range(100):
        checkpoint.save("recipe", seed, b"x" * 10_000)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_loses_nothing_that_it_saved(tmp_path):
    process = multiprocessing.get_context("spawn").Process(
        target=save_and_die, args=(tmp_path / "seeds.db",)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(Checkpoint(tmp_path / "seeds.db", "session").load("recipe")) == 100


def enter(path, pipe):
    with file_lock(path, lambda: pipe.send("waits")):
        pipe.send("is in")
        pipe.recv()


def test_a_lock_is_held_by_one_process_and_released_when_it_is_killed(tmp_path):
    context, path = multiprocessing.get_context("spawn"), tmp_path / "a" / "one.lock"
    processes = []
    for _ in range(2):
        pipe, other_end = context.Pipe()
        process = context.Process(target=enter, args=(path, other_end), daemon=True)
        process.start()
        processes.append((process, pipe))
        assert pipe.recv() == ("is in" if len(processes) == 1 else "waits")
    (first, _), (second, pipe) = processes
    assert not pipe.poll(0.2)
    first.kill()
    assert pipe.recv() == "is in"
    pipe.send("leave")
    second.join()


# ---- Damage, as by a power cut or by hand


def alter(path, change, *values):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(change, values)


@pytest.mark.parametrize("value", [b"", None, b"tw", b"TWO", "text", 3, b"two" * 100], ids=repr)
def test_a_damaged_row_is_dropped_with_a_notice_and_may_be_saved_again(tmp_path, value):
    path, notices = tmp_path / "seeds.db", []
    first = Checkpoint(path, "session")
    for seed, outcome in ((1, b"one"), (2, b"two")):
        first.save("recipe", seed, outcome)
    first.close()
    alter(path, "update seeds set outcome = ? where seed = 2", value)
    later = Checkpoint(path, "session", notices.append)
    assert later.load("recipe") == {1: b"one"}
    assert len(notices) == 1 and "seed 2 of recipe recipe is damaged" in notices[0]
    later.save("recipe", 2, b"two")
    assert later.load("recipe") == {1: b"one", 2: b"two"}


def test_a_row_that_was_moved_to_another_seed_is_damaged(tmp_path):
    first = Checkpoint(tmp_path / "seeds.db", "session")
    first.save("recipe", 1, b"one")
    alter(tmp_path / "seeds.db", "update seeds set seed = 5")
    assert Checkpoint(tmp_path / "seeds.db", "session").load("recipe") == {}


def test_seeds_of_an_earlier_version_which_had_no_digest_are_loaded(tmp_path):
    path = tmp_path / "seeds.db"
    alter(path, "create table seeds (session text, recipe text, seed integer, outcome blob, "
                  "primary key (session, recipe, seed))")  # fmt: skip
    alter(path, "insert into seeds values ('session', 'recipe', 4, ?)", b"four")
    checkpoint = Checkpoint(path, "session")
    checkpoint.save("recipe", 5, b"five")
    assert checkpoint.load("recipe") == {4: b"four", 5: b"five"}


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "table dropped"])
def test_a_damaged_file_is_renamed_with_a_notice(tmp_path, damage):
    path, notices = tmp_path / "seeds.db", []
    first = Checkpoint(path, "session")
    for seed in range(50):
        first.save("recipe", seed, bytes(3000))
    first.close()
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "flipped":
        content[:100] = bytes(255 - byte for byte in content[:100])
    elif damage == "text":
        content = b"this is no database, and longer than its header" * 9
    else:
        alter(path, "drop table seeds")
        content = path.read_bytes()
    path.write_bytes(content)
    later = Checkpoint(path, "session", notices.append)
    assert later.load("recipe") == {}
    later.save("recipe", 1, b"one")
    assert Checkpoint(path, "session").load("recipe") == {1: b"one"}
    if damage != "table dropped":  # then it is still a valid database
        assert "was renamed to seeds.db.damaged-1" in notices[0]
        assert (tmp_path / "seeds.db.damaged-1").read_bytes() == content


def test_a_commit_is_on_the_disk_before_it_is_done(tmp_path):
    """`synchronous = full` (2) is SQLite's setting for that, see its `pragma` page."""
    checkpoint = Checkpoint(tmp_path / "seeds.db", "session")
    assert checkpoint._database.execute("pragma synchronous").fetchone() == (2,)


def test_a_folder_in_place_of_the_file_is_refused_with_its_name(tmp_path):
    (tmp_path / "seeds.db").mkdir()
    with pytest.raises(StoreError, match=r"seeds.db must be a SQLite file"):
        Checkpoint(tmp_path / "seeds.db", "session")


def test_a_damaged_file_that_another_sweep_uses_is_not_renamed(tmp_path):
    path = tmp_path / "seeds.db"
    first, second = Checkpoint(path, "one"), Checkpoint(path, "other")  # two may use a valid one
    first.close()
    second.close()
    path.write_bytes(b"x" * 5000)
    with file_lock(Path(f"{path}.lock"), shared=True):  # as another sweep holds it
        with pytest.raises(StoreError, match=r"seeds.db is damaged, and another sweep uses it"):
            Checkpoint(path, "other")
        assert path.read_bytes() == b"x" * 5000
    Checkpoint(path, "other")
    assert (tmp_path / "seeds.db.damaged-1").read_bytes() == b"x" * 5000
