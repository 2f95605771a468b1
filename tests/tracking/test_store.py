"""Stores that cannot be used say so in one message, and give no secret away."""

import contextlib
import json
import os
import random
import shutil
import sqlite3
import sys
import time
from pathlib import Path

import pytest
import requests
import sqlalchemy
from sqlalchemy.orm import Session, declarative_base

from lstm_bench.errors import StoreError
from lstm_bench.execution._sweep_run import run_sweep
from lstm_bench.safety._temporary import MARK, MARKED
from lstm_bench.sweeps._sweep import parse
from lstm_bench.tracking._listing import parsed
from lstm_bench.tracking._store import Store

ADDRESS = "postgresql://ann:secret@127.0.0.1:1/runs"


def test_a_missing_driver_is_named_and_the_password_is_not(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for driver in ("psycopg", "psycopg2"):
        monkeypatch.setitem(sys.modules, driver, None)  # as if it were not installed
    code, out, err = command("report", "--store", ADDRESS)
    assert (code, out) == (2, "")
    assert "psycopg" in err and "install that, or give another one" in err
    assert "ann:***@127.0.0.1" in err and "secret" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_store_that_would_be_forgotten_is_refused(uri, tmp_path):
    with pytest.raises(StoreError, match=r"must be kept, but sqlite:.* name a file"):
        Store(uri, tmp_path / "artifacts")


def test_what_went_wrong_is_told_and_not_what_was_being_done(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/runs.db", tmp_path / "artifacts")
    base = declarative_base()

    class Line(base):
        __tablename__ = "line"
        number = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
        text = sqlalchemy.Column(sqlalchemy.String, nullable=False)

    made = sqlalchemy.create_engine("sqlite://")
    base.metadata.create_all(made)
    with (
        pytest.raises(StoreError, match=r"cannot be used \(\(sqlite3\.IntegrityError\) NOT NULL"),
        store.usable(),
        Session(made) as session,
    ):
        session.add(Line(number=1))
        session.query(Line).all()  # writes what was added first, and fails in that
    made.dispose()


# ---- A store that does not answer


def test_a_folder_in_the_place_of_the_file_is_told_at_once(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").mkdir()
    began = time.monotonic()
    code, _, err = command("report")
    assert code == 2 and "mlflow.db is a folder" in err
    assert time.monotonic() - began < 5


def test_a_database_that_does_not_answer_is_told_of_and_given_up_on(monkeypatch, tmp_path):
    monkeypatch.setattr("lstm_bench.tracking._store.WORD_AFTER", 0.1)
    monkeypatch.setattr("lstm_bench.tracking._connection.GIVEN_UP_AFTER", 0.5)
    monkeypatch.setattr("lstm_bench.tracking._connection._connect", lambda _: time.sleep(60))
    heard, began = [], time.monotonic()
    with pytest.raises(StoreError, match="did not answer within") as error:
        Store("postgresql://ann:sec@ret@127.0.0.1/runs", tmp_path, waiting=heard.append)
    assert time.monotonic() - began < 10
    assert len(heard) == 1 and heard[0].startswith("waiting for the store postgresql://ann:***@127")
    assert "sec" not in heard[0] + str(error.value) and "ret@" not in str(error.value)


def test_what_a_driver_says_is_told_without_the_secrets_in_it(monkeypatch, tmp_path):
    def refused(_):
        raise OSError("could not resolve host 'ret@127.0.0.1'")

    monkeypatch.setattr("lstm_bench.tracking._connection._connect", refused)
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"could not resolve host '\*\*\*'"):
        Store("postgresql://ann:sec@ret@127.0.0.1/runs", tmp_path)
    assert time.monotonic() - began < 10


def test_a_database_that_answers_may_take_long_to_make_its_tables(monkeypatch, tmp_path):
    class Slow:
        def __init__(self, **_):
            time.sleep(1)

        def search_experiments(self, **_):
            return []

    monkeypatch.setattr("lstm_bench.tracking._connection.GIVEN_UP_AFTER", 0.2)
    monkeypatch.setattr("lstm_bench.tracking._connection._connect", lambda _: None)
    monkeypatch.setattr("mlflow.MlflowClient", Slow)
    assert Store("postgresql://ann@127.0.0.1/runs", tmp_path).client is not None


def test_a_file_that_cannot_be_opened_is_told_at_once(tmp_path):
    path = tmp_path / "runs.db"
    path.write_text("no database at all, and longer than the header of one would be" * 20)
    began = time.monotonic()
    with pytest.raises(StoreError, match="file is not a database"):
        Store(f"sqlite:///{path}", tmp_path / "artifacts")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", ["p%41p", "q?q"])
def test_a_folder_whose_name_an_address_cannot_hold_is_refused(tmp_path, name):
    with pytest.raises(StoreError, match="no % and no"):
        Store(f"sqlite:///{tmp_path}/{name}/runs.db", tmp_path / "artifacts")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a b", "h#h", "a;b", "ü", "[x]"])
def test_a_store_may_lie_in_a_folder_of_nearly_any_name(tmp_path, name):
    folder = tmp_path / name
    uri = f"sqlite:///{folder}/runs.db"
    store = Store(uri, folder / "artifacts")
    experiment = store.experiment("one")
    run = store.client.create_run(experiment)
    assert (folder / "runs.db").is_file()
    assert Store(uri, folder / "artifacts").client.get_run(run.info.run_id)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_store_that_answers_late_is_told_of_and_used(monkeypatch, tmp_path):
    monkeypatch.setattr("lstm_bench.tracking._store.WORD_AFTER", 0.1)
    heard = []
    store = Store(f"sqlite:///{tmp_path}/runs.db", tmp_path / "artifacts", waiting=heard.append)
    assert heard == []
    with store.usable():
        time.sleep(0.5)
    assert len(heard) == 1


def test_a_store_that_was_waited_for_in_vain_is_not_asked_again(monkeypatch, tmp_path):
    monkeypatch.setattr("lstm_bench.tracking._store.WORD_AFTER", 0.1)
    heard = []
    store = Store(f"sqlite:///{tmp_path}/runs.db", tmp_path / "artifacts", waiting=heard.append)
    with pytest.raises(StoreError, match="not there") as first, store.usable(), store.usable():
        time.sleep(0.5)
        raise ConnectionError("the server is not there")
    assert len(heard) == 1  # once, for calls within one another
    with pytest.raises(StoreError) as later, store.usable():
        raise AssertionError
    assert str(later.value) == str(first.value)


@pytest.mark.parametrize(("error", "seconds"), [(ConnectionError("reset"), 0), (OSError(28), 0.5)])
def test_other_errors_do_not_keep_a_store_from_being_asked(monkeypatch, tmp_path, error, seconds):
    monkeypatch.setattr("lstm_bench.tracking._store.WORD_AFTER", 0.1)
    store = Store(f"sqlite:///{tmp_path}/runs.db", tmp_path / "artifacts", waiting=lambda _: None)
    with pytest.raises(StoreError), store.usable():
        time.sleep(seconds)
        raise error
    assert store.names() == []


@pytest.mark.parametrize("gone", ["missing", "folder", "fifo", "link to itself"])
def test_a_listing_that_is_no_file_is_damage_and_not_waited_for(filled, command, gone):
    (listing,) = filled.rglob("sweep.json")
    listing.unlink()
    if gone == "folder":
        listing.mkdir()
    elif gone == "fifo":
        os.mkfifo(listing)
    elif gone != "missing":
        listing.symlink_to(listing.name)
    code, out, err = command("report")
    assert (code, out) == (2, "")
    assert "sweep.json is not where its files were kept" in err


def test_a_store_out_of_reach_is_no_damaged_outcome(filled, monkeypatch):
    """A report of what could be had would take the place of the whole one."""
    store = Store("sqlite:///mlflow.db", Path("mlartifacts"))

    def away(*_):
        raise requests.ConnectionError("the server is not there")

    monkeypatch.setattr(store.client, "get_run", away, raising=False)
    with monkeypatch.context() as patch:
        patch.setattr(store, "listed", lambda run_id: parsed_of(filled))
        with pytest.raises(StoreError, match="not there"):
            store.load("mine")


def parsed_of(folder):
    (listing,) = folder.rglob("sweep.json")
    return parsed(listing.read_bytes())


# ---- A store of a stranger's


@pytest.fixture
def filled(tmp_path, monkeypatch, settings):
    """A working folder with a small finished sweep, without its report."""
    monkeypatch.chdir(tmp_path)
    document = {"task": "memory", "seeds": 2, "recipes": {"A": {"epochs": 1, "units": 2}}}
    where = settings.model_copy(
        update={"store": "sqlite:///mlflow.db", "artifacts": Path("mlartifacts"),
                "reports": Path("reports")}
    )  # fmt: skip
    run_sweep(parse("mine", document), where)
    shutil.rmtree("reports")
    return tmp_path


def edited(folder, statement, *values):
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as database:
        database.execute(statement, values)
        database.commit()


@pytest.mark.parametrize("name", ["/elsewhere/victim", "../../victim", "a/b", "x\x1b[2J", ".."])
def test_a_name_in_a_strangers_store_leads_nowhere(filled, command, tmp_path_factory, name):
    victim = tmp_path_factory.mktemp("victim")
    (victim / "precious.csv").write_text("mine")
    name = name.replace("/elsewhere/victim", str(victim))
    (listing,) = filled.rglob("sweep.json")
    facts = json.loads(listing.read_text())
    listing.write_text(json.dumps({**facts, "name": name}))
    edited(filled, "update experiments set name = ? where name = 'mine'", name)
    code, out, err = command("report")
    assert code == 0, err
    (made,) = (filled / "reports").iterdir()
    assert (made / "index.html").is_file()
    assert [path.name for path in victim.iterdir()] == ["precious.csv"]
    assert out.replace("\n", "").isprintable()


def test_a_damaged_sweep_does_not_keep_the_others_from_their_reports(filled, command, settings):
    where = settings.model_copy(
        update={"store": "sqlite:///mlflow.db", "artifacts": Path("mlartifacts")}
    )
    document = {"task": "memory", "seeds": 1, "recipes": {"A": {"epochs": 1, "units": 2}}}
    run_sweep(parse("other", document), where)
    for listing in (filled / "mlartifacts" / "mine").rglob("sweep.json"):
        listing.write_text("{")
    code, out, err = command("report")
    assert (code, out) == (2, "reports/other/index.html\n")
    assert "mine" in err and "sweep.json" in err


def test_a_store_that_names_other_folders_is_not_written_to(filled, settings, tmp_path_factory):
    victim = tmp_path_factory.mktemp("victim")
    document = {"task": "memory", "seeds": 3, "recipes": {"A": {"epochs": 1, "units": 2}}}
    where = settings.model_copy(
        update={"store": "sqlite:///mlflow.db", "artifacts": Path("mlartifacts")}
    )
    for table, column in (("runs", "artifact_uri"), ("experiments", "artifact_location")):
        edited(
            filled, f"update {table} set {column} = ?", f"file://{filled}/mlartifacts/../..{victim}"
        )
        with pytest.raises(StoreError, match=r"files of 'mine' must lie in"):
            run_sweep(parse("mine", document), where)
    assert list(victim.iterdir()) == []


def test_what_mlflow_was_copying_when_it_was_killed_is_deleted(filled, settings):
    document = {"task": "memory", "seeds": 2, "recipes": {"A": {"epochs": 1, "units": 2}}}
    where = settings.model_copy(
        update={"store": "sqlite:///mlflow.db", "artifacts": Path("mlartifacts"),
                "reports": Path("reports")}
    )  # fmt: skip
    (outcome,) = filled.rglob("outcome.json")
    left = [outcome.parent / ".artifact.uploading.x1", outcome.parents[2] / ".artifact.uploading.y"]
    for path in left:
        path.write_text("half")
    for path in (filled / "reports" / "mine" / ".partial-abcd0123", filled / ".mlflow.db-abcd0123"):
        path.mkdir(parents=True)
        (path / MARK).write_text(MARKED)
    run_sweep(parse("mine", document), where)
    assert not any(path.exists() for path in left)
    names = {path.name for path in filled.rglob("*")}
    assert not names & {".partial-abcd0123", ".mlflow.db-abcd0123"}
    kept = [path for path in filled.rglob("artifacts/report/**/*") if path.is_file()]
    assert kept and {path.suffix for path in kept} == {".csv", ".svg", ".md", ".html"}


def test_rows_of_a_damaged_database_are_one_message(filled, command):
    edited(filled, "insert into tags select 'taken_up', 'soon', run_uuid from runs")
    code, _, err = command("report")
    assert code == 2 and "cannot be used" in err and "soon" in err
    edited(filled, "delete from tags where key = 'taken_up'")
    edited(filled, "update tags set value = x'ff00fe' where key = 'seed_count'")
    code, _, err = command("report")
    assert code == 2 and "cannot be used" in err


def test_a_database_with_flipped_bytes_is_one_message(filled, command):
    path = filled / "mlflow.db"
    content = path.read_bytes()
    chance = random.Random(0)
    for _ in range(6):
        flipped = bytearray(content)
        for _ in range(2000):
            flipped[chance.randrange(100, len(flipped))] ^= 255
        path.write_bytes(flipped)
        code, _, err = command("report")
        assert code in (0, 2), err
        assert "Traceback" not in err
