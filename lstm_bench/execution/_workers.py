"""Worker processes that train recipes, one core each, replaced before they use much memory.

Every compiled recipe leaves a few megabytes behind in its process. A worker that exceeds its memory
budget is therefore stopped after its job, and a new one takes its place. A worker uses one core and
shares nothing, so neither the number of workers nor their replacement can change a result.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from lstm_bench.data import share_between_processes
from lstm_bench.errors import Interrupted, TaskError, UserError
from lstm_bench.execution._executor import (
    MAX_ATTEMPTS,
    TICK_SECONDS,
    Event,
    Job,
    JobFailed,
    JobFinished,
    NetworkJob,
    Place,
    Running,
    SeedFinished,
)
from lstm_bench.execution._fork_server import (
    end_fork_server,
    main_script_hidden,
    process_context,
    start_fork_server,
)
from lstm_bench.execution._interrupts import record_interrupts
from lstm_bench.execution._job_order import choose_job
from lstm_bench.execution._memory_meter import MemoryMeter
from lstm_bench.provenance import processor_kind, provenance
from lstm_bench.recipes import TaskRegistry, TaskSource, recipe_from_settings
from lstm_bench.results import Outcome, pack_outcome
from lstm_bench.safety import disk_errors_reported, process_folder, socket_folder
from lstm_bench.sweeps import tasks_from_sources
from lstm_bench.training import start_tensorflow

RESTART_PAUSE = 0.2  # seconds between two attempts to start a process
_starting = threading.Lock()
"""Held while a process starts, because this briefly changes the state of all threads."""


@dataclass(frozen=True)
class _JobStarted:
    """A worker is ready and has received its job: the job's time limit starts now."""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    ticket: int | None = None  # of the running job, if any
    job: Job | NetworkJob | None = None  # the part of the running job that is left
    deadline: float = math.inf
    began: float = 0.0  # when it began the job, or the job's current seed
    programs: set[str] = field(default_factory=set)  # of all jobs that it was given


