"""Pieces of jobs: a few seeds each, and which worker of a cluster gets which piece next.

A dead worker loses a piece, and at the end one worker runs a piece while others are idle. So pieces
should be short; but each worker that runs a piece compiles its program first.
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

PIECE_SECONDS = 1.5
"""About how many seconds a piece trains, by estimate: as long as compiling takes."""
LONG_SECONDS = 6.0
"""Estimated seconds above which a piece is long: the longest pieces are given out first."""
PATIENCE = 30.0
"""Seconds that a piece may take, besides five times its estimate, before an idle worker gets a
copy of it: its worker may be frozen, or out of reach."""
UNKNOWN_WORK = 60.0
"""The estimate, in seconds, of a piece that has none."""
AHEAD_SECONDS = 1.0
"""Estimated seconds up to which a piece is given to a worker that is still busy, so that it need
not wait for a message between two short ones."""


PRIOR_SECONDS = 2.0
"""Seconds for which the estimate counts beside what pieces took, which starts of processes and
messages make longer."""


class Pace:
    """How much longer than estimated a recipe takes, by those of its pieces that have finished."""

    def __init__(self) -> None:
        self._seconds = self._estimated = PRIOR_SECONDS

    def note(self, seconds: float, estimated: float) -> None:
        """Notes that a piece with this estimate has taken `seconds`."""
        if not math.isinf(estimated):
            self._seconds += max(seconds, 0.0)
            self._estimated += estimated

    @property
    def factor(self) -> float:
        """The seconds for each estimated one; 1 before anything was measured."""
        return self._seconds / self._estimated


@dataclass(eq=False)
class Piece:
    """A part of a job. `deaths` counts workers that died while they ran it."""

    number: int
    ticket: int  # of its job
    job: Job | NetworkJob
    files: frozenset[str] = frozenset()  # data files that a worker must have for it
    deaths: int = 0
    faults: int = 0  # other reasons for which it was not finished
    pace: Pace = field(default_factory=Pace)  # of its recipe, shared with its other pieces

    @property
    def program(self) -> str:
        """The program that it needs; empty for none. One kind of processor has its own."""
        program = self.job.program
        return f"{program} {self.processor}" if program and self.processor else program

    @property
    def processor(self) -> str:
        """The kind of processor that its worker must have; empty for any."""
        return self.job.processor if isinstance(self.job, Job) else ""

    @property
    def work(self) -> float:
        """Its run time in seconds, as estimated and as other pieces of its recipe took."""
        return self.job.work * self.pace.factor


def split_job(
    job: Job | NetworkJob, pieces: int | None = None, pace: float = 1.0
) -> list[Job | NetworkJob]:
    """Returns `job` as jobs of some of its seeds each, together all of them.

    By default each takes about `PIECE_SECONDS`, if seeds take `pace` times as long as estimated. A
    job with a time limit stays one: the limit is on all of its seeds together.

    >>> job = Job(recipes=(), seeds=(0, 1, 2, 3, 4), work=3.25)
    >>> [part.seeds for part in split_job(job)]
    [(0, 2, 4), (1, 3)]
    >>> len(split_job(job, pieces=5))
    5
    """
    if isinstance(job, NetworkJob) or job.seconds is not None or len(job.seeds) < 2:
        return [job]
    if pieces is None:
        pieces = len(job.seeds) if math.isinf(job.work) else round(pace * job.work / PIECE_SECONDS)
    count = max(1, min(pieces, len(job.seeds)))
    groups = [job.seeds[first::count] for first in range(count)]
    share = job.work / len(job.seeds)
    return [dataclasses.replace(job, seeds=group, work=share * len(group)) for group in groups]


@dataclass(eq=False)
class Copy:
    """A piece that was given to a worker. `began` is when no other one was before it there.

    `compiles` says whether the worker had to compile its program.
    """

    piece: Piece
    began: float = math.inf
    handle: Any = None  # what a link knows it by
    compiles: bool = False

    def is_late(self, now: float, patience: float) -> bool:
        """Returns whether it has taken much longer than it should."""
        return now - self.began > patience + 5 * _known_work(self.piece)

    def left(self, now: float) -> float:
        """Returns how many more seconds it is expected to take.

        An overdue piece is expected to take as long again as it is overdue.
        """
        expected = _known_work(self.piece) + COMPILE_SECONDS * self.compiles
        return expected if math.isinf(self.began) else abs(expected - (now - self.began))

    def note_pace(self, now: float) -> None:
        """Notes for the other pieces of the recipe how long this one has taken."""
        if not math.isinf(self.began):
            seconds = now - self.began - COMPILE_SECONDS * self.compiles
            self.piece.pace.note(seconds, self.piece.job.work)


@dataclass(eq=False)
class ClusterWorker:
    """A worker that takes part; `copies` are in the order in which it runs them."""

    threads: int = 1
    files: frozenset[str] = frozenset()
    processor: str = ""  # its kind
    programs: set[str] = field(default_factory=set)
    copies: list[Copy] = field(default_factory=list)

    def give(self, copy: Copy, now: float) -> None:
        """Adds a piece to those that the worker is to run."""
        self.copies.append(copy)
        copy.compiles = self.compile_seconds(copy.piece) > 0
        self.programs.add(copy.piece.program)
        self.begin(now)

    def begin(self, now: float) -> None:
        """Notes that the first copies, one for each thread, are running."""
        for copy in self.copies[: self.threads]:
            copy.began = min(copy.began, now)

    def can_run(self, piece: Piece) -> bool:
        """Returns whether the worker has the data files and the processor for `piece`."""
        return piece.files <= self.files and piece.processor in ("", self.processor)

    def compile_seconds(self, piece: Piece) -> float:
        """Returns how many seconds the worker must compile before it can run `piece`, about."""
        return 0.0 if not piece.program or piece.program in self.programs else COMPILE_SECONDS

    def wait(self, copy: Copy, now: float) -> float:
        """Returns in how many seconds the worker is expected to begin `copy`, which it has."""
        before = self.copies[: self.copies.index(copy)]
        return sum(other.left(now) for other in before) / self.threads


class _Waiting:
    """Waiting pieces by program, with how long they take and how many workers have the program."""

    def __init__(self, waiting: Mapping[int, Piece], workers: Mapping[str, ClusterWorker]) -> None:
        self.pieces: dict[str, list[Piece]] = {}
        for piece in sorted(waiting.values(), key=_known_work, reverse=True):
            self.pieces.setdefault(piece.program, []).append(piece)
        self.work = {
            program: sum(map(_known_work, pieces)) for program, pieces in self.pieces.items()
        }
        self.holders = Counter(
            program for worker in workers.values() for program in worker.programs
        )

    def take(self, worker: ClusterWorker, longest: float = math.inf) -> Piece | None:
        """Returns the piece that a worker should take, and no longer counts it as waiting.

        A piece of more than `LONG_SECONDS` comes first, the longest before all others, so that not
        all workers wait for it at the end. Next comes a piece of a program that the worker has.
        Last comes a piece of the program that would take longest to finish if this worker joined
        the workers that have it. None if no program is worth compiling, or if all pieces take more
        than `longest` seconds.
        """

        def is_compiled(program: str) -> bool:
            return not program or program in worker.programs

        def is_worth_it(program: str) -> bool:
            unknown = not self.holders[program]
            return is_compiled(program) or unknown or self.work[program] > COMPILE_SECONDS

        def urgency(program: str) -> tuple[float, bool, float]:
            seconds = _known_work(self.pieces[program][0])
            load = self.work[program] / (1 + self.holders[program])
            return (seconds if seconds > LONG_SECONDS else 0.0, is_compiled(program), load)

        fit = [
            program
            for program, pieces in self.pieces.items()
            if _known_work(pieces[0]) <= longest
            and is_worth_it(program)
            and any(map(worker.can_run, pieces))
        ]
        program = max(fit, key=urgency, default=None)
        if program is None:
            return None
        piece = next(filter(worker.can_run, self.pieces[program]))
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

    Before the next one, the caller must have given the piece to the worker, and have taken the copy
    back from the worker that has it. First, every idle thread gets a waiting piece. Then every
    thread gets a short piece to continue with. If no piece is waiting, an idle thread gets a piece
    that another worker would begin later, or else a second copy of a late piece.
    """
    left = _Waiting(waiting, workers)
    for ahead, longest in ((0, math.inf), (1, AHEAD_SECONDS)):
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
    number, now = Counter(copy.piece.number for _, copy in placed), clock()
    behind = {
        (name, copy): workers[name].wait(copy, now)
        for name, copy in placed
        if copy not in workers[name].copies[: workers[name].threads]
    }
    late = {
        (name, copy): math.inf
        for name, copy in placed
        if number[copy.piece.number] == 1 and copy.is_late(now, patience)
    }
    for address in idle:
        worker = workers[address]
        for offered in (behind, late):
            candidate = next(
                (
                    (name, copy)
                    for (name, copy), seconds in offered.items()
                    if name != address
                    and worker.can_run(copy.piece)
                    and seconds > worker.compile_seconds(copy.piece)
                ),
                None,
            )
            if candidate is not None:
                del offered[candidate]
                yield address, candidate[1].piece, candidate if offered is behind else None
                break
