"""Jobs on a Dask cluster of real processes: its workers are killed, frozen and cut off."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("distributed")

from dask_processes import Cluster, Proxy, sleep_and_answer

from lstm_bench.errors import UserError
from lstm_bench.execution._cluster import ClusterExecutor
from lstm_bench.execution._dask import DaskLink
from lstm_bench.execution._executor import Job, JobFinished, SeedFinished
from lstm_bench.execution._sweep_run import run_sweep
from lstm_bench.sweeps._sweep import parse_sweep


@pytest.fixture
def cluster(tmp_path):
    with Cluster(tmp_path) as running:
        yield running


def jobs(count, seeds=10):
    return [
        Job(({"task": "memory"},), tuple(range(seeds)), training=f"r{n}", work=3.0 * seeds / 2)
        for n in range(count)
    ]


def run(cluster, given, on_seed=lambda: None, patience=30.0):
    """Runs jobs and checks that every seed is reported once, with its own result."""
    notices = []
    link = DaskLink(cluster.address, notices.append, run=sleep_and_answer)
    with ClusterExecutor(link, notice=notices.append, patience=patience) as executor:
        tickets = {executor.submit(job): job for job in given}
        seen, ends = [], {}
        for ticket, event in executor.events():
            training = tickets[ticket].training
            if isinstance(event, SeedFinished):
                assert event.outcomes == (f"{training} {event.seed}".encode(),)
                seen.append((training, event.seed))
                on_seed()
            else:
                ends[training] = event
    assert sorted(seen) == sorted((job.training, seed) for job in given for seed in job.seeds)
    assert ends == {job.training: JobFinished() for job in given}
    return notices


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.long
def test_a_worker_that_is_killed_costs_no_seed(cluster):
    for _ in range(2):
        cluster.start_worker()
    done = []

    def kill_one():
        done.append(1)
        if len(done) == 5:
            kill(cluster.workers[0])

    run(cluster, jobs(4), kill_one)


def test_a_scheduler_that_does_not_answer_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("lstm_bench.execution._dask.CONNECT_SECONDS", 0.5)
    with pytest.raises(UserError, match=r"must answer at tcp://127\.0\.0\.1:1, but"):
        run(type("Nothing", (), {"address": "tcp://127.0.0.1:1"}), jobs(1))


def test_what_is_no_cluster_is_refused():
    with pytest.raises(UserError, match=r"tcp://HOST:8786, or a distributed.Client, but got int"):
        DaskLink(7)


@pytest.mark.slow
def test_nothing_is_lost_over_fifty_kills(cluster):
    """Workers are killed at random moments, some while they start, and others join."""
    rng, killed, next_kill = random.Random(1), [], [3]
    alive = [cluster.start_worker() for _ in range(4)]

    def kill_one():
        victim = alive.pop(rng.randrange(len(alive)))
        kill(victim)
        killed.append(victim)
        alive.append(cluster.start_worker())

    def on_seed():
        next_kill[0] -= 1
        if next_kill[0] == 0 and len(killed) < 50:
            next_kill[0] = rng.randrange(1, 12)
            threading.Timer(rng.uniform(0, 0.5), kill_one).start()

    while len(killed) < 50:
        run(cluster, jobs(10), on_seed)


@pytest.mark.slow
def test_a_frozen_worker_and_one_without_network_and_a_new_scheduler_lose_nothing(cluster):
    proxy = Proxy(cluster.port)
    frozen = cluster.start_worker()
    cluster.start_worker(address=f"tcp://127.0.0.1:{proxy.port}")
    cluster.start_worker()
    done = []

    def disturb():
        done.append(1)
        if len(done) == 5:
            os.killpg(frozen.pid, signal.SIGSTOP)
        if len(done) == 15:
            proxy.cut = True
        if len(done) == 50:
            os.killpg(frozen.pid, signal.SIGCONT)
        if len(done) == 80:
            kill(cluster.scheduler)
            cluster.scheduler.wait()
            cluster.start_scheduler()
            for _ in range(2):
                cluster.start_worker()

    notices = run(cluster, jobs(20), disturb, patience=3.0)
    proxy.close()
    assert any("scheduler" in notice for notice in notices)


SMALL = {
    "task": "csv",
    "file": "shop.csv",
    "target": "sales",
    "seeds": 3,
    "framing": "window",
    "epochs": 3,
    "recipes": {"A": {"units": 2, "window": 7}, "B": {"units": 3, "window": 3}},
}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_a_sweep_gives_the_same_numbers_as_here_without_a_shared_disk(
    cluster, settings, tmp_path_factory, monkeypatch, workers
):
    """The workers run in another folder, which has no data file."""
    folder = tmp_path_factory.mktemp("mine")
    monkeypatch.chdir(folder)
    rows = "".join(f"{day},{day % 7 + day // 7 % 2}\n" for day in range(60))
    (folder / "shop.csv").write_text(f"day,sales\n{rows}")
    for _ in range(workers):
        cluster.start_worker("--nanny")
    sweep = parse_sweep("shop", SMALL)
    here, _, _ = run_sweep(sweep, settings, again=True)
    there, _, _ = run_sweep(sweep, settings, again=True, cluster=cluster.address)
    assert [row.id for row in there.rows] == ["A", "B"]
    for row, other in zip(here.rows, there.rows, strict=True):
        assert row.outcome == other.outcome


LONG = """\
task: memory
seeds: 8
units: 4
recipes:
  A: {epochs: 3000}
  B: {epochs: 4000}
  C: {epochs: 5000, batch_size: 2}
