"""Pieces of jobs: a few seeds each, and which worker of a cluster gets which piece next.

A piece is what is lost when a worker dies, and what one worker does while others are idle at the
end, so it should be short; but each worker that runs a piece compiles its program first.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lstm_bench.execution._executor import Job, NetworkJob
from lstm_bench.execution._job_order import COMPILE_SECONDS

PIECE_SECONDS = 3.0
"""Estimated seconds of training in a piece, about: twice what compiling a program takes."""
LONG_SECONDS = 6.0
"""Estimated seconds from which on a piece is long: the longest ones are given out first."""
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
        """The program that it needs; empty for none."""
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


class _Waiting:
    """Waiting pieces by program, with how long they take and how many workers have the program."""

    def __init__(self, waiting: Mapping[int, Piece], workers: Mapping[str, ClusterWorker]) -> None:
        self.pieces: dict[str, list[Piece]] = {}
        for piece in waiting.values():
            self.pieces.setdefault(piece.program, []).append(piece)
        self.work = {
            program: sum(map(_known_work, pieces)) for program, pieces in self.pieces.items()
        }
        self.holders = Counter(
            program for worker in workers.values() for program in worker.programs
        )

    def take(self, worker: ClusterWorker, longest: float = math.inf) -> Piece | None:
        """Returns the piece that a worker should take, and no longer counts it as waiting.

        The longest, if it takes more than `LONG_SECONDS`: it must not be what all wait for at the
        end. Else one of a program that the worker has; else one of the program that would take
        longest to finish, all workers that have it and this one taking part, if compiling it is
        worth it. None if it should wait, or if all pieces take more than `longest` seconds.
        """

        def urgency(program: str) -> tuple[float, bool, float]:
            seconds = _known_work(self.pieces[program][0])
            is_compiled = not program or program in worker.programs
            load = self.work[program] / (1 + self.holders[program])
            return (seconds if seconds > LONG_SECONDS else 0.0, is_compiled, load)

        fit = [name for name, pieces in self.pieces.items() if _known_work(pieces[0]) <= longest]
        program = max(fit, key=urgency, default=None)
        if program is None:
            return None
        known = not program or program in worker.programs or not self.holders[program]
        if not known and self.work[program] <= COMPILE_SECONDS:
            return None
        fitting = (piece for piece in self.pieces[program] if piece.files <= worker.files)
        piece = next(fitting, None)
        if piece is None:
            return None
        self.pieces[program].remove(piece)
        self.work[program] -= _known_work(piece)
        if not self.pieces[program]:
            del self.pieces[program]
        self.holders[program] += program not in worker.programs
        return piece


def _known_work(piece: Piece) -> float:
    return UNKNOWN_WORK if math.isinf(piece.work) else piece.work


def placements(
    workers: Mapping[str, ClusterWorker],
    waiting: Mapping[int, Piece],
    patience: float = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[str, Piece, tuple[str, Copy] | None]]:
    """Yields (worker, piece, copy to take back) for what should be given out now.

    Before the next one, the caller must have given the piece to the worker, and have taken back the
    copy from the worker that is named with it. First every idle thread gets a waiting piece, then
    every thread a short one to go on with. If none is waiting, an idle thread gets one that another
    worker has not begun, or else a second copy of one that is late.
    """
    left = _Waiting(waiting, workers)
    for ahead, longest in ((0, math.inf), (1, LONG_SECONDS)):
        for address, worker in workers.items():
            while left.pieces and len(worker.copies) < worker.threads * (1 + ahead):
                piece = left.take(worker, longest)
                if piece is None:
                    break
                yield address, piece, None
    if left.pieces:
        return
    idle = [name for name, worker in workers.items() if len(worker.copies) < worker.threads]
    if not idle:
        return
    placed = [(name, copy) for name, worker in workers.items() for copy in worker.copies]
    unbegun = [
        (name, c) for name, c in placed if c not in workers[name].copies[: workers[name].threads]
    ]
    number, now = Counter(copy.piece.number for _, copy in placed), clock()
    late = [
        (name, copy)
        for name, copy in placed
        if number[copy.piece.number] == 1 and copy.is_late(now, patience)
    ]
    for address in idle:
        worker = workers[address]
        for offered in (unbegun, late):
            candidate = next(
                (
                    (name, copy)
                    for name, copy in offered
                    if name != address and copy.piece.files <= worker.files
                ),
                None,
            )
            if candidate is not None:
                offered.remove(candidate)
                yield address, candidate[1].piece, candidate if offered is unbegun else None
                break
