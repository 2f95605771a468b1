"""Recipes run in worker processes, one core each, replaced before they grow large.

Every recipe that is compiled leaves a few megabytes behind in its process, so a worker that has
outgrown its budget is retired and another takes its place. A worker runs on one core and shares
nothing, so neither the number of workers nor their replacement can change a result.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import itertools
import math
import multiprocessing
import multiprocessing.forkserver
import os
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, ClassVar, Literal

import numpy as np

from lstm_bench.errors import Interrupted, TaskError, UserError
from lstm_bench.execution import _interrupts as interrupts
from lstm_bench.execution._job_order import choice
from lstm_bench.results import pack_outcome
from lstm_bench.safety import disk_errors_reported, process_folder, socket_folder
from lstm_bench.sweeps import TaskSource, loaded_sources, use_sources
from lstm_bench.training import prepare_environment, start_tensorflow

LIVES = 3
"""Worker processes that a job may lose. One is killed now and then for what others do: by the
system when memory runs out, or by hand."""


@dataclass(frozen=True)
class Job:
    """Recipes that share their training, as their flat settings, to be run on some seeds.

    `seconds` is how long that may take; a worker that is still at it then is stopped. `work` is
    how long it should take on a program that is there. See `dealing` for it and `program`. `lives`
    are the worker processes that may die of it before it has failed.
    """

    recipes: tuple[Mapping[str, Any], ...]
    seeds: tuple[int, ...]
    engine: str = "compiled"
    seconds: float | None = None
    training: str = ""  # `Recipe.training`, which must come out the same where it is run
    program: str = ""
    work: float = math.inf
    lives: int = LIVES
    tasks: tuple[TaskSource, ...] = field(
        default_factory=loaded_sources
    )  # of the user's own, as they are here


@dataclass(frozen=True)
class Seal:
    """A trained network to be made a `.keras` file: its recipe's settings, seed and weights."""

    recipe: Mapping[str, Any]
    seed: int
    weights: tuple[np.ndarray, ...]
    seconds: float | None = None
    program: ClassVar[str] = ""  # it needs none
    work: ClassVar[float] = 0.0
    lives: int = LIVES
    tasks: tuple[TaskSource, ...] = field(default_factory=loaded_sources)


@dataclass(frozen=True)
class SeedFinished:
    """One seed of a job has been trained: what came of it, `results.pack`ed, one a recipe."""

    seed: int
    outcomes: tuple[bytes, ...]


@dataclass(frozen=True)
class JobFailed:
    """A job that could not be run to its end, and why.

    `error`: it would always fail so. `late`: its time was up. `died`: its processes did, all of
    its `lives`.
    """

    reason: str
    kind: Literal["error", "late", "died"] = "error"


@dataclass(frozen=True)
class JobFinished:
    """A job has come to its end. `model` is what a `Seal` asked for."""

    model: bytes = b""


@dataclass(frozen=True)
class _Begun:
    """A worker is up and has its job: from now on the job's time runs."""


Event = SeedFinished | JobFailed | JobFinished
"""What is heard of a job: its seeds as they finish, and last either `Failure` or `Done`."""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    ticket: int | None = None  # of the job it is at, if any
    job: Job | Seal | None = None  # what is left of that
    deadline: float = math.inf
    programs: set[str] = field(default_factory=set)  # of the jobs it has had


