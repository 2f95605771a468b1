"""How a store is opened, so that one that does not answer is told of soon."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sqlite3
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_bench.safety import mask_passwords, remove_abandoned_folders, temporary_folder_in

if TYPE_CHECKING:
    from mlflow import MlflowClient

IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "8"}
"""How MLflow asks a server the first time: left alone it tries one that is not there for minutes.

Once a server has answered, MLflow's own patience holds: it may restart during a sweep.
"""
GIVEN_UP_AFTER = 15.0
"""Seconds in which a store must answer when it is opened."""
DATABASES = {"postgresql", "mysql", "mssql", "sqlite"}
"""What MLflow keeps runs in, by the beginning of an address."""


def prepare(path: Path | None, artifacts: str) -> None:
    """Imports MLflow as we want it, and makes the SQLite file at `path` where it is not there.

    `artifacts` is then the address of the files of its runs. Takes seconds; asks no server.
    """
    # Read when MLflow is imported: its usage telemetry is on otherwise.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    # It prints the address of each run, with the password that is in the server's.
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    importlib.import_module("mlflow")
    _quiet()
    if path is not None and not path.exists():
        _new_database(path, artifacts)
    elif path is not None:
        remove_abandoned_folders(path.parent, _draft(path))


def check(uri: str, path: Path | None) -> None:
    """Raises what is wrong where a database, or the SQLite file at `path`, cannot be reached.

    Left alone MLflow tries for minutes, and says nothing. Raises `TimeoutError` where a database
    does not answer; a server is asked by `opened`.
    """
    if path is not None:
        if not path.is_file():
            raise OSError(f"{path} is a folder or a device, and not a file")
        with contextlib.closing(sqlite3.connect(path, timeout=GIVEN_UP_AFTER)) as database:
            database.execute("select count(*) from sqlite_master").fetchone()
    elif uri.partition("://")[0].partition("+")[0] in DATABASES:
        _within(GIVEN_UP_AFTER, lambda: _connect(uri))


def _connect(uri: str) -> None:
    import sqlalchemy

    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connected:
        connected.execute(sqlalchemy.text("select 1"))


def opened(uri: str, path: Path | None) -> MlflowClient:
    """Returns a client of the store at `uri`, or of the SQLite file at `path`, that has answered.

    Raises whatever MLflow does, and `TimeoutError` where a server does not answer.
    """
    from mlflow import MlflowClient

    # MLflow caches connections by name: a relative one would outlive its working folder.
    own = f"sqlite:///{path.resolve()}" if path else uri
    clients = []

    def answered() -> None:
        client = MlflowClient(tracking_uri=own)
        client.search_experiments(max_results=1)
        clients.append(client)

    if uri.startswith("http"):
        with _first_time():
            _within(GIVEN_UP_AFTER, answered)
    else:
        answered()
    return clients[0]


def is_unreachable(error: BaseException | None) -> bool:
    """Returns whether an error of MLflow's says that a server or a database does not answer."""
    import requests
    from sqlalchemy.exc import OperationalError

    gone = (requests.ConnectionError, requests.Timeout, OperationalError, ConnectionError)
    while error is not None:
        if isinstance(error, gone) or "Max retries exceeded" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _draft(path: Path) -> str:
    """Returns how the folder is called, but for its end, in which a database is made."""
    return f".{path.name}-"


def _new_database(path: Path, artifacts: str) -> None:
    """Makes MLflow's tables in a file beside `path` and then gives it that name, all at once.

    Making them takes seconds: a process that is killed meanwhile leaves no half-made store, and of
    two that begin together one finds the other's.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder_in(path.parent, _draft(path)) as folder:
        draft = folder / path.name
        untyped: Any = SqlAlchemyStore
        made = untyped(f"sqlite:///{draft}", artifacts)
        made.engine.dispose()
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)


def local_path(uri: str) -> Path | None:
    """Returns the folder that a `file:` address or a plain path names; None for any other.

    >>> local_path("file:///runs/a%20b"), local_path("s3://runs/a")
    (PosixPath('/runs/a b'), None)
    """
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
        return None
    return Path(urllib.request.url2pathname(parts.path)) if parts.scheme else Path(uri)


def _within(seconds: float, act: Callable[[], object]) -> None:
    """Calls `act` and raises what it raises; `TimeoutError` if it takes longer than `seconds`.

    It is then left alone in a thread of its own.
    """
    raised: list[BaseException] = []

    def acted() -> None:
        try:
            act()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=acted, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"it did not answer within {seconds:.0f} s")
    if raised:
        raise raised[0]


def reason(error: Exception, address: str) -> str:
    """Returns the first line that says what went wrong, not what MLflow was doing meanwhile.

    Without what is secret in the `address` of the store.
    """
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith("(raised as a result of")]
    return mask_passwords(told[0] if told else repr(error), [address])[:300]


@contextlib.contextmanager
def _first_time() -> Iterator[None]:
    """Lets MLflow give up on a server soon, where the user's environment does not say when."""
    own = {key: value for key, value in IMPATIENT.items() if key not in os.environ}
    os.environ.update(own)
    try:
        yield
    finally:
        for key in own:
            os.environ.pop(key, None)


def _quiet() -> None:
    """Keeps MLflow's messages off the terminal: what fails is raised as well, and told by us."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
