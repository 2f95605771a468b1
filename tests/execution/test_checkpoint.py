"""The ledger: what is kept is there for whoever comes next, and for nobody else."""

import contextlib
import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from lstm_bench.errors import StoreError
from lstm_bench.execution._checkpoint import Checkpoint, exclusive_lock


def test_what_is_kept_is_found_by_the_next_who_opens_it_and_forgotten_when_told(tmp_path):
    first = Checkpoint(tmp_path / "deep" / "seeds.db", "session")
    first.keep("recipe", 3, b"three")
    first.keep("recipe", 1, b"one")
    first.keep("recipe", 3, b"again")  # the first stays
    first.keep("other", 3, b"other")
    second = Checkpoint(tmp_path / "deep" / "seeds.db", "session")
    assert second.kept("recipe") == {1: b"one", 3: b"three"}
    assert Checkpoint(tmp_path / "deep" / "seeds.db", "another").kept("recipe") == {}
    second.forget("recipe")
    assert first.kept("recipe") == {}
    assert first.kept("other") == {3: b"other"}


def keep_and_die(path):
    ledger = Checkpoint(path, "session")
    for seed in range(100):
        ledger.keep("recipe", seed, b"x" * 10_000)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_loses_nothing_that_it_kept(tmp_path):
    process = multiprocessing.get_context("spawn").Process(
        target=keep_and_die, args=(tmp_path / "seeds.db",)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(Checkpoint(tmp_path / "seeds.db", "session").kept("recipe")) == 100


def enter(path, pipe):
    with exclusive_lock(path, lambda: pipe.send("waits")):
        pipe.send("is in")
        pipe.recv()


def test_one_process_at_a_time_and_a_killed_one_is_no_longer_there(tmp_path):
    context, path = multiprocessing.get_context("spawn"), tmp_path / "a" / "one.lock"
    both = []
    for _ in range(2):
        ours, theirs = context.Pipe()
        process = context.Process(target=enter, args=(path, theirs), daemon=True)
        process.start()
        both.append((process, ours))
        assert ours.recv() == ("is in" if len(both) == 1 else "waits")
    (first, _), (second, pipe) = both
    assert not pipe.poll(0.2)
    first.kill()
    assert pipe.recv() == "is in"
    pipe.send("leave")
    second.join()


# ---- What a power cut or a stranger's hand has done to it


def damaged(path, change, *values):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(change, values)


@pytest.mark.parametrize("value", [b"", None, b"tw", b"TWO", "text", 3, b"two" * 100], ids=repr)
def test_a_damaged_row_is_dropped_told_and_may_be_kept_again(tmp_path, value):
    path, said = tmp_path / "seeds.db", []
    first = Checkpoint(path, "session")
    for seed, outcome in ((1, b"one"), (2, b"two")):
        first.keep("recipe", seed, outcome)
    first.close()
    damaged(path, "update seeds set outcome = ? where seed = 2", value)
    later = Checkpoint(path, "session", said.append)
    assert later.kept("recipe") == {1: b"one"}
    assert len(said) == 1 and "seed 2 of recipe recipe is damaged" in said[0]
    later.keep("recipe", 2, b"two")
    assert later.kept("recipe") == {1: b"one", 2: b"two"}


def test_a_row_that_was_moved_to_another_seed_is_damaged(tmp_path):
    first = Checkpoint(tmp_path / "seeds.db", "session")
    first.keep("recipe", 1, b"one")
    damaged(tmp_path / "seeds.db", "update seeds set seed = 5")
    assert Checkpoint(tmp_path / "seeds.db", "session").kept("recipe") == {}


def test_seeds_of_an_earlier_version_which_had_no_digest_are_kept(tmp_path):
    path = tmp_path / "seeds.db"
    damaged(path, "create table seeds (session text, recipe text, seed integer, outcome blob, "
                  "primary key (session, recipe, seed))")  # fmt: skip
    damaged(path, "insert into seeds values ('session', 'recipe', 4, ?)", b"four")
    ledger = Checkpoint(path, "session")
    ledger.keep("recipe", 5, b"five")
    assert ledger.kept("recipe") == {4: b"four", 5: b"five"}


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "table dropped"])
def test_a_damaged_file_is_moved_aside_and_told(tmp_path, damage):
    path, said = tmp_path / "seeds.db", []
    first = Checkpoint(path, "session")
    for seed in range(50):
        first.keep("recipe", seed, bytes(3000))
    first.close()
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "flipped":
        content[:100] = bytes(255 - byte for byte in content[:100])
    elif damage == "text":
        content = b"this is no database, and longer than its header" * 9
    else:
        damaged(path, "drop table seeds")
        content = path.read_bytes()
    path.write_bytes(content)
    later = Checkpoint(path, "session", said.append)
    assert later.kept("recipe") == {}
    later.keep("recipe", 1, b"one")
    assert Checkpoint(path, "session").kept("recipe") == {1: b"one"}
    if damage != "table dropped":  # that is a database with nothing wrong in it
        assert "was renamed to seeds.db.damaged-1" in said[0]
        assert (tmp_path / "seeds.db.damaged-1").read_bytes() == content


def test_a_commit_is_on_the_disk_before_it_is_done(tmp_path):
    """`synchronous = full` (2): SQLite's own word for that, see its `pragma` page."""
    ledger = Checkpoint(tmp_path / "seeds.db", "session")
    assert ledger._database.execute("pragma synchronous").fetchone() == (2,)


def test_a_folder_in_the_place_of_the_file_is_refused_with_its_name(tmp_path):
    (tmp_path / "seeds.db").mkdir()
    with pytest.raises(StoreError, match=r"seeds.db must be a SQLite file"):
        Checkpoint(tmp_path / "seeds.db", "session")


def test_a_file_that_another_sweep_uses_is_not_moved_from_under_it(tmp_path):
    path = tmp_path / "seeds.db"
    first, second = Checkpoint(path, "one"), Checkpoint(path, "other")  # two may use a sound one
    first.close()
    second.close()
    path.write_bytes(b"x" * 5000)
    with exclusive_lock(Path(f"{path}.lock"), shared=True):  # as another sweep holds it
        with pytest.raises(StoreError, match=r"seeds.db is damaged, and another sweep uses it"):
            Checkpoint(path, "other")
        assert path.read_bytes() == b"x" * 5000
    Checkpoint(path, "other")
    assert (tmp_path / "seeds.db.damaged-1").read_bytes() == b"x" * 5000