"""


def start_driver(folder, *more):
    words = [sys.executable, "-m", "lstm_bench", "sweep", "long.yaml", *more]
    return subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def seeds_table(folder):
    table = pd.read_csv(folder / "reports" / "long" / "seeds.csv")
    where = ["seconds", "host", "processor", "versions"]  # what differs from run to run
    return table.drop(columns=[column for column in where if column in table])


@pytest.mark.slow
def test_a_driver_that_is_killed_goes_on_at_the_same_cluster_to_the_same_numbers(
    cluster, tmp_path_factory
):
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    for folder in (here, there):
        (folder / "long.yaml").write_text(LONG)
    alone = start_driver(here)
    output, _ = alone.communicate(timeout=600)
    assert alone.returncode == 0, output
    for _ in range(2):
        cluster.start_worker("--nanny")
    address = ("--cluster", cluster.address)
    for _ in range(3):
        driver, log = start_driver(there, *address), there / "mlartifacts" / "seeds.db-wal"
        before, deadline = log.stat().st_mtime_ns if log.exists() else 0, time.monotonic() + 300
        while driver.poll() is None and time.monotonic() < deadline:
            if log.exists() and log.stat().st_mtime_ns != before:
                break  # a seed has come back
            time.sleep(0.02)
        kill(driver)
        driver.communicate()  # closes its output, too
    last = start_driver(there, *address)
    output, _ = last.communicate(timeout=600)
    assert last.returncode == 0, output
    pd.testing.assert_frame_equal(seeds_table(there), seeds_table(here), check_exact=True)


@pytest.mark.slow
def test_a_network_of_the_users_own_travels_by_content(
    cluster, settings, tmp_path_factory, monkeypatch
):
    """The workers run in another folder, which has neither the module nor what that imports."""
    monkeypatch.chdir(tmp_path_factory.mktemp("mine"))
    Path("my_size.py").write_text("SIZE = 3\n")
    Path("my_net.py").write_text(
        "import keras\nfrom my_size import SIZE\n\n\n"
        "def build(recipe, input_shape, output_shape):\n"
        "    layers = [keras.layers.GRU(SIZE), keras.layers.Dense(*output_shape, 'softmax')]\n"
        "    return keras.Sequential(layers)\n"
    )
    cluster.start_worker("--nanny")
    document = {"task": "alphabet", "framing": "window", "epochs": 2, "seeds": 2}
    sweep = parse_sweep("own", document | {"recipes": {"A": {"network": "my_net:build"}}})
    Path("my_size.py").write_text("SIZE = 4\n")  # edited after the sweep was read
    here, _, _ = run_sweep(sweep, settings, again=True)
    there, _, _ = run_sweep(sweep, settings, again=True, cluster=cluster.address)
    assert here.rows[0].outcome == there.rows[0].outcome
    assert there.rows[0].outcome.parameters == 3 * 3 * (1 + 3 + 2) + 26 * 4
    assert there.rows[0].outcome.model


OTHER_PROCESSOR = """\
import lstm_bench.provenance

lstm_bench.provenance._processor = lambda: "Another processor"
"""


@pytest.mark.slow
def test_one_seed_is_trained_on_each_kind_of_processor_of_the_workers(cluster, settings, tmp_path):
    """Both workers have the same processor; one of them is made to say otherwise."""
    (tmp_path / "other.py").write_text(OTHER_PROCESSOR)
    cluster.start_worker()
    cluster.start_worker("--preload", str(tmp_path / "other.py"))
    document = {"task": "memory", "units": 2, "epochs": 3, "seeds": 2, "check": "bits"}
    sweep = parse_sweep("kinds", document | {"recipes": {"A": {}}})
    result, _, _ = run_sweep(sweep, settings, again=True, cluster=cluster.address)
    assert result.check.is_same and len(result.check.kinds) == 2
    assert "Another processor" in result.check.kinds
    assert "seed 0 of A gave the same bits on each" in result.check.sentence
