"""Which worker takes which job, checked by a simulation of workers and with real ones."""

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.errors import RecipeError
from lstm_bench.execution._job_order import COMPILE_SECONDS, choose_job
from lstm_bench.execution._workers import Job, SeedFinished, WorkerPool
from lstm_bench.recipes._cost import estimated_seconds, program_key
from lstm_bench.recipes._recipe import recipe
from lstm_bench.results._storage import unpack_outcome
from lstm_bench.training._program_spec import ProgramSpec


@dataclass
class Task:
    program: str
    work: float


def simulate(jobs, workers):
    """Returns when the last of `jobs` ends, and how often a program was compiled.

    Each of `workers` takes what `choose_job` gives it, and compiles a program that it lacks.
    """
    waiting = dict(enumerate(jobs))
    programs = [set() for _ in range(workers)]
    free = [0.0] * workers  # when each worker is free
    now = compiled = 0
    while waiting:
        idle = [w for w in range(workers) if free[w] <= now]
        for w in idle:
            others = [programs[other] for other in range(workers) if other != w]
            ticket = choose_job(waiting, programs[w], others)
            if ticket is None:
                continue
            job = waiting.pop(ticket)
            new = bool(job.program) and job.program not in programs[w]
            programs[w] |= {job.program}
            compiled += new
            free[w] = now + job.work + COMPILE_SECONDS * new
            if not waiting:
                break
        busy = [at for at in free if at > now]
        assert busy, "all workers wait for one another"
        now = min(busy)
    return max(free), compiled


JOBS = st.lists(
    st.builds(Task, st.sampled_from(["", *"abcdef"]), st.floats(0.01, 8)), min_size=1, max_size=40
)


@given(JOBS, st.integers(1, 4))
def test_all_jobs_are_run_and_in_no_more_time_than_by_one_worker(jobs, workers):
    end, _ = simulate(jobs, workers)
    programs = {job.program for job in jobs if job.program}
    alone = sum(job.work for job in jobs) + COMPILE_SECONDS * len(programs)
    assert end <= alone * (1 + 1e-9)


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=40), st.integers(1, 4))
def test_small_jobs_never_compile_a_program_twice(names, workers):
    jobs = [Task(name, COMPILE_SECONDS / len(names)) for name in names]
    assert simulate(jobs, workers)[1] == len(set(names))


def test_much_work_for_one_program_is_shared():
    jobs = [Task("a", 10.0) for _ in range(8)]
    end, compiled = simulate(jobs, 2)
    assert compiled == 2
    assert end == 4 * 10 + COMPILE_SECONDS


SETTINGS = {
    "framing": ["pairs", "window", "prefixes", "whole"],
    "stateful": [True, False],
    "layout": ["rows", "streams"],
    "reset": ["sequence", "epoch"],
    "shuffle": ["none", "samples"],
    "batch_size": [1, 2, "all"],
    "epochs": [3, 5],
    "accumulate": [1, 2],
}


def legal_recipe(task, **settings):
    unused = () if settings["stateful"] else ("layout", "reset")
    used = {key: value for key, value in settings.items() if key not in unused}
    try:
        return recipe(task, units=3, **used)
    except RecipeError:
        return None


def test_recipes_share_a_program_key_exactly_where_they_share_the_program():
    by_key, by_program = {}, {}
    for values in itertools.product(*SETTINGS.values()):
        one = legal_recipe("memory", **dict(zip(SETTINGS, values, strict=True)))
        if one is not None:
            by_key.setdefault(program_key(one), set()).add(one.digest)
            by_program.setdefault(ProgramSpec.of(one, one.samples(0)), set()).add(one.digest)
    assert len(by_program) > 20
    assert set(map(frozenset, by_key.values())) == set(map(frozenset, by_program.values()))


def test_evaluation_and_learning_rate_are_not_in_the_program_key():
    one = recipe("alphabet", letters=5)
    for same in ({"learning_rate": 0.5}, {"evaluation": "free_running"}, {"momentum": 0.0}):
        assert program_key(recipe("alphabet", letters=5, **same)) == program_key(one)
    for other in ({"units": 3}, {"network": "gru"}, {"optimizer": "sgd"}, {"layers": 2}):
        assert program_key(recipe("alphabet", letters=5, **other)) != program_key(one)
    assert program_key(one, "keras") == ""


def make_jobs(epochs, seeds):
    return [
        Job((one.settings,), (seed,), program=program_key(one), work=estimated_seconds(one))
        for one in (recipe("memory", units=2, epochs=count) for count in epochs)
        for seed in range(seeds)
    ]


def run(pool, jobs):
    """Returns the outcomes of jobs of one seed each, in the order of the jobs."""
    tickets = [pool.submit(job) for job in jobs]
    finished = {ticket: event for ticket, event in pool.events() if isinstance(event, SeedFinished)}
    assert sorted(finished) == tickets
    return [unpack_outcome(finished[ticket].outcomes[0]) for ticket in tickets]


def test_two_workers_compile_a_program_once():
    with WorkerPool(2) as pool:
        outcomes = run(pool, make_jobs(epochs=(2, 3), seeds=3))
    assert sum(outcome.compile_seconds > 0 for outcome in outcomes) == 1


@pytest.mark.slow
def test_workers_that_are_replaced_or_die_leave_no_job_out():
    jobs = make_jobs(epochs=(2, 3), seeds=2)
    with WorkerPool(2, budget_mb=0) as pool:  # every worker is replaced after its job
        replaced = run(pool, jobs)
    with WorkerPool(2) as pool:
        run(pool, jobs)
        for worker in pool._workers:
            worker.process.kill()
            worker.process.join()
        again = run(pool, jobs)
    for one, other in zip(replaced, again, strict=True):
        assert one.curves.equals(other.curves)
