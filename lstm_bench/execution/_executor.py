"""The protocol of executors, the jobs that they take, and the events that they yield.

`_workers` has the executor of this machine, `_cluster` that of several.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np

MAX_ATTEMPTS = 3
"""The number of worker processes that may die while they run a job. A process can be killed for
other reasons than the job: by the system when memory runs out, or by hand."""


@dataclass(frozen=True)
class Job:
    """Recipes that share their training, as flat settings, and the seeds to run them on.

    The worker is stopped after `seconds`. `work` is the estimated run time in seconds with a
    compiled program: see `choose_job`. The job has failed once `attempts` worker processes died.
    """

    recipes: tuple[Mapping[str, Any], ...]
    seeds: tuple[int, ...]
    engine: str = "compiled"
    seconds: float | None = None
    training: str = ""  # `Recipe.training`, which the worker must compute to the same value
    program: str = ""  # `program_key` of the recipes
    work: float = math.inf
    attempts: int = MAX_ATTEMPTS
    processor: str = ""  # the kind of processor that its worker must have, one of `Executor.kinds`


@dataclass(frozen=True)
class NetworkJob:
    """A trained network to be written as a `.keras` file: its recipe, seed and weights."""

    recipe: Mapping[str, Any]
    seed: int
    weights: tuple[np.ndarray, ...]
    seconds: float | None = None
    program: ClassVar[str] = ""  # it needs none
    work: ClassVar[float] = 0.0
    attempts: int = MAX_ATTEMPTS


@dataclass(frozen=True)
class Place:
    """Where the workers of a machine run, if they work for another machine.

    `folder` has the data files. `command` is the command line that outcomes record, and `host` is
    the machine name in the rows of their seeds.
    """

    folder: Path
    command: tuple[str, ...]
    host: str


@dataclass(frozen=True)
class SeedFinished:
    """One seed of a job has been trained: its outcomes, packed by `pack_outcome`, one a recipe."""

    seed: int
    outcomes: tuple[bytes, ...]


@dataclass(frozen=True)
class JobFailed:
    """A job that did not finish, and why.

    `error`: it raised an error, and would do so again. `timeout`: it reached its time limit.
    `died`: all processes that ran it died.
    """

    reason: str
    kind: Literal["error", "timeout", "died"] = "error"


@dataclass(frozen=True)
class JobFinished:
    """A job has finished. `model` is the `.keras` file that a `NetworkJob` makes."""

    model: bytes = b""


@dataclass(frozen=True)
class Running:
    """What a worker does now: `seeds` of the job with this ticket, the next of `left` seeds.

    `began` is when it began with them, by `time.monotonic`.
    """

    ticket: int
    seeds: tuple[int, ...]
    began: float
    left: int


TICK_SECONDS = 0.5
"""The most seconds between two calls of the `tick` of an executor."""

Event = SeedFinished | JobFailed | JobFinished
"""The reports of a job: its seeds as they finish, then `JobFailed` or `JobFinished`."""


class Executor(Protocol):
    """Runs jobs on workers. Use it as a context manager; when it exits, jobs are abandoned.

    A job whose worker dies is run again elsewhere, so a seed may be trained twice; each seed of a
    job is reported once. Which worker trains a seed has no effect on its numbers.
    """

    tick: Callable[[], None] | None
    """Called every `TICK_SECONDS` while `events` waits; its exceptions leave `events`."""

    @property
    def size(self) -> int:
        """The number of jobs that run at a time."""

    def kinds(self) -> Sequence[str]:
        """Returns the kinds of processors that the workers have, each once."""

    def running(self) -> Sequence[Running]:
        """Returns the current work of the workers."""

    def prepare(self) -> None:
        """Makes workers ready in the background, before the first job."""

    def release(self) -> None:
        """Frees the memory of workers of this machine that have nothing to do.

        A later job starts others."""

    def submit(self, job: Job | NetworkJob) -> int:
        """Returns the ticket of `job`, with which `events` reports it."""

    def events(self) -> Iterator[tuple[int, Event]]:
        """Yields (ticket, event) as they come, until no job is left; more may be submitted."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
