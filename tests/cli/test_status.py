"""The command `status`: how far sweeps are, as another terminal sees it."""

import json
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lstm_bench.cli._status import _details
from lstm_bench.config import Settings
from lstm_bench.errors import FailedFastError
from lstm_bench.execution._sweep_run import run_sweep
from lstm_bench.results import to_json
from lstm_bench.sweeps._sweep import parse_sweep
from lstm_bench.tracking._session import begin_session
from lstm_bench.tracking._store import Store
from lstm_bench.tracking._sweep_states import SweepState, has_ended, parse_tag

RUNNING = {
    "stage": "search",
    "running": ["trial-3 seed 7"],
    "recipes": {"done": 2, "total": 9},
    "seeds": {"done": 11, "total": 60},
    "updates": {"done": 1500, "total": 9000},
    "fraction": 0.17,
    "seconds_left": 100.0,
    "failed": 1,
    "failures": ["trial-1 (lstm): it diverged"],
    "best": {"id": "trial-0", "name": "lstm(4)", "accuracy": 0.875},
    "host": socket.gethostname(),
    "process": os.getpid(),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def show(progress, ago=0.0, ended=None):
    """Writes a progress as a running sweep does."""
    sweep = parse_sweep("mine", {"task": "memory", "seeds": 1, "recipes": {"A": {"epochs": 1}}})
    store = Store("sqlite:///mlflow.db", Path("mlartifacts"))
    session = begin_session(store, sweep, "compiled")
    updated = datetime.now(UTC) - timedelta(seconds=ago)
    session.show({**progress, "updated": updated.isoformat(timespec="seconds")})
    assert session.writes.wait(60)
    if ended:
        store.client.set_terminated(session.run_id, ended)


def test_a_running_sweep_is_seen_with_its_failures_and_its_best(folder, command):
    show(RUNNING)
    code, out, _ = command("status")
    assert code == 0
    for text in (
        "mine: running (search, 17%, about 0:01:",
        "2 of 9 recipes, 11 of 60 seeds, 1,500 of 9,000 updates",
        "training  trial-3 seed 7",
        "best      trial-0, accuracy 87.5 %: lstm(4)",
        "1 of the recipes",
        "trial-1 (lstm): it diverged",
    ):
        assert text in out
    code, out, _ = command("status", "mine", "--json")
    (state,) = json.loads(out)["sweeps"]
    assert state.items() >= (RUNNING | {"sweep": "mine", "state": "running"}).items()


@pytest.mark.parametrize(
    ("facts", "ago", "ended", "state"),
    [
        ({}, 3600, None, "silent"),  # on another host, cut off
        ({"process": 2**22 + 1}, 0, None, "silent"),  # killed a moment ago
        ({}, 3600, "KILLED", "stopped"),
        ({}, 3600, "FINISHED", "finished"),
    ],
)
def test_one_that_does_not_run_is_not_said_to(folder, command, facts, ago, ended, state):
    show(RUNNING | facts, ago, ended)
    code, out, _ = command("status", "mine")
    assert code == 0 and out.startswith(f"mine: {state}")
    assert ("the same command goes on" in out) == (state != "finished")
    assert "left" not in out and "training" not in out


@pytest.mark.parametrize("text", ["", "{", "[]", '{"seeds": 3, "best": [], "failed": 1}', "\x00"])
def test_a_tag_that_others_wrote_does_no_harm(folder, command, text):
    show(RUNNING)
    store = Store("sqlite:///mlflow.db", Path("mlartifacts"))
    experiment = store.client.get_experiment_by_name("mine")
    (run,) = store.sweep_runs(experiment.experiment_id)
    store.client.set_tag(run.info.run_id, "progress", text)
    code, out, _ = command("status")
    assert code == 0 and out.startswith("mine: silent")


def test_a_sweep_that_is_not_there_is_named(folder, command):
    show(RUNNING)
    code, _, err = command("status", "mime")
    assert code == 2 and "there is no sweep 'mime'; did you mean 'mine'?" in err
    code, _, err = command("status", "nothing-like-it")
    assert code == 2 and "mine" in err and "Default" not in err  # that one is MLflow's


def test_without_a_store_there_is_one_message(folder, command):
    code, out, err = command("status")
    assert (code, out) == (2, "") and "there is no file mlflow.db" in err
    assert list(folder.iterdir()) == []


@pytest.mark.long
def test_a_finished_sweep_has_done_all_of_it_and_the_first_failure_may_end_one(folder, command):
    """A recipe that diverges has failed; the other one is kept."""
    unstable = {"optimizer": "sgd", "loss": "mean_squared_error", "output": "linear"}
    recipes = {"A": {"epochs": 2}, "B": {"learning_rate": 10.0, "epochs": 20}}
    document = {"task": "memory", "seeds": 2, **unstable, "recipes": recipes}
    place = Settings(workers=1)
    with pytest.raises(FailedFastError, match=r"as --fail-fast says: B .*diverged"):
        run_sweep(parse_sweep("fast", document), place, fail_fast=True)
    state = json.loads(command("status", "fast", "--json")[1])["sweeps"][0]
    assert (state["state"], state["failed"]) == ("stopped", 1)
    assert "diverged" in Path("reports/fast/report.md").read_text()
    result, _, _ = run_sweep(parse_sweep("fast", document), place)
    assert [row.id for row in result.failed] == ["B"]
    state = json.loads(command("status", "fast", "--json")[1])["sweeps"][0]
    assert (state["state"], state["fraction"], state["seconds_left"]) == ("finished", 1.0, 0.0)
    assert state["recipes"] == {"done": 2, "total": 2}
    assert state["seeds"] == {"done": 4, "total": 4}


@pytest.mark.parametrize("left", ["NaN", "1e999", "1e300", "-1", '"soon"', "10" * 300])
def test_what_others_wrote_into_the_tag_does_no_harm(left, monkeypatch):
    host = socket.gethostname()
    tag = f'{{"seconds_left": {left}, "process": {10**30}, "host": "{host}", "state": "x"}}'
    progress = parse_tag(tag)
    assert not has_ended(host, 10**30)
    state = SweepState("s", "", "running", "2026-01-01T00:00:00+00:00", 1.0, progress)
    document = json.loads(to_json(state.document()))
    assert (document["sweep"], document["state"]) == ("s", "running")
    assert "left" not in _details(state)
