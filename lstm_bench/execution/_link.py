"""The protocol between a sweep and the workers of a cluster, and its messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lstm_bench.execution._executor import Event
from lstm_bench.execution._host import Setup
from lstm_bench.execution._pieces import Copy


@dataclass(frozen=True)
class WorkerFacts:
    """The facts that the cluster gives about a worker."""

    name: str
    host: str
    threads: int


@dataclass(frozen=True)
class Workers:
    """A message: the current workers, by address. A new `cluster` does not know older jobs."""

    cluster: str
    workers: Mapping[str, WorkerFacts]


@dataclass(frozen=True)
class SetUp:
    """A message: a worker was sent the setup and files `names`; its facts, or an exception.

    The exception is a `TimeoutError` if the worker did not answer.
    """

    address: str
    names: frozenset[str]
    answer: Mapping[str, str] | Exception


@dataclass(frozen=True)
class Result:
    """A message: the result of a copy of a piece on a worker, its events or an exception."""

    address: str
    copy: Copy
    answer: tuple[Event, ...] | BaseException
    died: bool = False  # whether the worker did, by what the exception says


Message = Workers | SetUp | Result


class Link(Protocol):
    """The connection of this process with the workers of a cluster. Its calls do not wait."""

    def open(self) -> None:
        """Connects; raises `UserError` if there is no cluster. This one call may take a while."""

    def close(self, setup: str, copies: Sequence[Copy], addresses: Sequence[str]) -> None:
        """Abandons `copies`, lets workers forget the setup, and disconnects."""

    def receive(self, seconds: float) -> Sequence[Message]:
        """Returns the messages since the last call; waits `seconds` at most if there is none."""

    def set_up(self, address: str, setup: Setup, files: Mapping[str, bytes]) -> None:
        """Has a worker install the setup with these data files: see `SetUp`."""

    def give(self, address: str, setup: str, copy: Copy) -> None:
        """Has a worker run a piece: see `Result`."""

    def cancel(self, copy: Copy) -> None:
        """Tells the worker not to run a piece, or to stop it."""
