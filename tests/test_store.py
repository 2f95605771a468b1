"""Stores that cannot be used say so in one message, and give no secret away."""

import contextlib
import json
import logging
import random
import shutil
import sqlite3
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.orm import Session, declarative_base

from lstm_bench.errors import StoreError
from lstm_bench.launch import launch
from lstm_bench.sweep import parse
from lstm_bench.tracking import Store

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


class Deaf:
    """A driver of a database that does not answer, or says why it cannot be reached."""

    def __init__(self, said=""):
        self.said = said

    def __call__(self, *_, **__):
        if self.said:
            logging.getLogger("mlflow.store.db.utils").warning("%s %.1f", OSError(self.said), 1.0)
        time.sleep(60)


@pytest.mark.parametrize("said", ["", "could not resolve host 'ret@127.0.0.1'"])
def test_a_database_that_does_not_answer_is_told_of_and_given_up_on(monkeypatch, tmp_path, said):
    monkeypatch.setattr("lstm_bench.tracking.store.WORD_AFTER", 0.1)
    monkeypatch.setattr("lstm_bench.tracking.connection.GIVEN_UP_AFTER", 0.5)
    monkeypatch.setattr("mlflow.MlflowClient", Deaf(said))
    heard, began = [], time.monotonic()
    with pytest.raises(StoreError, match="did not answer within") as error:
        Store("postgresql://ann:sec@ret@127.0.0.1/runs", tmp_path, waiting=heard.append)
    assert time.monotonic() - began < 10
    assert len(heard) == 1 and heard[0].startswith("waiting for the store postgresql://ann:***@127")
    assert "sec" not in heard[0] + str(error.value) and "ret@" not in str(error.value)
    assert ("could not resolve host '***'" in str(error.value)) == bool(said)


def test_a_store_that_answers_late_is_told_of_and_used(monkeypatch, tmp_path):
    monkeypatch.setattr("lstm_bench.tracking.store.WORD_AFTER", 0.1)
    heard = []
    store = Store(f"sqlite:///{tmp_path}/runs.db", tmp_path / "artifacts", waiting=heard.append)
    assert heard == []
    with store.usable():
        time.sleep(0.5)
    assert len(heard) == 1


def test_a_store_that_was_waited_for_in_vain_is_not_asked_again(monkeypatch, tmp_path):
    monkeypatch.setattr("lstm_bench.tracking.store.WORD_AFTER", 0.1)
    heard = []
    store = Store(f"sqlite:///{tmp_path}/runs.db", tmp_path / "artifacts", waiting=heard.append)
    with pytest.raises(StoreError, match="not there") as first, store.usable(), store.usable():
        time.sleep(0.5)
        raise OSError("the server is not there")
    assert len(heard) == 1  # once, for calls within one another
    with pytest.raises(StoreError) as later, store.usable():
        raise AssertionError
    assert str(later.value) == str(first.value)


def test_an_error_that_came_at_once_does_not_keep_a_store_from_being_asked(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/runs.db", tmp_path / "artifacts")
    with pytest.raises(StoreError), store.usable():
        raise OSError("busy")
    assert store.names() == []


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
    launch(parse("mine", document), where)
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
    launch(parse("other", document), where)
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
            launch(parse("mine", document), where)
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
    (filled / "reports" / "mine" / ".partial-abc").mkdir(parents=True)
    (filled / ".mlflow.db-abc").mkdir()
    launch(parse("mine", document), where)
    assert not any(path.exists() for path in left)
    names = {path.name for path in filled.rglob("*")}
    assert not names & {".partial-abc", ".mlflow.db-abc"}
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
