"""Stores that cannot be used say so in one message, and give no secret away."""

import sys

import pytest
import sqlalchemy
from sqlalchemy.orm import Session, declarative_base

from lstm_bench.errors import StoreError
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
