"""What must hold before any test module is imported.

TensorFlow reads its environment once, so it is prepared here; TensorFlow itself is imported by
those test modules alone that need it.
"""

import shutil
import sys

import pytest
from hypothesis import settings

from lstm_bench.cli import _app as cli
from lstm_bench.config import Settings
from lstm_bench.tracking import _connection as connection
from lstm_bench.training._backend import prepare_environment

prepare_environment()

# The same examples on every run and every machine; none are kept from run to run.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


@pytest.fixture
def command(monkeypatch, capsys):
    """Returns a function that runs a command in this process: (exit code, stdout, stderr)."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lstm-bench", *words])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def file(tmp_path):
    """Returns a function that writes a file of this text and returns its path."""

    def write(text, name="data.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return str(path)

    return write


@pytest.fixture(scope="session", autouse=True)
def _tables_made_once(tmp_path_factory):
    """Lets every store of this process start as a copy of one: MLflow takes 2 s to make tables."""
    made, real = tmp_path_factory.mktemp("tables") / "empty.db", connection._new_database

    def copied(path, artifacts):
        if not made.exists():
            real(made, artifacts)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "_new_database", copied)
        yield


@pytest.fixture(scope="module", name="settings")
def _settings(tmp_path_factory):
    """Two workers, with a store and reports that the tests of one module share."""
    folder = tmp_path_factory.mktemp("sweeps")
    return Settings(
        store=f"sqlite:///{folder}/runs.db",
        optuna=f"sqlite:///{folder}/optuna.db",
        artifacts=folder / "artifacts",
        reports=folder / "reports",
        workers=2,
    )
