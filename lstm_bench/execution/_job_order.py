"""Which of the waiting jobs an idle worker takes, so that few programs are compiled twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

COMPILING = 1.5
"""Seconds that compiling a program takes, about: it is done twice only to save more than that."""


class Waiting(Protocol):
    """What is asked of a job: the program it needs, if any, and how long it takes, in seconds."""

    @property
    def program(self) -> str: ...
    @property
    def work(self) -> float: ...


def choice(
    waiting: Mapping[int, Waiting], own: Collection[str], others: Sequence[Collection[str]]
) -> int | None:
    """Returns the ticket of the job that a worker should take, None if it had better wait.

    `own` are the programs that it has, `others` those of each other worker. It takes what needs no
    program or one of its own; else what needs one that nobody has; else the longest job of the
    first worker for which more is waiting than compiling takes. Of equals, what came first.

    >>> from types import SimpleNamespace as Job
    >>> waiting = {0: Job(program="theirs", work=1.0), 1: Job(program="new", work=9)}
    >>> choice(waiting, {"mine"}, [{"theirs"}])
    1
    >>> del waiting[1]
    >>> choice(waiting, {"mine"}, [{"theirs"}]) is None
    True
    >>> waiting[2] = Job(program="theirs", work=0.6)
    >>> choice(waiting, {"mine"}, [{"theirs"}])
    0
    """
    fresh = None
    for ticket, job in waiting.items():
        if not job.program or job.program in own:
            return ticket
        if fresh is None and not any(job.program in programs for programs in others):
            fresh = ticket
    if fresh is not None:
        return fresh
    for programs in others:
        theirs = {ticket: job.work for ticket, job in waiting.items() if job.program in programs}
        if sum(theirs.values()) > COMPILING:
            return max(theirs, key=lambda ticket: theirs[ticket])
    return None