class WorkerPool:
    """Worker processes that run jobs. Use it as a context manager."""

    def __init__(self, workers: int, budget_mb: float = 400.0) -> None:
        """`budget_mb` of memory that it shares with nobody retires a worker after its job."""
        self.size = workers
        self.budget_mb = budget_mb
        self._workers: list[_Worker] = []
        self._waiting: dict[int, Job | Seal] = {}
        self._tickets = itertools.count()
        self._context = _context()
        self._until_exit = contextlib.ExitStack()
        self._interrupted: Callable[[], None] = lambda: None

    def __enter__(self) -> WorkerPool:
        self._interrupted = self._until_exit.enter_context(interrupts.remembered())
        with disk_errors_reported():
            # Where processes meet: a folder that is found again, and removed, after a kill.
            vars(multiprocessing.current_process())["_config"]["tempdir"] = str(socket_folder())
        return self

    def __exit__(self, *_: object) -> None:
        self._until_exit.close()
        for worker in self._workers:
            _stop(worker)
        self._workers.clear()
        self._waiting.clear()

    def submit(self, job: Job | Seal) -> int:
        """Returns the ticket under which `events` will tell of `job`."""
        ticket = next(self._tickets)
        self._waiting[ticket] = job
        return ticket

    def events(self) -> Iterator[tuple[int, Event]]:
        """Yields (ticket, event) as they come, until no job is left; more may be submitted.

        Raises KeyboardInterrupt once Ctrl-C has come, wherever it was first raised.
        """
        while True:
            self._interrupted()
            self._deal()
            busy = [worker for worker in self._workers if worker.ticket is not None]
            if not busy:
                return
            for worker in self._ready(busy):
                self._interrupted()
                yield from self._receive(worker)

    def prepare(self) -> None:
        """Lets the fork server import TensorFlow while the caller does something else."""
        if self._context.get_start_method() == "forkserver":
            multiprocessing.forkserver.ensure_running()

    def _deal(self) -> None:
        """Gives idle workers the jobs that suit them, and starts workers while there are too few.

        An idle worker leaves a job to busy ones alone: an idle one that has its program takes it.
        """
        idle = [worker for worker in self._workers if worker.ticket is None]
        while self._waiting and (idle or len(self._workers) < self.size):
            worker = idle.pop(0) if idle else None
            others = [each.programs for each in self._workers if each is not worker]
            own = worker.programs if worker else set()
            ticket = choice(self._waiting, own, others)
            if ticket is None:
                if worker is None:
                    return
                continue
            if worker is None:
                worker = self._start()
                self._workers.append(worker)
            if not self._hand(worker, ticket):  # it died while it was idle: another takes the job
                self._retire(worker)

    def _hand(self, worker: _Worker, ticket: int) -> bool:
        """Sends a waiting job to `worker`; returns whether it was there to take it."""
        job = self._waiting[ticket]
        try:
            worker.pipe.send(job)
        except OSError:
            return False
        del self._waiting[ticket]
        worker.ticket, worker.job = ticket, job
        worker.programs.add(job.program)
        return True

    def _ready(self, busy: Sequence[_Worker]) -> list[_Worker]:
        """Returns the workers that have something to say, or whose time is up."""
        left = min(worker.deadline for worker in busy) - time.monotonic()
        wait([worker.pipe for worker in busy], None if math.isinf(left) else max(left, 0))
        now = time.monotonic()
        return [worker for worker in busy if worker.pipe.poll() or worker.deadline <= now]

    def _receive(self, worker: _Worker) -> Iterator[tuple[int, Event]]:
        ticket, job = worker.ticket, worker.job
        assert ticket is not None and job is not None
        event: Event | _Begun
        try:
            if worker.pipe.poll():
                event, own_mb = worker.pipe.recv()
            else:
                worker.process.kill()
                event, own_mb = JobFailed("its time was up", "late"), math.inf
        except (EOFError, OSError, pickle.UnpicklingError):  # it died, maybe in mid-sentence
            worker.process.join()
            if job.lives > 1:
                self._retire(worker)
                self._waiting = {ticket: _once_more(job, worker.deadline), **self._waiting}
                return
            event, own_mb = JobFailed(_ending(worker.process.exitcode), "died"), math.inf
        if isinstance(event, _Begun):
            if job.seconds is not None:
                worker.deadline = time.monotonic() + job.seconds
            return
        if isinstance(event, SeedFinished) and isinstance(job, Job):
            left = tuple(seed for seed in job.seeds if seed != event.seed)
            worker.job = dataclasses.replace(job, seeds=left)
        if not isinstance(event, SeedFinished):
            worker.ticket, worker.job, worker.deadline = None, None, math.inf
            if own_mb > self.budget_mb:
                self._retire(worker)
        yield ticket, event

    def _retire(self, worker: _Worker) -> None:
        _stop(worker)
        self._workers.remove(worker)

    def _start(self) -> _Worker:
        for attempt in range(LIVES):
            ours, theirs = self._context.Pipe()
            given = (theirs, str(process_folder()))
            process = self._context.Process(target=_serve, args=given, daemon=True)
            try:
                with _importable_main():
                    process.start()
                return _Worker(process, ours)
            except (OSError, EOFError) as error:
                ours.close()
                if attempt + 1 == LIVES:
                    reason = str(error) or "none could"
                    raise UserError(
                        f"workers: processes must be able to start, but {reason}; "
                        "end other programs, or set fewer workers in conf/default.yaml"
                    ) from error
                # The fork server has died: the next start brings it back.
            finally:
                theirs.close()
        raise AssertionError


