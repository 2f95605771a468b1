"""A working folder that is moved or copied goes on where it was, by its own files alone.

The oracles: MLflow itself, as `mlflow ui` opens the store; and the bytes of the original folder.
"""

import contextlib
import hashlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from lstm_bench.config import Settings
from lstm_bench.execution._sweep_run import run_sweep
from lstm_bench.sweeps._sweep import parse_sweep
from lstm_bench.tracking._moved_folder import adopt_moved_runs
from lstm_bench.tracking._store import Store

URI, ARTIFACTS = "sqlite:///mlflow.db", Path("mlartifacts")
DOCUMENT = {"task": "memory", "seeds": 1, "recipes": {"A": {"epochs": 1, "units": 2}}}
PLACES = Settings(store=URI, artifacts=ARTIFACTS, reports=Path("reports"), workers=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A working folder with a small finished sweep."""
    folder = tmp_path_factory.mktemp("made") / "this"
    folder.mkdir()
    with contextlib.chdir(folder):
        run_sweep(parse_sweep("mine", DOCUMENT), PLACES)
    return folder


@pytest.fixture
def this(made, tmp_path):
    """A folder whose store names its own places, as if the sweep had been run in it."""
    folder = tmp_path / "this"
    shutil.copytree(made, folder)
    assert adopt_moved_runs(folder / "mlflow.db", folder / "mlartifacts") == f"{made}/mlartifacts"
    return folder


def contents(folder):
    """Returns a digest of every file of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).digest() for p in files}


def places(folder):
    """Returns every address of files in the database of a folder."""
    query = "select artifact_uri from runs union select artifact_location from experiments"
    query += " where name = 'mine'"
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return [uri for (uri,) in database.execute(query)]


def seen_by_mlflow(folder):
    """Returns the files of all runs of a store, as MLflow's own client lists them."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("mine")
    runs = client.search_runs([experiment.experiment_id])
    return {file.path for run in runs for file in client.list_artifacts(run.info.run_id)}


@pytest.mark.long
def test_a_moved_folder_works_in_sweep_report_and_mlflow(this, monkeypatch, command, capsys):
    that = this.rename(this.parent / "that, moved")
    monkeypatch.chdir(that)
    code, out, err = command("report")
    assert (code, out) == (0, "reports/mine/index.html\n")
    assert err.count("\n") == 1 and "was moved or copied" in err and str(this) in err
    assert {uri.startswith(f"{(that / 'mlartifacts').as_uri()}/") for uri in places(that)} == {True}
    assert seen_by_mlflow(that) == {"sweep.json", "report", "outcome"}
    before = len(list((that / "mlartifacts").rglob("outcome.json")))
    _, _, progress = run_sweep(parse_sweep("mine", DOCUMENT), PLACES)
    assert progress.reused == progress.done == 1  # nothing was run again
    assert len(list((that / "mlartifacts").rglob("outcome.json"))) == before
    assert command("report")[2] == ""  # the places were changed once


@pytest.mark.long
def test_a_copy_uses_its_own_files_and_leaves_the_original_alone(this, monkeypatch):
    that = this.parent / "that"
    shutil.copytree(this, that)
    before = contents(this)
    (listing,) = that.rglob("sweep.json")
    listing.write_text(json.dumps(json.loads(listing.read_text()) | {"title": "the copy"}))
    monkeypatch.chdir(that)
    assert Store(URI, ARTIFACTS).load("mine").title == "the copy"
    run_sweep(parse_sweep("mine", DOCUMENT | {"seeds": 2}), PLACES)
    assert len(Store(URI, ARTIFACTS).load("mine").rows[0].outcome.seeds) == 2
    assert contents(this) == before


@pytest.mark.long
def test_a_copy_that_cannot_be_written_is_read_all_the_same(this, monkeypatch):
    that = this.parent / "that"
    shutil.copytree(this, that)
    (listing,) = that.rglob("sweep.json")
    listing.write_text(json.dumps(json.loads(listing.read_text()) | {"title": "the copy"}))
    before, connect = places(that), sqlite3.connect

    def read_only(path, **options):
        return connect(f"file:{path}?mode=ro", uri=True, **options)

    monkeypatch.setattr("lstm_bench.tracking._moved_folder.sqlite3.connect", read_only)
    notices = []
    monkeypatch.chdir(that)
    assert Store(URI, ARTIFACTS, waiting=notices.append).load("mine").title == "the copy"
    assert (places(that), notices) == (before, [])


@pytest.mark.long
def test_a_moved_store_can_be_read_from_another_folder(this, monkeypatch, tmp_path):
    """The folder of artifacts of that other place has none of its runs."""
    that = this.rename(this.parent / "that")
    this.mkdir()  # something else has the old name by now
    (this / "mlartifacts").mkdir()
    before = places(that)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    data = Store(f"sqlite:///{that}/mlflow.db", ARTIFACTS).load("mine")
    assert [row.id for row in data.rows] == ["A"]
    assert places(that) == before


@pytest.mark.long
def test_a_store_that_was_not_moved_is_not_changed(this, monkeypatch, tmp_path):
    """Another working folder has a folder of artifacts too, and a sweep of the same name in it."""
    before = contents(this)
    other = tmp_path / "other" / "mlartifacts" / "mine" / ("f" * 8) / "artifacts"
    other.mkdir(parents=True)
    assert adopt_moved_runs(this / "mlflow.db", this / "mlartifacts") is None
    assert adopt_moved_runs(this / "mlflow.db", tmp_path / "other" / "mlartifacts") is None
    monkeypatch.chdir(tmp_path / "other")
    assert Store(f"sqlite:///{this}/mlflow.db", ARTIFACTS).load("mine").rows
    assert contents(this) == before
