"""Jobs on a cluster, in simulated time: every seed is reported once, whatever befalls workers."""

import random

import pytest
from simulated_cluster import SimulatedCluster

from lstm_bench.errors import DataError, UserError
from lstm_bench.execution._cluster import MAX_WORKER_DEATHS, ClusterExecutor
from lstm_bench.execution._executor import Job, JobFailed, JobFinished, NetworkJob, SeedFinished


def job(training, seeds, work=6.0, **more):
    return Job(({"task": "memory"},), tuple(seeds), training=training, program=training,
               work=work, **more)  # fmt: skip


def run(cluster, jobs, notices=None, **options):
    """Returns (seeds reported by job, last event by job), and checks what all jobs promise."""
    notice = [].append if notices is None else notices.append
    executor = ClusterExecutor(
        cluster, notice=notice, patience=30, clock=lambda: cluster.now, **options
    )
    with executor:
        tickets = {executor.submit(one): one for one in jobs}
        seeds, ends = {ticket: [] for ticket in tickets}, {}
        for ticket, event in executor.events():
            assert ticket not in ends  # nothing comes after the end
            if isinstance(event, SeedFinished):
                seeds[ticket].append(event.seed)
                wanted = f"{tickets[ticket].training} {event.seed}".encode()
                assert event.outcomes == (wanted,)
            else:
                ends[ticket] = event
    assert ends.keys() == tickets.keys()
    return [sorted(of_job) for of_job in seeds.values()], [ends[ticket] for ticket in tickets]


JOBS = [job(f"r{number}", range(10), work=20.0) for number in range(12)]
ALL = [list(range(10))] * len(JOBS)


def one_second(job, seed):
    return 1.0


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_seed_is_reported_once_on_any_number_of_workers(workers):
    cluster = SimulatedCluster(workers, one_second, compile_seconds=1.5)
    seeds, ends = run(cluster, JOBS)
    assert seeds == ALL and ends == [JobFinished(b"net")] * len(JOBS)
    assert len(cluster.trained) == 120  # and trained once, because no worker died


def test_a_network_job_returns_its_file():
    cluster = SimulatedCluster(2, one_second)
    _, ends = run(cluster, [NetworkJob({"task": "memory"}, 0, ())])
    assert ends == [JobFinished(b"net")]


@pytest.mark.parametrize("seed", range(20))
def test_no_seed_is_lost_or_doubled_while_workers_die_freeze_and_join(seed):
    rng = random.Random(seed)
    faults = []
    for number in range(50):
        moment = rng.uniform(0, 60)
        address = f"w{rng.randrange(5)}"
        faults.append((moment, rng.choice([
            lambda c, a=address: c.kill(a),
            lambda c, a=address: c.restart_in_place(a) if a in c.workers else None,
            lambda c, a=address: c.freeze(a) if a in c.workers else None,
            lambda c, a=address: c.thaw(a) if a in c.workers else None,
            lambda c: c.restart_scheduler(),
        ])))  # fmt: skip
        faults.append((moment + rng.uniform(0, 3), lambda c, n=number: c.join(f"new{n}")))
    seeds, ends = run(SimulatedCluster(5, one_second, 1.5, at=faults), JOBS)
    assert seeds == ALL and ends == [JobFinished(b"net")] * len(JOBS)


def test_a_seed_that_kills_workers_fails_and_ends_nothing_else():
    cluster = SimulatedCluster(3, one_second)
    cluster.fails["bad", 7] = "kill"
    for number in range(40):
        cluster.push(number, lambda n=number: cluster.join(f"new{n}"))
    one, other = job("bad", [5, 6, 7], work=2.0), job("good", range(5))
    seeds, ends = run(cluster, [one, other])
    assert seeds == [[5, 6], [0, 1, 2, 3, 4]]
    assert isinstance(ends[0], JobFailed) and ends[0].kind == "died"
    assert isinstance(ends[1], JobFinished)
    assert cluster.kills == MAX_WORKER_DEATHS + 1  # once as one of several seeds, then alone


def test_a_job_with_an_error_fails_with_its_reason_and_keeps_its_other_seeds():
    cluster = SimulatedCluster(2, one_second)
    cluster.fails["bad", 1] = "error"
    seeds, ends = run(cluster, [job("bad", range(4), work=12.0), job("good", range(3))])
    assert seeds == [[0, 2, 3], [0, 1, 2]]
    assert ends == [JobFailed("bad", "error"), JobFinished(b"net")]


def test_what_a_frozen_worker_has_is_done_by_another_one_and_its_late_result_does_not_count():
    cluster = SimulatedCluster(2, one_second, at=[(1.5, lambda c: c.freeze("w0"))])
    cluster.push(200, lambda: cluster.thaw("w0"))
    seeds, _ = run(cluster, JOBS[:2])
    assert seeds == ALL[:2]
    assert cluster.now < 100


def test_a_worker_with_other_versions_is_refused_by_name_and_gets_nothing():
    notices = []
    cluster = SimulatedCluster(2, one_second, facts={"w1": {"keras": "2.0"}})
    seeds, _ = run(cluster, JOBS, notices)
    assert seeds == ALL
    (notice,) = notices
    assert notice.startswith("worker w1 (w1) is refused: on host, keras is 2.0, but must be ")


def test_a_cluster_without_a_fitting_worker_is_refused():
    facts = {"w0": {"python": "2.7"}, "w1": {"source code": "x", "host": "old"}}
    with pytest.raises(UserError, match=r"(?s)w0: on host, python is 2.7.*w1: on old, source code"):
        run(SimulatedCluster(2, one_second, facts=facts), JOBS)


def test_a_cluster_may_be_empty_at_first():
    notices = []
    cluster = SimulatedCluster(0, one_second, at=[(60, lambda c: c.join("w"))])
    cluster.push(0, lambda: [cluster.listing()])
    assert run(cluster, JOBS[:1], notices)[0] == ALL[:1]
    assert "no workers yet" in notices[0]


def test_a_data_file_must_have_a_name_that_other_machines_can_have(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x\n1\n")
    settings = {"task": "csv", "file": str(path)}
    with pytest.raises(DataError, match="relative to the working folder"):
        run(SimulatedCluster(1, one_second), [Job((settings,), (0,))])


def test_a_time_limit_is_on_all_seeds_of_a_job_together():
    cluster = SimulatedCluster(5, one_second)
    executor = ClusterExecutor(cluster, clock=lambda: cluster.now)
    with executor:
        executor.submit(job("r", range(9), work=90.0, seconds=100.0))
        next(executor.events())
        assert len(executor._pieces) == 0  # it was one piece


def busy_share(workers, jobs, duration):
    cluster = SimulatedCluster(workers, duration, compile_seconds=1.5)
    run(cluster, jobs)
    return cluster.busy / (workers * cluster.now)


@pytest.mark.long
@pytest.mark.parametrize("workers", [8, 64])
def test_workers_are_kept_busy(workers):
    """60 recipes of 30 seeds, from 0.2 to 4 s a seed, as in the sweep `published`, in turns."""
    seconds = {f"r{number}": 0.2 * 20 ** (number / 59) for number in range(60)}
    jobs = [job(name, range(30), work=30 * each) for name, each in reversed(seconds.items())]
    share = busy_share(workers, jobs, lambda job, seed: seconds[job.training])
    assert share > 0.9
