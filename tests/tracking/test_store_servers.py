"""Sweeps whose store is PostgreSQL or a server of MLflow: killed, restarted, away, and shared."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import psutil
import pytest
from store_servers import PASSWORD, MlflowServer, PostgreSQL, postgresql_program

pytestmark = pytest.mark.slow

SWEEP = """\
task: memory
seeds: 4
units: 4
recipes:
  A: {epochs: 16000}
  B: {epochs: 24000}
  C: {epochs: 32000}
search:
  trials: 16
  startup: 4
  confirm: 2
  space: {epochs: {int: [4000, 24000]}, learning_rate: {float: [1.0e-3, 1.0e-1], log: true}}
"""
MEASURED = ["seconds", "compile_seconds", "train_seconds"]


def words(*more):
    return [sys.executable, "-m", "lstm_bench", *more]


def make_folder(path, address, **more):
    path.mkdir()
    (path / "s.yaml").write_text(SWEEP)
    (path / "conf").mkdir()
    settings = {"store": address, "optuna": None, "workers": 2, "store_wait": 5} | more
    (path / "conf" / "default.yaml").write_text(json.dumps(settings))
    return path


class Driver:
    """A sweep in a process; what it prints goes to a file. None of `started` outlives its test."""

    started = []

    def __init__(self, folder, *more):
        self.log = folder / f"log-{time.monotonic_ns()}"
        with self.log.open("wb") as file:
            self.process = subprocess.Popen(
                words("sweep", "s.yaml", *more), cwd=folder, stdout=file, stderr=file,
                start_new_session=True,
            )  # fmt: skip
        self.started.append(self)

    @property
    def text(self):
        return self.log.read_text()

    def wait_for(self, text, seconds=240):
        """Waits until something was printed; returns how long that took."""
        began = time.monotonic()
        while text not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() - began < seconds, self.text
            time.sleep(0.05)
        return time.monotonic() - began

    def end(self, seconds=400):
        return self.process.wait(seconds)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(autouse=True)
def _no_driver_is_left():
    yield
    while Driver.started:
        Driver.started.pop().kill()


def status(folder):
    done = subprocess.run(
        words("status", "s", "--json"), cwd=folder, capture_output=True, text=True, timeout=300
    )
    early = ("there is no", "holds no runs", "did not answer")  # or the machine is very busy
    if done.returncode == 2 and any(text in done.stderr for text in early):
        return {}
    assert done.returncode == 0, done.stderr
    (state,) = json.loads(done.stdout)["sweeps"]
    return state


def wait_until_some_recipes_are_stored(folder, driver, count=2):
    """Returns the state of the sweep once `driver` itself, not one before it, has stored some."""
    for _ in range(100):
        state = status(folder)
        done = state.get("recipes", {}).get("done", 0)
        if done >= count and state.get("process") == driver.process.pid:
            return state
        time.sleep(2)
    raise AssertionError(state)


def tables(folder):
    found = {}
    for path in sorted((folder / "reports" / "s").glob("*.csv")):
        frame = pd.read_csv(path)
        found[path.name] = frame.drop(columns=[c for c in MEASURED if c in frame.columns])
    return found


def assert_same_tables(left, right):
    assert left.keys() == right.keys() and left
    for name, frame in left.items():
        pd.testing.assert_frame_equal(frame, right[name], check_exact=True, obj=name)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The tables of a sweep in the embedded store that nothing happened to."""
    folder = make_folder(tmp_path_factory.mktemp("here") / "f", "sqlite:///mlflow.db")
    driver = Driver(folder)
    assert driver.end() == 0, driver.text
    return tables(folder)


@pytest.fixture(params=["postgresql", "server"])
def store(request, tmp_path):
    """Yields a server that keeps runs: its address, and how it is killed and started.

    PostgreSQL itself, and MLflow's server whose runs are in PostgreSQL.
    """
    if not all(map(postgresql_program, ("initdb", "postgres"))):
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="the package psycopg is not installed")
    with PostgreSQL() as database:
        if request.param == "postgresql":
            yield database
            return
        (tmp_path / "server").mkdir()
        with MlflowServer(tmp_path / "server", database.address) as server:
            yield server


def test_a_kill_and_a_restarted_server_change_nothing(store, expected, tmp_path):
    """The driver is killed, then the server in the middle of the next run; all is as elsewhere."""
    folder = make_folder(tmp_path / "f", store.address)
    first = Driver(folder)
    running = wait_until_some_recipes_are_stored(folder, first)
    assert running["state"] == "running" and running["process"] == first.process.pid
    workers = psutil.Process(first.process.pid).children(recursive=True)
    assert workers
    for worker in workers:  # nothing but the driver writes
        ports = {one.raddr.port for one in worker.net_connections() if one.raddr}
        assert store.port not in ports
    first.kill()
    assert status(folder)["state"] == "silent"

    second = Driver(folder)
    wait_until_some_recipes_are_stored(folder, second, 3)
    store.kill()
    assert second.wait_for("waiting for the store") < 60  # seconds, on a machine that is busy
    time.sleep(5)
    store.start()
    second.wait_for("answers again")
    assert second.end() == 0, second.text
    assert_same_tables(tables(folder), expected)
    state = status(folder)
    assert (state["state"], state["failed"]) == ("finished", 0)
    assert state["recipes"]["done"] == state["recipes"]["total"]

    shutil.rmtree(folder / "reports")
    rebuilt = subprocess.run(words("report", "s"), cwd=folder, capture_output=True, text=True)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert_same_tables(tables(folder), expected)
    printed = first.text + second.text + rebuilt.stdout + rebuilt.stderr
    assert "View run" not in printed and "View experiment" not in printed
    for part in (PASSWORD, "cretword"):
        assert part not in printed
        files = [p for p in folder.rglob("*") if p.is_file() and p.name != "default.yaml"]
        assert not [p for p in files if part.encode() in p.read_bytes()]


def test_a_server_that_stays_away_ends_the_sweep_and_costs_no_seed(expected, tmp_path):
    """It is said within seconds, training goes on, and after the stated time it ends: exit 1."""
    (tmp_path / "server").mkdir()
    with MlflowServer(tmp_path / "server") as server:
        folder = make_folder(tmp_path / "f", server.address, store_wait=0.5)
        driver = Driver(folder)
        wait_until_some_recipes_are_stored(folder, driver, 1)
        server.kill()
        gone = time.monotonic()
        driver.wait_for("waiting for the store")
        assert driver.end() == 1, driver.text
        assert time.monotonic() - gone < 90
        assert "has not answered for 0.5 min" in driver.text
        assert "Traceback" not in driver.text
        server.start()
        driver = Driver(folder)
        assert driver.end() == 0, driver.text
        assert_same_tables(tables(folder), expected)


def test_two_folders_that_run_one_sweep_against_one_server_do_its_work_once(expected, tmp_path):
    (tmp_path / "server").mkdir()
    with MlflowServer(tmp_path / "server") as server:
        folders = [make_folder(tmp_path / name, server.address) for name in ("f", "g")]
        drivers = [Driver(folder) for folder in folders]
        for driver in drivers:
            assert driver.end() == 0, driver.text
        waited = ["waiting for another process at this sweep, on" in d.text for d in drivers]
        reused = [bool(re.search(r"(\d+) of \1 recipes needed no", d.text)) for d in drivers]
        assert waited == reused and sorted(waited) == [False, True]
        for folder in folders:
            assert_same_tables(tables(folder), expected)
