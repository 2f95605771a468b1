"""How many jobs a recipe is, and their order: an idle worker takes the one that compiles least."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

COMPILE_SECONDS = 1.5
"""Seconds that compiling a program takes, about: a second worker only compiles it to save more."""

JOB_SECONDS = 60.0
"""About how many seconds a job takes, by estimate: at the end no worker is idle for much longer."""


def jobs_of_recipe(seeds: int, work: float, workers: int) -> int:
    """Returns into how many jobs a recipe is divided, which takes `work` seconds by estimate.

    At least as many as there are `workers` for it; otherwise jobs of about `JOB_SECONDS`, of a seed
    at least.

    >>> jobs_of_recipe(30, 5.0, 1), jobs_of_recipe(30, 5.0, 2), jobs_of_recipe(30, 1800.0, 1)
    (1, 2, 30)
    """
    return max(1, min(seeds, max(workers, round(min(work, 1e6) / JOB_SECONDS))))


class WaitingJob(Protocol):
    """A waiting job: the program that it needs, empty for none, and its run time in seconds."""

    @property
    def program(self) -> str: ...
    @property
    def work(self) -> float: ...


def choose_job(
    waiting: Mapping[int, WaitingJob], programs: Collection[str], others: Sequence[Collection[str]]
) -> int | None:
    """Returns the ticket of the job that an idle worker should take; None if it should wait.

    `programs` are those that the worker has compiled, `others` those of each other worker. The
    worker prefers a job that needs no program, or one that it has. Next comes a job whose program
    no worker has. Last comes the longest job of the first other worker whose waiting jobs take
    longer than compiling. Among equally good jobs it takes the one that was submitted first.

    >>> from types import SimpleNamespace as Job
    >>> waiting = {0: Job(program="b", work=1.0), 1: Job(program="new", work=9)}
    >>> choose_job(waiting, {"a"}, [{"b"}])
    1
    >>> del waiting[1]
    >>> choose_job(waiting, {"a"}, [{"b"}]) is None
    True
    >>> waiting[2] = Job(program="b", work=0.6)
    >>> choose_job(waiting, {"a"}, [{"b"}])
    0
    """
    new_program = None
    for ticket, job in waiting.items():
        if not job.program or job.program in programs:
            return ticket
        if new_program is None and not any(job.program in other for other in others):
            new_program = ticket
    if new_program is not None:
        return new_program
    for other in others:
        work = {ticket: job.work for ticket, job in waiting.items() if job.program in other}
        if sum(work.values()) > COMPILE_SECONDS:
            return max(work, key=lambda ticket: work[ticket])
    return None