class WorkerPool:
    """Worker processes that run jobs. Use it as a context manager."""

    def __init__(
        self,
        workers: int,
        budget_mb: float = 300.0,
        tasks: tuple[TaskSource, ...] = (),
        place: Place | None = None,
    ) -> None:
        """A worker with more than `budget_mb` of unshared memory is replaced after its job.

        The recipes of its jobs may name the built-in tasks and those of the sources `tasks`, and
        data files relative to the working folder, or to that of `place`.
        """
        self.size = workers
        self.budget_mb = budget_mb
        self.tick: Callable[[], None] | None = None
        self._tasks = tasks
        self._place = place
        self._workers: list[_Worker] = []
        self._waiting: dict[int, Job | NetworkJob] = {}
        self._tickets = itertools.count()
        self._context = process_context()
        self._until_exit = contextlib.ExitStack()
        self._raise_if_interrupted: Callable[[], None] = lambda: None

    def __enter__(self) -> WorkerPool:
        self._raise_if_interrupted = self._until_exit.enter_context(record_interrupts())
        with disk_errors_reported():
            share_between_processes(process_folder())
            # The folder of the sockets between processes: it is found and removed after a kill.
            vars(multiprocessing.current_process())["_config"]["tempdir"] = str(socket_folder())
        return self

    def __exit__(self, *_: object) -> None:
        self._until_exit.close()
        for worker in self._workers:
            _stop(worker)
        self._workers.clear()
        self._waiting.clear()

    def release(self) -> None:
        """Ends idle worker processes; a later job starts new ones."""
        idle = [worker for worker in self._workers if worker.ticket is None]
        self._workers = [worker for worker in self._workers if worker.ticket is not None]
        for worker in idle:
            _stop(worker)

    def submit(self, job: Job | NetworkJob) -> int:
        """Returns the ticket of `job`, with which `events` reports it."""
        ticket = next(self._tickets)
        self._waiting[ticket] = job
        return ticket

    def events(self) -> Iterator[tuple[int, Event]]:
        """Yields (ticket, event) as they come, until no job is left; more may be submitted.

        Raises KeyboardInterrupt after Ctrl-C, even if Python dropped the original exception.
        """
        while True:
            self._raise_if_interrupted()
            self._assign_jobs()
            busy = [worker for worker in self._workers if worker.ticket is not None]
            if not busy:
                return
            for worker in self._wait_for(busy):
                self._raise_if_interrupted()
                yield from self._receive(worker)

    def kinds(self) -> list[str]:
        """Returns the kind of processor of this machine."""
        return [processor_kind(provenance([]))]

    def running(self) -> list[Running]:
        """Returns the work of each busy worker: the first remaining seed of its job."""
        seeds = [(worker, getattr(worker.job, "seeds", ())) for worker in self._workers]
        return [
            Running(worker.ticket, left[:1], worker.began, len(left))
            for worker, left in seeds
            if worker.ticket is not None
        ]

    def prepare(self) -> None:
        """Makes the fork server import TensorFlow in the background."""
        start_fork_server(self._context)

    def _assign_jobs(self) -> None:
        """Gives idle workers the jobs that suit them, and starts workers while there are too few.

        A job that only suits busy workers stays waiting.
        """
        idle = [worker for worker in self._workers if worker.ticket is None]
        while self._waiting and (idle or len(self._workers) < self.size):
            worker = idle.pop(0) if idle else None
            others = [other.programs for other in self._workers if other is not worker]
            programs = worker.programs if worker else set()
            ticket = choose_job(self._waiting, programs, others)
            if ticket is None:
                if worker is None:
                    return
                continue
            if worker is None:
                worker = self._start()
                self._workers.append(worker)
            if not self._send(worker, ticket):  # it died while it was idle: another takes the job
                self._remove(worker)

    def _send(self, worker: _Worker, ticket: int) -> bool:
        """Sends a waiting job to `worker`; returns whether the worker was alive to receive it."""
        job = self._waiting[ticket]
        try:
            worker.pipe.send(job)
        except OSError:
            return False
        del self._waiting[ticket]
        worker.ticket, worker.job, worker.began = ticket, job, time.monotonic()
        worker.programs.add(job.program)
        return True

    def _wait_for(self, busy: Sequence[_Worker]) -> list[_Worker]:
        """Waits for the workers; returns those that sent something or reached their deadline."""
        left = min(worker.deadline for worker in busy) - time.monotonic()
        if self.tick is not None:
            self.tick()
            left = min(left, TICK_SECONDS)
        wait([worker.pipe for worker in busy], None if math.isinf(left) else max(left, 0))
        now = time.monotonic()
        return [worker for worker in busy if worker.pipe.poll() or worker.deadline <= now]

    def _receive(self, worker: _Worker) -> Iterator[tuple[int, Event]]:
        ticket, job = worker.ticket, worker.job
        assert ticket is not None and job is not None
        event: Event | _JobStarted
        try:
            if worker.pipe.poll():
                event, unshared_mb = worker.pipe.recv()
            else:
                worker.process.kill()
                event, unshared_mb = JobFailed("its time limit was reached", "timeout"), math.inf
        except (EOFError, OSError, pickle.UnpicklingError):  # it died, perhaps while it was sending
            worker.process.join()
            if job.attempts > 1:
                self._remove(worker)
                self._waiting = {ticket: _next_attempt(job, worker.deadline), **self._waiting}
                return
            event, unshared_mb = JobFailed(_exit_reason(worker.process.exitcode), "died"), math.inf
        if isinstance(event, _JobStarted):
            if job.seconds is not None:
                worker.deadline = time.monotonic() + job.seconds
            return
        if isinstance(event, SeedFinished) and isinstance(job, Job):
            seeds = tuple(seed for seed in job.seeds if seed != event.seed)
            worker.job, worker.began = dataclasses.replace(job, seeds=seeds), time.monotonic()
        if not isinstance(event, SeedFinished):
            worker.ticket, worker.job, worker.deadline = None, None, math.inf
            if unshared_mb > self.budget_mb:
                self._remove(worker)
        yield ticket, event

    def _remove(self, worker: _Worker) -> None:
        _stop(worker)
        self._workers.remove(worker)

    def _start(self) -> _Worker:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            parent_end, worker_end = self._context.Pipe()
            args = (worker_end, str(process_folder()), self._tasks, self._place)
            process = self._context.Process(target=_run_worker, args=args, daemon=True)
            try:
                with _starting, main_script_hidden():
                    process.start()
                return _Worker(process, parent_end)
            except (OSError, EOFError) as error:
                parent_end.close()
                if attempt == MAX_ATTEMPTS:
                    reason = str(error) or "none could"
                    raise UserError(
                        f"workers: processes must be able to start, but {reason}; "
                        "end other programs, or set fewer workers in conf/default.yaml"
                    ) from error
                # The fork server has died. The next attempt starts another one, once the system
                # reports the death: that can be some 50 ms after the server refuses connections.
                time.sleep(RESTART_PAUSE)
            finally:
                worker_end.close()
        raise AssertionError("the last attempt returns or raises")


