"""Recipes run in worker processes, one core each, replaced before they grow large.

Every recipe that is compiled leaves a few megabytes behind in its process, so a worker that has
outgrown its budget is retired and another takes its place. A worker runs on one core and shares
nothing, so neither the number of workers nor their replacement can change a result.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.forkserver
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

from lstm_bench import backend
from lstm_bench.results import Outcome


@dataclass(frozen=True)
class Job:
    """Recipes that share their training, as their flat settings, to be run on some seeds."""

    recipes: tuple[Mapping[str, Any], ...]
    seeds: tuple[int, ...]
    engine: str = "compiled"


@dataclass(frozen=True)
class Failure:
    """A job that could not be run, and why."""

    reason: str


Result = list[Outcome] | Failure
"""One outcome a recipe of the job, in its order."""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    place: int | None = None  # of the job it is at, if any


class Pool:
    """Worker processes that run jobs. Use it as a context manager."""

    def __init__(self, workers: int, budget_mb: float = 400.0) -> None:
        """`budget_mb` of memory that it shares with nobody retires a worker after its job."""
        self.size = workers
        self.budget_mb = budget_mb
        self._workers: list[_Worker] = []
        self._context = _context()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            _stop(worker)
        self._workers.clear()

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yields (place in `jobs`, result) as results arrive, in no particular order."""
        waiting = list(enumerate(jobs))[::-1]
        busy = 0
        while waiting or busy:
            while waiting and (worker := self._idle()):
                place, job = waiting.pop()
                try:
                    worker.pipe.send(job)
                except OSError:  # it died while it was idle: a fresh one takes the job
                    self._retire(worker)
                    waiting.append((place, job))
                    continue
                worker.place = place
                busy += 1
            for worker in self._ready():
                place, result = self._receive(worker)
                busy -= 1
                yield place, result

    def prepare(self) -> None:
        """Lets the fork server import TensorFlow while the caller does something else."""
        if self._context.get_start_method() == "forkserver":
            multiprocessing.forkserver.ensure_running()

    def _idle(self) -> _Worker | None:
        for worker in self._workers:
            if worker.place is None:
                return worker
        if len(self._workers) < self.size:
            self._workers.append(self._start())
            return self._workers[-1]
        return None

    def _ready(self) -> list[_Worker]:
        busy = {worker.pipe: worker for worker in self._workers if worker.place is not None}
        return [busy[pipe] for pipe in wait(list(busy)) if isinstance(pipe, Connection)]

    def _receive(self, worker: _Worker) -> tuple[int, Result]:
        place, worker.place = worker.place, None
        assert place is not None
        try:
            result, own_mb = worker.pipe.recv()
        except (EOFError, ConnectionError):
            worker.process.join()
            code = worker.process.exitcode
            result, own_mb = Failure(f"its process ended with exit code {code}"), float("inf")
        if own_mb > self.budget_mb:
            self._retire(worker)
        return place, result

    def _retire(self, worker: _Worker) -> None:
        _stop(worker)
        self._workers.remove(worker)

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
        with _importable_main():
            process.start()
        theirs.close()
        return _Worker(process, ours)


def _context() -> Any:
    """Returns how processes are made: by a fork server that holds TensorFlow, if possible."""
    backend.prepare_environment()
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context: BaseContext = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lstm_bench.warm"])
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


def _serve(pipe: Connection) -> None:
    """Runs jobs from `pipe` until it closes. Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import psutil

    from lstm_bench.recipe import recipe
    from lstm_bench.run import run_each

    backend.start(1)
    parent = os.getppid()
    while True:
        try:
            job = pipe.recv()
        except (EOFError, ConnectionError):
            return
        result: Result
        try:
            built = [recipe(**settings) for settings in job.recipes]
            result = run_each(built, job.seeds, job.engine, 1, lambda: os.getppid() != parent)
        except Exception as error:  # a recipe's failure is a result of the sweep, not its end
            result = Failure(f"{type(error).__name__}: {error}")
        own = psutil.Process().memory_full_info().uss / 2**20
        try:
            pipe.send((result, own))
        except (BrokenPipeError, ConnectionError):
            return


def _stop(worker: _Worker) -> None:
    worker.pipe.close()
    if worker.place is not None:
        worker.process.kill()
    worker.process.join(timeout=5)
    if worker.process.is_alive():
        worker.process.kill()
