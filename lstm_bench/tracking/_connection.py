"""Opens stores, with timeouts, so that a store that does not answer is reported soon."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sqlite3
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_bench.safety import mask_passwords, remove_abandoned_folders, temporary_folder_in

if TYPE_CHECKING:
    from mlflow import MlflowClient

REQUEST_VARIABLES = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "PGCONNECT_TIMEOUT": "10",
}
"""Environment variables for requests: by default MLflow repeats them for minutes, silently.

`Patience` repeats them for longer, and says so.
"""
FIRST_REQUEST_VARIABLES = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "8"}
"""Environment variables for the first request to a server, which may not be an MLflow server."""
MAX_ATTEMPTS, CONFLICT_PAUSE = 5, 3.0
"""The number of attempts to make a database's tables while another process makes them."""
CONNECT_TIMEOUT = 15.0
"""Seconds within which a store must answer when it is opened."""
DATABASES = {"postgresql", "mysql", "mssql", "sqlite"}
"""The schemes of the addresses of databases in which MLflow can keep runs."""


def prepare_mlflow(path: Path | None, artifacts: str) -> None:
    """Imports MLflow with this package's settings, and creates a missing SQLite file at `path`.

    `artifacts` is the address of the files of the runs in a new file. Takes seconds, but makes no
    request to a server.
    """
    # MLflow reads these when it is imported. Its usage telemetry is on by default.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    # By default it prints the address of each run, including the server's password.
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    for name, value in REQUEST_VARIABLES.items():
        os.environ.setdefault(name, value)
    importlib.import_module("mlflow")
    _silence_loggers()
    if path is not None and not path.exists():
        _new_database(path, artifacts)
    elif path is not None:
        remove_abandoned_folders(path.parent, _draft_prefix(path))


def check_database(uri: str, path: Path | None) -> bool:
    """Returns whether the database at `uri`, or the SQLite file at `path`, has MLflow's tables.

    Raises an error if it cannot be reached: MLflow itself would try for minutes without a message.
    Raises `TimeoutError` if a database does not answer; servers are checked by `open_client`.
    """
    if path is not None:
        if not path.is_file():
            raise OSError(f"{path} is a folder or a device, and not a file")
        with contextlib.closing(sqlite3.connect(path, timeout=CONNECT_TIMEOUT)) as database:
            database.execute("select count(*) from sqlite_master").fetchone()
    elif uri.partition("://")[0].partition("+")[0] in DATABASES:
        filled: list[bool | None] = []
        _call_with_timeout(CONNECT_TIMEOUT, lambda: filled.append(_connect(uri)))
        return filled[0] is not False
    return True


def _connect(uri: str) -> bool | None:
    """Returns whether a database has MLflow's tables."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        return sqlalchemy.inspect(connection).has_table("experiments")


def open_client(uri: str, path: Path | None) -> MlflowClient:
    """Returns a client of the store at `uri`, or of the SQLite file at `path`, after one request.

    Raises whatever MLflow raises, and `TimeoutError` if a server does not answer.
    """
    from mlflow import MlflowClient
    from mlflow.tracking._tracking_service import utils

    # MLflow caches the place of a run's files by the run's id: the copy of a store has the same
    # ids, and its files would be written into the original.
    getattr(utils, "_artifact_repos_cache", {}).clear()
    # MLflow caches connections by address: one with a relative path would still be used after the
    # working folder has changed.
    address = f"sqlite:///{path.resolve()}" if path else uri
    clients = []

    def connect() -> None:
        client = MlflowClient(tracking_uri=address)
        client.search_experiments(max_results=1)
        clients.append(client)

    if uri.startswith("http"):
        with _first_request_environment():
            _call_with_timeout(CONNECT_TIMEOUT, connect)
    else:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                connect()
                break
            except Exception as error:
                # Another process may make the tables of an empty database at the same moment.
                if not _is_conflict(error) or attempt == MAX_ATTEMPTS:
                    raise
                time.sleep(CONFLICT_PAUSE)
    return clients[0]


def _is_conflict(error: BaseException | None) -> bool:
    """Returns whether an error means that the thing to create exists already."""
    from sqlalchemy.exc import IntegrityError, ProgrammingError

    while error is not None:
        exists = "already exists" in str(error) or "duplicate" in str(error)
        if isinstance(error, IntegrityError) or (isinstance(error, ProgrammingError) and exists):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_unreachable(error: BaseException | None) -> bool:
    """Returns whether an error from MLflow means that a server or a database does not answer."""
    import requests
    from sqlalchemy.exc import InterfaceError, OperationalError

    unreachable: tuple[type[BaseException], ...] = (requests.ConnectionError, requests.Timeout)
    unreachable += (OperationalError, InterfaceError, ConnectionError)
    while error is not None:
        if isinstance(error, unreachable) or "Max retries exceeded" in str(error):
            return True
        if getattr(error, "error_code", "") == "TEMPORARILY_UNAVAILABLE":
            return True
        error = error.__cause__ or error.__context__
    return False


def _draft_prefix(path: Path) -> str:
    """Returns the prefix of the name of the temporary folder in which a database is created."""
    return f".{path.name}-"


def _new_database(path: Path, artifacts: str) -> None:
    """Creates MLflow's tables in a temporary file, then links it to `path` in one step.

    Creating them takes seconds. A process that is killed meanwhile leaves no incomplete store. If
    two processes start together, one uses the store of the other.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder_in(path.parent, _draft_prefix(path)) as folder:
        draft = folder / path.name
        untyped: Any = SqlAlchemyStore
        store = untyped(f"sqlite:///{draft}", artifacts)
        store.engine.dispose()
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)


def local_path(uri: str) -> Path | None:
    """Returns the path that a `file:` address or a plain path names; None for other addresses.

    >>> local_path("file:///runs/a%20b"), local_path("s3://runs/a")
    (PosixPath('/runs/a b'), None)
    """
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
        return None
    return Path(urllib.request.url2pathname(parts.path)) if parts.scheme else Path(uri)


def _call_with_timeout(seconds: float, function: Callable[[], object]) -> None:
    """Calls `function` and passes on its exceptions, or raises `TimeoutError` after `seconds`.

    After a timeout the call goes on in a daemon thread.
    """
    raised: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"it did not answer within {seconds:.0f} s")
    if raised:
        raise raised[0]


def error_reason(error: Exception, address: str) -> str:
    """Returns the first line of an error's message that describes the error.

    SQLAlchemy may begin with a line about its operation. Secrets in the `address` of the store are
    masked.
    """
    lines = [line.strip() for line in str(error).splitlines()]
    reasons = [line for line in lines if line and not line.startswith("(raised as a result of")]
    return mask_passwords(reasons[0] if reasons else repr(error), [address])[:300]


@contextlib.contextmanager
def _first_request_environment() -> Iterator[None]:
    """Sets `FIRST_REQUEST_VARIABLES` for a while, except those that the user has set."""
    ours = {
        key: value
        for key, value in FIRST_REQUEST_VARIABLES.items()
        if os.environ.get(key) in (None, REQUEST_VARIABLES[key])
    }
    before = {key: os.environ[key] for key in ours if key in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        os.environ.update(before)


def _silence_loggers() -> None:
    """Keeps MLflow's log messages off the terminal: its errors are raised too, and reported."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
