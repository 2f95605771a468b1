"""Stores that cannot be used give one message, which reveals no secret."""

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
from lstm_bench.safety._temporary import MARKER_NAME, MARKER_TEXT
from lstm_bench.sweeps._sweep import parse_sweep
from lstm_bench.tracking._listing import parse_listing
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
def test_a_store_in_memory_is_refused(uri, tmp_path):
    with pytest.raises(StoreError, match=r"must be kept on disk, but sqlite:.* name a file"):
        Store(uri, tmp_path / "artifacts")


def test_the_message_has_the_cause_and_not_what_was_being_done(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/runs.db", tmp_path / "artifacts")
    base = declarative_base()

    class Line(base):
        __tablename__ = "line"
        number = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
        text = sqlalchemy.Column(sqlalchemy.String, nullable=False)

    engine = sqlalchemy.create_engine("sqlite://")
    base.metadata.create_all(engine)
    with (
        pytest.raises(StoreError, match=r"cannot be used \(\(sqlite3\.IntegrityError\) NOT NULL"),
        store.errors_reported(),
        Session(engine) as session,
    ):
        session.add(Line(number=1))
        session.query(Line).all()  # fails when it first writes what was added
    engine.dispose()


# ---- A store that does not answer


def test_a_folder_in_place_of_the_file_is_reported_at_once(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").mkdir()
    began = time.monotonic()
    code, _, err = command("report")
    assert code == 2 and "mlflow.db is a folder" in err
    assert time.monotonic() - began < 5


def test_a_database_that_does_not_answer_is_reported_and_given_up(monkeypatch, tmp_path):
    monkeypatch.setattr("lstm_bench.tracking._store_errors.NOTICE_AFTER", 0.1)
    monkeypatch.setattr("lstm_bench.tracking._connection.CONNECT_TIMEOUT", 0.5)
    monkeypatch.setattr("lstm_bench.tracking._connection._connect", lambda _: time.sleep(60))
    notices, began = [], time.monotonic()
    with pytest.raises(StoreError, match="did not answer within") as error:
        Store("postgresql://ann:sec@ret@127.0.0.1/runs", tmp_path, waiting=notices.append)
    assert time.monotonic() - began < 10
    assert len(notices) == 1 and notices[0].startswith(
        "waiting for the store postgresql://ann:***@127"
    )
    assert "sec" not in notices[0] + str(error.value) and "ret@" not in str(error.value)


def test_the_message_of_a_driver_is_reported_without_secrets(monkeypatch, tmp_path):
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

    monkeypatch.setattr("lstm_bench.tracking._connection.CONNECT_TIMEOUT", 0.2)
    monkeypatch.setattr("lstm_bench.tracking._connection._connect", lambda _: None)
    monkeypatch.setattr("mlflow.MlflowClient", Slow)
    assert Store("postgresql://ann@127.0.0.1/runs", tmp_path).client is not None


def test_a_file_that_cannot_be_opened_is_reported_at_once(tmp_path):
    path = tmp_path / "runs.db"
    path.write_text("no database at all, and longer than the header of one would be" * 20)
    began = time.monotonic()
    with pytest.raises(StoreError, match="file is not a database"):
        Store(f"sqlite:///{path}", tmp_path / "artifacts")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", ["p%41p", "q?q"])
def test_a_folder_whose_name_cannot_be_part_of_an_address_is_refused(tmp_path, name):
    with pytest.raises(StoreError, match="no % and no"):
        Store(f"sqlite:///{tmp_path}/{name}/runs.db", tmp_path / "artifacts")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a b", "h#h", "a;b", "ü", "[x]"])
def test_a_store_may_be_in_a_folder_of_nearly_any_name(tmp_path, name):
    folder = tmp_path / name
    uri = f"sqlite:///{folder}/runs.db"
    store = Store(uri, folder / "artifacts")
    experiment = store.ensure_experiment("one")
    run = store.client.create_run(experiment)
    assert (folder / "runs.db").is_file()
    assert Store(uri, folder / "artifacts").client.get_run(run.info.run_id)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_store_that_answers_late_is_used_after_a_notice(monkeypatch, tmp_path):
    monkeypatch.setattr("lstm_bench.tracking._store_errors.NOTICE_AFTER", 0.1)
    notices = []
    store = Store(f"sqlite:///{tmp_path}/runs.db", tmp_path / "artifacts", waiting=notices.append)
    assert notices == []
    with store.errors_reported():
        time.sleep(0.5)
    assert len(notices) == 1


def test_a_store_that_failed_to_answer_is_not_asked_again(monkeypatch, tmp_path):
    monkeypatch.setattr("lstm_bench.tracking._store_errors.NOTICE_AFTER", 0.1)
    notices = []
    store = Store(f"sqlite:///{tmp_path}/runs.db", tmp_path / "artifacts", waiting=notices.append)
    with (
        pytest.raises(StoreError, match="not there") as first,
        store.errors_reported(),
        store.errors_reported(),
    ):
        time.sleep(0.5)
        raise ConnectionError("the server is not there")
    assert len(notices) == 1  # one for nested calls
    with pytest.raises(StoreError) as later, store.errors_reported():
        raise AssertionError
    assert str(later.value) == str(first.value)


@pytest.mark.parametrize(("error", "seconds"), [(ConnectionError("reset"), 0), (OSError(28), 0.5)])
def test_after_other_errors_a_store_is_asked_again(monkeypatch, tmp_path, error, seconds):
    monkeypatch.setattr("lstm_bench.tracking._store_errors.NOTICE_AFTER", 0.1)
    store = Store(f"sqlite:///{tmp_path}/runs.db", tmp_path / "artifacts", waiting=lambda _: None)
    with pytest.raises(StoreError), store.errors_reported():
        time.sleep(seconds)
        raise error
    assert store.sweep_names() == []


@pytest.mark.parametrize("state", ["missing", "folder", "fifo", "link to itself"])
def test_a_listing_that_is_not_a_file_is_damage_and_not_waited_for(filled, command, state):
    (listing,) = filled.rglob("sweep.json")
    listing.unlink()
    if state == "folder":
        listing.mkdir()
    elif state == "fifo":
        os.mkfifo(listing)
    elif state != "missing":
        listing.symlink_to(listing.name)
    code, out, err = command("report")
    assert (code, out) == (2, "")
    assert "sweep.json is not where its files were kept" in err


def test_an_unreachable_store_does_not_count_as_a_damaged_outcome(filled, monkeypatch):
    """A report of only some outcomes would replace the complete one."""
    store = Store("sqlite:///mlflow.db", Path("mlartifacts"))

    def unreachable(*_):
        raise requests.ConnectionError("the server is not there")

    monkeypatch.setattr(store.client, "get_run", unreachable, raising=False)
    with monkeypatch.context() as patch:
        patch.setattr(store, "read_listing", lambda run_id: listing_in(filled))
        with pytest.raises(StoreError, match="not there"):
            store.load("mine")


def listing_in(folder):
    (listing,) = folder.rglob("sweep.json")
    return parse_listing(listing.read_bytes())


# ---- A store from somebody else


@pytest.fixture
def filled(tmp_path, monkeypatch, settings):
    """Returns a working folder with a small finished sweep, without its report."""
    monkeypatch.chdir(tmp_path)
    document = {"task": "memory", "seeds": 2, "recipes": {"A": {"epochs": 1, "units": 2}}}
    where = settings.model_copy(
        update={"store": "sqlite:///mlflow.db", "artifacts": Path("mlartifacts"),
                "reports": Path("reports")}
    )  # fmt: skip
    run_sweep(parse_sweep("mine", document), where)
    shutil.rmtree("reports")
    return tmp_path


def edit_database(folder, statement, *values):
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as database:
        database.execute(statement, values)
        database.commit()


@pytest.mark.long
@pytest.mark.parametrize("name", ["/elsewhere/victim", "../../victim", "a/b", "x\x1b[2J", ".."])
def test_a_name_in_a_store_from_somebody_else_does_not_leave_the_folder(
    filled, command, tmp_path_factory, name
):
    victim = tmp_path_factory.mktemp("victim")
    (victim / "precious.csv").write_text("mine")
    name = name.replace("/elsewhere/victim", str(victim))
    (listing,) = filled.rglob("sweep.json")
    facts = json.loads(listing.read_text())
    listing.write_text(json.dumps({**facts, "name": name}))
    edit_database(filled, "update experiments set name = ? where name = 'mine'", name)
    code, out, err = command("report")
    assert code == 0, err
    (report,) = (filled / "reports").iterdir()
    assert (report / "index.html").is_file()
    assert [path.name for path in victim.iterdir()] == ["precious.csv"]
    assert out.replace("\n", "").isprintable()


@pytest.mark.long
def test_a_damaged_sweep_does_not_prevent_the_reports_of_others(filled, command, settings):
    where = settings.model_copy(
        update={"store": "sqlite:///mlflow.db", "artifacts": Path("mlartifacts")}
    )
    document = {"task": "memory", "seeds": 1, "recipes": {"A": {"epochs": 1, "units": 2}}}
    run_sweep(parse_sweep("other", document), where)
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
        edit_database(
            filled, f"update {table} set {column} = ?", f"file://{filled}/mlartifacts/../..{victim}"
        )
        with pytest.raises(StoreError, match=r"files of 'mine' must lie in"):
            run_sweep(parse_sweep("mine", document), where)
    assert list(victim.iterdir()) == []


@pytest.mark.long
def test_incomplete_copies_of_a_killed_process_are_deleted(filled, settings):
    document = {"task": "memory", "seeds": 2, "recipes": {"A": {"epochs": 1, "units": 2}}}
    where = settings.model_copy(
        update={"store": "sqlite:///mlflow.db", "artifacts": Path("mlartifacts"),
                "reports": Path("reports")}
    )  # fmt: skip
    (outcome,) = filled.rglob("outcome.json")
    incomplete = [
        outcome.parent / ".artifact.uploading.x1",
        outcome.parents[2] / ".artifact.uploading.y",
    ]
    for path in incomplete:
        path.write_text("half")
    for path in (filled / "reports" / "mine" / ".partial-abcd0123", filled / ".mlflow.db-abcd0123"):
        path.mkdir(parents=True)
        (path / MARKER_NAME).write_text(MARKER_TEXT)
    run_sweep(parse_sweep("mine", document), where)
    assert not any(path.exists() for path in incomplete)
    names = {path.name for path in filled.rglob("*")}
    assert not names & {".partial-abcd0123", ".mlflow.db-abcd0123"}
    files = [path for path in filled.rglob("artifacts/report/**/*") if path.is_file()]
    assert files and {path.suffix for path in files} == {".csv", ".svg", ".pdf", ".md", ".html"}


def test_damaged_rows_of_a_database_are_one_message(filled, command):
    edit_database(filled, "insert into tags select 'taken_up', 'soon', run_uuid from runs")
    code, _, err = command("report")
    assert code == 2 and "cannot be used" in err and "soon" in err
    edit_database(filled, "delete from tags where key = 'taken_up'")
    edit_database(filled, "update tags set value = x'ff00fe' where key = 'seed_count'")
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