def _next_attempt(job: Job | NetworkJob, deadline: float) -> Job | NetworkJob:
    """Returns the rest of a job whose worker died, with the time that it still had."""
    seconds = job.seconds if math.isinf(deadline) else max(deadline - time.monotonic(), 0.0)
    return dataclasses.replace(job, seconds=seconds, attempts=job.attempts - 1)


def _exit_reason(code: int | None) -> str:
    """Returns in words how the processes of a job ended; `code` is the last one's exit code."""
    if code is not None and -code == signal.SIGKILL:
        return "its process was killed each time, as the system does when memory runs out"
    return f"its process ended each time, the last one with exit code {code}"


@contextlib.contextmanager
def starting_workers() -> Iterator[None]:
    """Gets ready to start workers, which takes seconds, while the block runs.

    If the block raises, nothing of that goes on.
    """
    with WorkerPool(1) as pool:
        pool.prepare()
    try:
        yield
    except BaseException:
        end_fork_server()
        raise


def _run_worker(
    pipe: Connection,
    temporary: str,
    sources: tuple[TaskSource, ...],
    place: Place | None,
) -> None:
    """Runs jobs from `pipe` until it closes. Only the parent process handles Ctrl-C.

    Temporary files, including those of libraries, go into the parent's folder `temporary`, and so
    does what is computed once for all workers. The tasks of `sources` are loaded with the first
    job, which reports an error of theirs. Data files are read from the folder of `place`, if one is
    given.
    """
    if place is not None:
        os.chdir(place.folder)
        sys.argv = list(place.command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tempfile.tempdir = temporary
    sys.stdout = sys.stderr  # what a task prints must not mix with a command's output

    from lstm_bench.training import keras_file, run_seeds

    start_tensorflow(1)
    share_between_processes(Path(temporary))
    tasks: TaskRegistry | None = None
    memory = MemoryMeter()
    parent = os.getppid()

    def orphaned() -> bool:
        return os.getppid() != parent

    while True:
        try:
            job = pipe.recv()
        except (EOFError, ConnectionError):
            return  # the parent closed the pipe, or has ended
        result: Event = JobFinished()
        try:
            pipe.send((_JobStarted(), 0.0))
            tasks = tasks or tasks_from_sources(sources)
            if isinstance(job, NetworkJob):
                chosen = recipe_from_settings(job.recipe, tasks)
                result = JobFinished(keras_file(chosen, job.seed, job.weights))
            else:
                recipes = [recipe_from_settings(settings, tasks) for settings in job.recipes]
                if job.training not in ("", recipes[0].training):
                    raise TaskError(
                        f"{recipes[0].task.name}: must make the same data every time, but does not "
                        "(did a file that it reads change? does it draw only from the seed?)"
                    )
                outcomes = run_seeds(recipes, job.seeds, job.engine, orphaned)
                for seed, of_seed in zip(job.seeds, outcomes, strict=True):
                    of_seed = [_with_place(outcome, place) for outcome in of_seed]
                    pipe.send((SeedFinished(seed, tuple(map(pack_outcome, of_seed))), 0.0))
                    memory.release_free_memory()
        except (BrokenPipeError, ConnectionError, Interrupted):
            return  # the parent has ended
        except Exception as error:  # reported as the job's result: the sweep goes on without it
            result = JobFailed(f"{type(error).__name__}: {error}")
        try:
            pipe.send((result, memory.unshared_mb()))
        except (BrokenPipeError, ConnectionError):
            return  # the parent has ended


def _with_place(outcome: Outcome, place: Place | None) -> Outcome:
    """Returns an outcome whose seeds say where they ran, if they ran for another machine."""
    if place is None:
        return outcome
    facts = outcome.provenance
    names = ("lstm-bench", "python", "tensorflow", "keras", "numpy")
    where = {
        "host": place.host,
        "processor": processor_kind(facts),
        "versions": ", ".join(f"{name} {facts[name]}" for name in names),
    }
    return dataclasses.replace(outcome, seeds=outcome.seeds.assign(**where))


def _stop(worker: _Worker) -> None:
    worker.pipe.close()
    if worker.ticket is not None:
        worker.process.kill()
    worker.process.join(timeout=5)
    if worker.process.is_alive():
        worker.process.kill()
