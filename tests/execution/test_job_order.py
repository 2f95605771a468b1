"""Who takes which job: checked against a simulation of workers, and with real ones."""

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.errors import RecipeError
from lstm_bench.execution._job_order import COMPILING, choice
from lstm_bench.execution._workers import Job, SeedFinished, WorkerPool
from lstm_bench.recipes._cost import estimated_seconds, program_key
from lstm_bench.recipes._recipe import recipe
from lstm_bench.results._storage import unpack_outcome
from lstm_bench.training._program import Form


@dataclass
class Task:
    program: str
    work: float


def simulated(jobs, workers):
    """Returns when the last of `jobs` ends, and how often a program was compiled.

    Each of `workers` takes what `choice` gives it and compiles what it does not have.
    """
    waiting = dict(enumerate(jobs))
    programs = [set() for _ in range(workers)]
    free = [0.0] * workers  # when each is free
    now = compiled = 0
    while waiting:
        idle = [w for w in range(workers) if free[w] <= now]
        for w in idle:
            others = [programs[each] for each in range(workers) if each != w]
            ticket = choice(waiting, programs[w], others)
            if ticket is None:
                continue
            job = waiting.pop(ticket)
            new = bool(job.program) and job.program not in programs[w]
            programs[w] |= {job.program}
            compiled += new
            free[w] = now + job.work + COMPILING * new
            if not waiting:
                break
        busy = [at for at in free if at > now]
        assert busy, "all wait for one another"
        now = min(busy)
    return max(free), compiled


JOBS = st.lists(
    st.builds(Task, st.sampled_from(["", *"abcdef"]), st.floats(0.01, 8)), min_size=1, max_size=40
)


@given(JOBS, st.integers(1, 4))
def test_everything_is_run_and_nothing_takes_longer_than_one_worker_alone(jobs, workers):
    took, _ = simulated(jobs, workers)
    programs = {job.program for job in jobs if job.program}
    alone = sum(job.work for job in jobs) + COMPILING * len(programs)
    assert took <= alone * (1 + 1e-9)


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=40), st.integers(1, 4))
def test_small_jobs_never_compile_a_program_twice(names, workers):
    jobs = [Task(name, COMPILING / len(names)) for name in names]
    assert simulated(jobs, workers)[1] == len(set(names))


def test_much_work_for_one_program_is_shared():
    jobs = [Task("a", 10.0) for _ in range(8)]
    took, compiled = simulated(jobs, 2)
    assert compiled == 2
    assert took == 4 * 10 + COMPILING


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


def legal(task, **settings):
    kept = settings["stateful"]
    own = {key: value for key, value in settings.items() if kept or key not in ("layout", "reset")}
    try:
        return recipe(task, units=3, **own)
    except RecipeError:
        return None


def test_recipes_share_the_name_of_a_program_just_where_they_share_the_program():
    names, forms = {}, {}
    for chosen in itertools.product(*SETTINGS.values()):
        one = legal("memory", **dict(zip(SETTINGS, chosen, strict=True)))
        if one is not None:
            names.setdefault(program_key(one), set()).add(one.digest)
            forms.setdefault(Form.of(one, one.samples(0)), set()).add(one.digest)
    assert len(forms) > 20
    assert set(map(frozenset, names.values())) == set(map(frozenset, forms.values()))


def test_what_is_asked_and_how_fast_it_learns_is_not_in_the_name_of_a_program():
    one = recipe("alphabet", letters=5)
    for same in ({"learning_rate": 0.5}, {"evaluation": "free_running"}, {"momentum": 0.0}):
        assert program_key(recipe("alphabet", letters=5, **same)) == program_key(one)
    for other in ({"units": 3}, {"network": "gru"}, {"optimizer": "sgd"}, {"layers": 2}):
        assert program_key(recipe("alphabet", letters=5, **other)) != program_key(one)
    assert program_key(one, "keras") == ""


def jobs(epochs, seeds):
    return [
        Job((one.settings,), (seed,), program=program_key(one), work=estimated_seconds(one))
        for one in (recipe("memory", units=2, epochs=each) for each in epochs)
        for seed in range(seeds)
    ]


def run(pool, wanted):
    """Returns the outcomes, a seed each, by ticket."""
    tickets = [pool.submit(job) for job in wanted]
    came = {ticket: event for ticket, event in pool.events() if isinstance(event, SeedFinished)}
    assert sorted(came) == tickets
    return [unpack_outcome(came[ticket].outcomes[0]) for ticket in tickets]


def test_two_workers_compile_a_program_once():
    with WorkerPool(2) as pool:
        outcomes = run(pool, jobs(epochs=(2, 3), seeds=3))
    assert sum(outcome.compile_seconds > 0 for outcome in outcomes) == 1


@pytest.mark.slow
def test_workers_that_are_replaced_or_die_leave_no_job_undone():
    wanted = jobs(epochs=(2, 3), seeds=2)
    with WorkerPool(2, budget_mb=0) as pool:  # every worker is replaced after its job
        replaced = run(pool, wanted)
    with WorkerPool(2) as pool:
        run(pool, wanted)
        for worker in pool._workers:
            worker.process.kill()
            worker.process.join()
        again = run(pool, wanted)
    for one, other in zip(replaced, again, strict=True):
        assert one.curves.equals(other.curves)