def _once_more(job: Job | Seal, deadline: float) -> Job | Seal:
    """Returns what is left of a job whose worker died: its time goes on from where it was."""
    seconds = job.seconds if math.isinf(deadline) else max(deadline - time.monotonic(), 0.0)
    return dataclasses.replace(job, seconds=seconds, lives=job.lives - 1)


def _ending(code: int | None) -> str:
    """Returns in words how the processes of a job ended, of which the last one ended so."""
    if code is not None and -code == signal.SIGKILL:
        return "its process was killed each time, as the system does when memory runs out"
    return f"its process ended each time, the last one with exit code {code}"


def _context() -> Any:
    """Returns how processes are made: by a fork server that holds TensorFlow, if possible."""
    prepare_environment()
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context: BaseContext = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lstm_bench.training._preload"])
    return context


@contextlib.contextmanager
def _importable_main() -> Iterator[None]:
    """Hides the main script while a process starts, which would otherwise run it again."""
    main = sys.modules["__main__"]
    kept: dict[str, Any] = {}
    for name in ("__file__", "__spec__"):
        if name in vars(main):
            kept[name] = main.__dict__.pop(name)
    main.__spec__ = None
    try:
        yield
    finally:
        main.__dict__.update(kept)


def _serve(pipe: Connection, temporary: str) -> None:
    """Runs jobs from `pipe` until it closes. Ctrl-C is the parent's to handle.

    Temporary files, those of libraries too, go into the parent's folder `temporary`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tempfile.tempdir = temporary
    sys.stdout = sys.stderr  # what a task prints is no part of a command's answer

    from lstm_bench.recipes import recipe
    from lstm_bench.training import keras_file, run_seeds

    start_tensorflow(1)
    memory = _Memory()
    parent = os.getppid()

    def orphaned() -> bool:
        return os.getppid() != parent

    while True:
        try:
            job = pipe.recv()
        except (EOFError, ConnectionError):
            return
        last: Event = JobFinished()
        try:
            pipe.send((_Begun(), 0.0))
            use_sources(job.tasks)
            if isinstance(job, Seal):
                last = JobFinished(keras_file(recipe(**job.recipe), job.seed, job.weights))
            else:
                built = [recipe(**settings) for settings in job.recipes]
                if job.training not in ("", built[0].training):
                    raise TaskError(
                        f"{built[0].task.name}: must make the same data every time, but does not "
                        "(did a file that it reads change? is all drawn from the seed?)"
                    )
                outcomes = run_seeds(built, job.seeds, job.engine, orphaned)
                for seed, made in zip(job.seeds, outcomes, strict=True):
                    pipe.send((SeedFinished(seed, tuple(map(pack_outcome, made))), 0.0))
        except (BrokenPipeError, ConnectionError, Interrupted):
            return  # whoever asked is gone
        except Exception as error:  # a recipe's failure is a result of the sweep, not its end
            last = JobFailed(f"{type(error).__name__}: {error}")
        try:
            pipe.send((last, memory.own_mb()))
        except (BrokenPipeError, ConnectionError):
            return


class _Memory:
    """How much memory this process shares with nobody."""

    EVERY = 0.5
    """Seconds between two looks: one takes 20 ms."""

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()
        self._looked = -math.inf
        self._own_mb = 0.0
        self._give_back: Callable[[int], object] = lambda _: None
        # Compiling frees much that glibc would keep; elsewhere there is no such function.
        with contextlib.suppress(AttributeError, TypeError, OSError):
            self._give_back = ctypes.CDLL(None).malloc_trim

    def own_mb(self) -> float:
        """Returns how many MB that were at the last look, after free ones had been given back."""
        if time.monotonic() - self._looked > self.EVERY:
            self._give_back(0)
            self._own_mb = self._process.memory_full_info().uss / 2**20
            self._looked = time.monotonic()
        return self._own_mb


def _stop(worker: _Worker) -> None:
    worker.pipe.close()
    if worker.ticket is not None:
        worker.process.kill()
    worker.process.join(timeout=5)
    if worker.process.is_alive():
        worker.process.kill()
