"""Pieces of jobs: a few seeds each, and which worker of a cluster gets which piece next.

A piece is what is lost when a worker dies, and what one worker does while others are idle at the
end, so it should be short; but each worker that runs a piece compiles its program first.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lstm_bench.execution._executor import Job, NetworkJob
from lstm_bench.execution._job_order import choose_job

PIECE_SECONDS = 3.0
"""Estimated seconds of training in a piece, about: twice what compiling a program takes."""
PATIENCE = 30.0
"""Seconds that a piece may take, besides five times its estimate, before an idle worker gets a
copy of it: its worker may be frozen, or out of reach."""
UNKNOWN_WORK = 60.0
"""The estimate, in seconds, of a piece that has none."""


@dataclass(eq=False)
class Piece:
    """A part of a job. `deaths` counts workers that died while they ran it."""

    number: int
    ticket: int  # of its job
    job: Job | NetworkJob
    files: frozenset[str] = frozenset()  # data files that a worker must have for it
    deaths: int = 0
    faults: int = 0  # other reasons for which it was not finished

    @property
    def program(self) -> str:
        """The program that it needs; see `choose_job`."""
        return self.job.program

    @property
    def work(self) -> float:
        """Its estimated run time in seconds."""
        return self.job.work


def split_job(job: Job | NetworkJob, pieces: int | None = None) -> list[Job | NetworkJob]:
    """Returns `job` as jobs of some of its seeds each, together all of them.

    By default each takes about `PIECE_SECONDS`. A job with a time limit stays one: the limit is on
    all of its seeds together.

    >>> job = Job(recipes=(), seeds=(0, 1, 2, 3, 4), work=6.5)
    >>> [part.seeds for part in split_job(job)]
    [(0, 2, 4), (1, 3)]
    >>> len(split_job(job, pieces=5))
    5
    """
    if isinstance(job, NetworkJob) or job.seconds is not None or len(job.seeds) < 2:
        return [job]
    if pieces is None:
        pieces = len(job.seeds) if math.isinf(job.work) else round(job.work / PIECE_SECONDS)
    count = max(1, min(pieces, len(job.seeds)))
    groups = [job.seeds[first::count] for first in range(count)]
    share = job.work / len(job.seeds)
    return [dataclasses.replace(job, seeds=group, work=share * len(group)) for group in groups]


@dataclass(eq=False)
class Copy:
    """A piece that was given to a worker. `began` is when no other one was before it there."""

    piece: Piece
    began: float = math.inf
    handle: Any = None  # what a link knows it by

    def is_late(self, now: float, patience: float) -> bool:
        """Returns whether it has taken much longer than it should."""
        work = self.piece.work
        return now - self.began > patience + 5 * (UNKNOWN_WORK if math.isinf(work) else work)


@dataclass(eq=False)
class ClusterWorker:
    """A worker that takes part; `copies` are in the order in which it runs them."""

    threads: int = 1
    files: frozenset[str] = frozenset()
    programs: set[str] = field(default_factory=set)
    copies: list[Copy] = field(default_factory=list)

    def give(self, copy: Copy, now: float) -> None:
        """Adds a piece to those that the worker is to run."""
        self.copies.append(copy)
        self.programs.add(copy.piece.program)
        self.begin(now)

    def begin(self, now: float) -> None:
        """Notes that the first copies, one for each thread, are running."""
        for copy in self.copies[: self.threads]:
            copy.began = min(copy.began, now)


def placements(
    workers: Mapping[str, ClusterWorker],
    waiting: Mapping[int, Piece],
    patience: float = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[str, Piece, tuple[str, Copy] | None]]:
    """Yields (worker, piece, copy to take back) for what should be given out now.

    Before the next one, the caller must have given the piece to the worker, and have taken back the
    copy from the worker that is named with it. First every idle thread gets a waiting piece, then
    every thread one that it can go on with. If none is waiting, an idle thread gets one that
    another worker has not begun, or else a second copy of one that is late.
    """
    for ahead in (0, 1):
        for address, worker in list(workers.items()):
            others = [other.programs for other in workers.values() if other is not worker]
            while waiting and len(worker.copies) < worker.threads * (1 + ahead):
                fitting = {n: piece for n, piece in waiting.items() if piece.files <= worker.files}
                number = choose_job(fitting, worker.programs, others)
                if number is None:
                    break
                yield address, waiting[number], None
    if waiting:
        return
    idle = [name for name, worker in workers.items() if len(worker.copies) < worker.threads]
    for address in idle:
        worker = workers[address]
        for name, other in workers.items():
            unbegun = other.copies[other.threads :]
            if unbegun and other is not worker and unbegun[-1].piece.files <= worker.files:
                yield address, unbegun[-1].piece, (name, unbegun[-1])
                break
        else:
            late = _late_piece(workers, worker, patience, clock())
            if late is not None:
                yield address, late, None


def _late_piece(
    workers: Mapping[str, ClusterWorker], worker: ClusterWorker, patience: float, now: float
) -> Piece | None:
    """Returns a piece that is late and that only one other worker has; None if there is none."""
    copies = [copy for other in workers.values() for copy in other.copies]
    pieces = [copy.piece for copy in copies]
    late = (
        copy.piece
        for copy in copies
        if copy.is_late(now, patience) and copy not in worker.copies
        if pieces.count(copy.piece) == 1 and copy.piece.files <= worker.files
    )
    return next(late, None)
