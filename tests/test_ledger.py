"""The ledger: what is kept is there for whoever comes next, and for nobody else."""

import multiprocessing
import os
import signal

import pytest

from lstm_bench.errors import StoreError
from lstm_bench.ledger import Ledger, alone


def test_what_is_kept_is_found_by_the_next_who_opens_it_and_forgotten_when_told(tmp_path):
    first = Ledger(tmp_path / "deep" / "seeds.db", "session")
    first.keep("recipe", 3, b"three")
    first.keep("recipe", 1, b"one")
    first.keep("recipe", 3, b"again")  # the first stays
    first.keep("other", 3, b"other")
    second = Ledger(tmp_path / "deep" / "seeds.db", "session")
    assert second.kept("recipe") == {1: b"one", 3: b"three"}
    assert Ledger(tmp_path / "deep" / "seeds.db", "another").kept("recipe") == {}
    second.forget("recipe")
    assert first.kept("recipe") == {}
    assert first.kept("other") == {3: b"other"}


def keep_and_die(path):
    ledger = Ledger(path, "session")
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
    assert len(Ledger(tmp_path / "seeds.db", "session").kept("recipe")) == 100


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path):
    (tmp_path / "seeds.db").write_text("this is no database, and longer than its header" * 9)
    with pytest.raises(StoreError, match=r"seeds.db must be a SQLite file"):
        Ledger(tmp_path / "seeds.db", "session")


def enter(path, pipe):
    with alone(path, lambda: pipe.send("waits")):
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
