"""The executor of a cluster: this process places pieces of jobs, which the workers run.

This process decides which worker runs a piece. So few programs are compiled twice, a worker with
other versions gets no piece, and a piece is run elsewhere if its worker died, froze or is out of
reach. A `Link` carries the messages to the workers: see `_link` and `_dask`.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Self

from lstm_bench.errors import UserError
from lstm_bench.execution._executor import (
    TICK_SECONDS,
    Event,
    Job,
    JobFailed,
    NetworkJob,
    Running,
    SeedFinished,
)
from lstm_bench.execution._host import (
    REQUIRED,
    MissingSetupError,
    Setup,
    host_facts,
    imported_modules,
    read_data_file,
    version_faults,
)
from lstm_bench.execution._interrupts import record_interrupts
from lstm_bench.execution._link import Link, Message, Result, SetUp, WorkerFacts, Workers
from lstm_bench.execution._pieces import (
    PATIENCE,
    ClusterWorker,
    Copy,
    Pace,
    Piece,
    placements,
    split_job,
)
from lstm_bench.provenance import processor_kind
from lstm_bench.recipes import TaskSource

MAX_WORKER_DEATHS = 8
"""The number of cluster workers that may die while they run a seed. It is larger than
`MAX_ATTEMPTS`, for processes that a seed kills, because a whole worker mostly dies for other
reasons."""
MAX_FAULTS = 80
"""The number of times that a piece may be lost although its worker lives."""
FIRST_SECONDS = 20.0
"""Seconds for the setup of the workers that are there at the start."""


class ClusterExecutor:
    """Runs jobs on the workers of a cluster. Use it as a context manager."""

    def __init__(
        self,
        link: Link,
        tasks: tuple[TaskSource, ...] = (),
        worker_memory_mb: float = 300.0,
        notice: Callable[[str], None] = lambda _: None,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`notice` is called with a message for the user, such as that a worker is refused.

        If a piece takes `patience` seconds too long by `clock`, an idle worker gets a copy of it.
        """
        self.tick: Callable[[], None] | None = None
        self._clock = clock
        self._link = link
        self._notice = notice
        self._patience = patience
        facts = host_facts()
        required = {name: facts[name] for name in REQUIRED}
        self._setup = Setup(
            uuid.uuid4().hex[:12],
            required,
            tasks,
            imported_modules(tasks),
            tuple(sys.argv),
            worker_memory_mb,
        )
        self._files: dict[str, bytes] = {}
        self._cluster = ""
        self._known: dict[str, WorkerFacts] = {}
        self._sent: dict[str, frozenset[str]] = {}  # the files that each worker was last sent
        self._refused: dict[str, str] = {}
        self._workers: dict[str, ClusterWorker] = {}
        self._tickets, self._numbers = itertools.count(), itertools.count()
        self._pieces: dict[int, Piece] = {}  # unfinished ones, by number
        self._waiting: dict[int, Piece] = {}
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)  # by `Recipe.training`
        self._open: Counter[int] = Counter()  # unfinished pieces of each ticket
        self._failures: dict[int, JobFailed] = {}
        self._ends: dict[int, Event] = {}
        self._raise_if_interrupted: Callable[[], None] = lambda: None
        self._interrupts = record_interrupts()

    @property
    def size(self) -> int:
        """The number of threads of all workers that take part, at least 1."""
        return max(1, sum(worker.threads for worker in self._workers.values()))

    def kinds(self) -> list[str]:
        """Returns the kinds of processors of the workers that take part, each once."""
        return sorted({worker.processor for worker in self._workers.values()})

    def running(self) -> list[Running]:
        """Returns the pieces that workers have begun; their seeds are reported together."""
        begun = {
            copy.piece.number: (copy.piece, copy.began)
            for worker in self._workers.values()
            for copy in worker.copies
            if not math.isinf(copy.began)
        }
        seeds = [
            (piece.ticket, getattr(piece.job, "seeds", ()), began)
            for piece, began in begun.values()
        ]
        return [Running(ticket, left, began, len(left)) for ticket, left, began in seeds]

    def prepare(self) -> None:
        """Does nothing: workers start TensorFlow with their first piece."""

    def __enter__(self) -> Self:
        self._raise_if_interrupted = self._interrupts.__enter__()
        try:
            self._link.open()
            self._await_first_workers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        copies = [copy for worker in self._workers.values() for copy in worker.copies]
        self._link.close(self._setup.name, copies, list(self._workers))
        self._workers.clear()
        self._pieces.clear()
        self._waiting.clear()
        self._interrupts.__exit__(None, None, None)

    def release(self) -> None:
        """Does nothing: the workers of a cluster are not ended from here."""

    def submit(self, job: Job | NetworkJob) -> int:
        """Returns the ticket of `job`, with which `events` reports it.

        Raises `DataError` for a data file that other machines cannot have under the same name.
        """
        ticket = next(self._tickets)
        recipes = [job.recipe] if isinstance(job, NetworkJob) else job.recipes
        files = frozenset(str(r["file"]) for r in recipes if isinstance(r.get("file"), str))
        for name in files - self._files.keys():
            self._files[name] = read_data_file(name)
        pace = self._paces[getattr(job, "training", "")]
        for part in split_job(job, pace=pace.factor):
            self._wait(Piece(next(self._numbers), ticket, part, files, pace=pace))
        self._send_setups()
        return ticket

    def events(self) -> Iterator[tuple[int, Event]]:
        """Yields (ticket, event) as they come, until no job is left; more may be submitted.

        Raises KeyboardInterrupt after Ctrl-C, even if Python dropped the original exception.
        """
        while self._pieces:
            self._raise_if_interrupted()
            if self.tick is not None:
                self.tick()
            yield from self._end_impossible()
            self._place()
            for message in self._link.receive(TICK_SECONDS):
                yield from self._handle(message)

    def _handle(self, message: Message) -> Iterator[tuple[int, Event]]:
        if isinstance(message, Result):
            yield from self._take_result(message)
        elif isinstance(message, Workers):
            yield from self._take_workers(message)
        else:
            self._take_setup(message)

    # ---- Pieces

    def _wait(self, piece: Piece) -> None:
        self._pieces[piece.number] = self._waiting[piece.number] = piece
        self._open[piece.ticket] += 1

    def _place(self) -> None:
        """Gives pieces to workers, as decided by `placements`."""
        for address, piece, instead in placements(
            self._workers, self._waiting, self._patience, self._clock
        ):
            if instead is not None:
                self._take_back(self._workers[instead[0]], instead[1])
            self._waiting.pop(piece.number, None)
            copy = Copy(piece)
            self._workers[address].give(copy, self._clock())
            self._link.give(address, self._setup.name, copy)

    def _end_impossible(self) -> Iterator[tuple[int, Event]]:
        """Ends pieces for a kind of processor that no worker has any more."""
        if self._known.keys() - self._workers.keys() - self._refused.keys():
            return  # these are being set up, perhaps again
        kinds = self.kinds()
        for piece in [piece for piece in self._waiting.values() if piece.processor]:
            if kinds and piece.processor not in kinds:
                yield from self._finish(piece, [JobFailed("its workers have left", "died")])

    def _take_back(self, worker: ClusterWorker, copy: Copy) -> None:
        worker.copies.remove(copy)
        worker.begin(self._clock())
        self._link.cancel(copy)

    def _take_result(self, message: Result) -> Iterator[tuple[int, Event]]:
        worker, copy, answer = self._workers.get(message.address), message.copy, message.answer
        if worker is None or copy not in worker.copies:
            return  # given up on: the worker was gone, or another one was faster
        worker.copies.remove(copy)
        worker.begin(self._clock())
        if isinstance(answer, tuple):
            copy.note_pace(self._clock())
            yield from self._finish(copy.piece, answer)
        elif isinstance(answer, MissingSetupError):  # its process was started again
            worker.copies.insert(0, copy)
            yield from self._lose([message.address], died=True)
        else:
            reason = f"{type(answer).__name__}: {answer}"
            yield from self._retry(copy, message.died, reason)

    def _finish(self, piece: Piece, events: Sequence[Event]) -> Iterator[tuple[int, Event]]:
        """Yields what a piece reports, unless it has been reported before."""
        if self._pieces.pop(piece.number, None) is None:
            return
        self._waiting.pop(piece.number, None)
        self._open[piece.ticket] -= 1
        for worker in self._workers.values():
            for copy in [copy for copy in worker.copies if copy.piece is piece]:
                self._take_back(worker, copy)
        for event in events:
            if isinstance(event, SeedFinished):
                yield piece.ticket, event
            elif isinstance(event, JobFailed):
                self._failures.setdefault(piece.ticket, event)
            else:
                self._ends[piece.ticket] = event
        if not self._open[piece.ticket]:
            del self._open[piece.ticket]
            end = self._ends.pop(piece.ticket, None)
            end = self._failures.pop(piece.ticket, end)
            assert end is not None
            yield piece.ticket, end

    def _retry(
        self, copy: Copy, died: bool, reason: str = "its worker was lost each time"
    ) -> Iterator[tuple[int, Event]]:
        """Lets a piece wait again, unless another worker has it or too many workers `died` of it.

        A piece of several seeds is then run seed by seed, because any may have been the reason.
        """
        piece = copy.piece
        placed = (other.piece for worker in self._workers.values() for other in worker.copies)
        if piece.number not in self._pieces or any(other is piece for other in placed):
            return
        piece.deaths += died
        piece.faults += not died
        if piece.deaths >= MAX_WORKER_DEATHS or piece.faults >= MAX_FAULTS:
            yield from self._finish(piece, [JobFailed(reason, "died")])
            return
        waiting, self._waiting = self._waiting, {}
        if not died:
            self._waiting[piece.number] = piece
        else:
            del self._pieces[piece.number]
            self._open[piece.ticket] -= 1
            parts = split_job(piece.job, pieces=sys.maxsize)
            deaths = piece.deaths if len(parts) == 1 else 0
            for part in parts:
                number = next(self._numbers)
                facts = (piece.files, deaths, piece.faults, piece.pace)
                self._wait(Piece(number, piece.ticket, part, *facts))
        self._waiting |= waiting

    # ---- Workers

    def _take_workers(self, message: Workers) -> Iterator[tuple[int, Event]]:
        """Notes which workers there are; the pieces of lost workers are run elsewhere."""
        if message.cluster != self._cluster:
            if self._cluster:
                self._notice("the scheduler was started again; running jobs are given out again")
            yield from self._lose(list(self._workers), died=False)
            self._refused.clear()
            self._sent.clear()
            self._cluster = message.cluster
        yield from self._lose([a for a in self._workers if a not in message.workers], died=True)
        self._known = dict(message.workers)
        self._sent = {a: names for a, names in self._sent.items() if a in self._known}
        self._refused = {a: why for a, why in self._refused.items() if a in self._known}
        for address, worker in self._workers.items():
            worker.threads = self._known[address].threads
        self._send_setups()

    def _send_setups(self) -> None:
        """Sends the setup to workers without one, and new data files to all workers."""
        names = frozenset(self._files)
        for address in self._known:
            if address not in self._refused and self._sent.get(address) != names:
                self._sent[address] = names
                worker = self._workers.get(address)
                lacking = names - worker.files if worker else names
                files = {name: self._files[name] for name in lacking}
                self._link.set_up(address, self._setup, files)

    def _lose(self, addresses: Sequence[str], died: bool) -> Iterator[tuple[int, Event]]:
        for address in addresses:
            worker = self._workers.pop(address)
            self._sent.pop(address, None)
            for copy in worker.copies:
                self._link.cancel(copy)
            for copy in worker.copies:
                yield from self._retry(copy, died and not math.isinf(copy.began))

    def _take_setup(self, message: SetUp) -> None:
        """Takes a worker that has been set up; refuses one with other versions."""
        address, answer, known = message.address, message.answer, self._known.get(message.address)
        if known is None or address not in self._sent:
            return
        if isinstance(answer, TimeoutError):
            del self._sent[address]  # it is set up again
            return
        if isinstance(answer, Exception):
            rule = "it cannot take the sweep"
            if isinstance(answer, ImportError | AttributeError):
                rule = "it must have this version of lstm-bench"
            host, kind = known.host, ""
            reason = f"{rule} ({type(answer).__name__}: {answer})"
        else:
            host, kind = answer["host"], processor_kind(answer)
            reason = version_faults(answer, self._setup.required)
        if reason:
            self._refused[address] = f"on {host}, {reason}"
            self._notice(f"worker {known.name} ({address}) is refused: on {host}, {reason}")
        elif address in self._workers:
            self._workers[address].files |= message.names
        else:
            self._workers[address] = ClusterWorker(known.threads, message.names, kind)

    def _await_first_workers(self) -> None:
        """Waits until each worker that is there at the start has been accepted or refused.

        Raises `UserError` if there are some and all are refused.
        """
        deadline = self._clock() + FIRST_SECONDS
        pending = True
        while pending and self._clock() < deadline:
            self._raise_if_interrupted()
            for message in self._link.receive(TICK_SECONDS):
                list(self._handle(message))
            pending = not self._cluster or bool(
                self._known.keys() - self._workers.keys() - self._refused.keys()
            )
        if self._refused and not self._workers:
            lines = "\n".join(f"  {address}: {why}" for address, why in self._refused.items())
            raise UserError(
                "cluster: a worker must have the same versions as this process, but none has; "
                f"install them there:\n{lines}"
            )
        if not self._workers:
            self._notice(
                "the cluster has no workers yet; the sweep goes on when one joins (a cluster that "
                "adapts needs a minimum of workers)"
            )
