"""Who takes which job: checked against a simulation of workers, and with real ones."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.cost import program, seconds
from lstm_bench.dealing import COMPILING, choice
from lstm_bench.recipe import recipe
from lstm_bench.results import unpack
from lstm_bench.workers import Job, Pool, Seed


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


def test_what_a_program_does_not_depend_on_is_not_in_its_name():
    one = recipe("memory", epochs=5, shuffle="none")
    for same in ({"epochs": 9}, {"learning_rate": 0.5}, {"reset": "epoch"}):
        assert program(recipe("memory", **{"epochs": 5, **same})) == program(one)
    for other in ({"units": 3}, {"framing": "whole"}, {"stateful": False}, {"optimizer": "sgd"}):
        assert program(recipe("memory", epochs=5, **other)) != program(one)
    assert program(recipe("memory", accumulate=2)) == program(recipe("memory", accumulate=4))
    assert program(recipe("memory", accumulate=2)) != program(recipe("memory", accumulate=1))


def test_two_workers_compile_a_program_once():
    jobs = [
        Job((one.settings,), (seed,), program=program(one), work=seconds(one, "compiled"))
        for one in (recipe("memory", units=2, epochs=epochs) for epochs in (2, 3))
        for seed in range(3)
    ]
    compiling = []
    with Pool(2) as pool:
        for job in jobs:
            pool.submit(job)
        for _, event in pool.events():
            if isinstance(event, Seed):
                compiling.append(unpack(event.outcomes[0]).compile_seconds)
    assert len(compiling) == len(jobs)
    assert sum(spent > 0 for spent in compiling) == 1
