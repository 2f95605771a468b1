"""The link to a Dask cluster, which carries jobs and results and says which workers there are.

Imported only when a cluster is used: it needs the package `distributed`. Everything that waits
for the cluster does so on the event loop of Dask's client, and leaves a message.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import pickle
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from distributed import Client

from lstm_bench.errors import UserError
from lstm_bench.execution._dask_tasks import release, run_piece, set_up
from lstm_bench.execution._executor import Event
from lstm_bench.execution._host import Setup
from lstm_bench.execution._link import Message, Result, SetUp, WorkerFacts, Workers
from lstm_bench.execution._pieces import Copy
from lstm_bench.safety import mask_address

POLL_SECONDS = 0.5
"""Seconds between two checks of the workers, and between two attempts to connect."""
CONNECT_SECONDS = 20.0
"""Seconds for the first answer of the scheduler, and for the setup of a worker."""
RECONNECT_SECONDS = 1800.0
"""Seconds that a running sweep waits for a lost scheduler."""
CLOSE_SECONDS = 5.0


class DaskLink:
    """The link to the cluster of a scheduler's address, or of a client that stays open."""

    def __init__(
        self,
        cluster: object,
        notice: Callable[[str], None] = lambda _: None,
        run: Callable[[str, bytes], tuple[Event, ...]] = run_piece,
    ) -> None:
        """`notice` is called with a message when the scheduler does not answer.

        `run` is what workers call with the name of a setup and a job, packed by pickle.

        Raises `UserError` if `cluster` is neither an address nor a client that can be used.
        """
        if isinstance(cluster, Client) and cluster.asynchronous:
            raise UserError("cluster: must be a client that was made without asynchronous=True")
        if not isinstance(cluster, str | Client):
            raise UserError(
                "cluster: must be the address of a Dask scheduler, as tcp://HOST:8786, or a "
                f"distributed.Client, but got {type(cluster).__name__}"
            )
        self._cluster: Any = cluster
        self._notice = notice
        self._run = run
        self._client: Any = None
        self._connection = 0
        self._numbers = itertools.count()
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def open(self) -> None:
        """Connects to the scheduler; raises `UserError` if it does not answer."""
        is_address = isinstance(self._cluster, str)
        self._use(self._new_client(CONNECT_SECONDS) if is_address else self._cluster)

    def close(self, setup: str, copies: Sequence[Copy], addresses: Sequence[str]) -> None:
        """Cancels what is running; a client that was given stays open."""
        self._connection += 1
        client = self._client
        if client is None:
            return

        async def end() -> None:
            await client.cancel([copy.handle for copy in copies], asynchronous=True)
            if addresses:
                run = client.run(
                    release, setup, workers=addresses, on_error="ignore", asynchronous=True
                )
                await asyncio.wait_for(run, CLOSE_SECONDS / 2)

        with contextlib.suppress(Exception):  # the cluster may be gone
            if client.status == "running":
                client.sync(end, callback_timeout=CLOSE_SECONDS)
        if client is not self._cluster:
            with contextlib.suppress(Exception):
                client.close(timeout=CLOSE_SECONDS)

    def receive(self, seconds: float) -> Sequence[Message]:
        """Returns the messages since the last call; connects again if the scheduler was lost."""
        if self._client.status == "closed":
            self._notice("the scheduler does not answer; the sweep goes on when it does")
            self._use(self._new_client(RECONNECT_SECONDS))
        messages: list[Message] = []
        with contextlib.suppress(queue.Empty):
            messages.append(self._messages.get(timeout=seconds))
            while True:
                messages.append(self._messages.get_nowait())
        return messages

    def set_up(self, address: str, setup: Setup, files: Mapping[str, bytes]) -> None:
        """Sends the setup, and leaves a message with the result."""
        client, arguments = self._client, (pickle.dumps(setup), dict(setup.required), dict(files))

        async def send() -> None:
            answer: Any
            try:
                run = client.run(
                    set_up, *arguments, workers=[address], on_error="return", asynchronous=True
                )
                answers = await asyncio.wait_for(run, CONNECT_SECONDS)
                answer = answers.get(address, TimeoutError())
            except Exception as error:
                answer = TimeoutError(str(error))
            lost = isinstance(answer, ConnectionError | TimeoutError) or (
                isinstance(answer, OSError) and answer.errno is None
            )
            if lost:  # the connection, and no answer: it is sent again
                answer = TimeoutError(str(answer))
            self._messages.put(SetUp(address, frozenset(files), answer))

        client.loop.add_callback(send)

    def give(self, address: str, setup: str, copy: Copy) -> None:
        """Sends a piece to one worker, and leaves a message with its result."""
        client, job = self._client, copy.piece.job
        training, seeds = getattr(job, "training", "network"), getattr(job, "seeds", (job,))
        key = f"lstm-bench-{training}-{seeds[0]}-{setup}-{next(self._numbers)}"

        async def fetch() -> None:
            answer: Any
            try:
                (answer,) = await client.gather([copy.handle], asynchronous=True)
            except (Exception, asyncio.CancelledError) as error:
                answer = error
            killed = type(answer).__name__ == "KilledWorker"
            self._messages.put(Result(address, copy, answer, killed))

        try:
            copy.handle = client.submit(
                self._run, setup, pickle.dumps(job), key=key, workers=[address], pure=False
            )
        except Exception as error:  # the connection has just been lost
            self._messages.put(Result(address, copy, error))
            return
        client.loop.add_callback(fetch)

    def cancel(self, copy: Copy) -> None:
        """Cancels the task of a copy; a worker that has begun it soon sees that."""
        client, handle = self._client, copy.handle

        async def end() -> None:
            with contextlib.suppress(Exception):
                await client.cancel([handle], asynchronous=True)

        if client.status == "running" and handle is not None:
            client.loop.add_callback(end)

    def _use(self, client: Any) -> None:
        self._client = client
        self._connection += 1
        connection = self._connection

        async def watch() -> None:
            while connection == self._connection and client.status != "closed":
                with contextlib.suppress(Exception):  # not connected at the moment
                    call = client.scheduler.identity(n_workers=-1)
                    answer = await asyncio.wait_for(call, CONNECT_SECONDS)
                    workers = {
                        address: WorkerFacts(str(w["name"]), str(w["host"]), int(w["nthreads"]))
                        for address, w in answer["workers"].items()
                    }
                    self._messages.put(Workers(answer["id"], workers))
                await asyncio.sleep(POLL_SECONDS)

        client.loop.add_callback(watch)

    def _new_client(self, seconds: float) -> Any:
        """Returns a new client; tries for so many seconds."""
        given, deadline = self._cluster, time.monotonic() + seconds
        address = given if isinstance(given, str) else given.scheduler.address
        security = {} if isinstance(given, str) else {"security": given.security}
        connect: Any = Client
        while True:
            try:
                return connect(address, timeout=2, set_as_default=False, **security)
            except (OSError, TimeoutError, ValueError) as error:
                if time.monotonic() > deadline or isinstance(error, ValueError):
                    reason = f"{error}".partition("\n")[0] or type(error).__name__
                    raise UserError(
                        "cluster: a Dask scheduler must answer at "
                        f"{mask_address(str(address))}, but {reason}; start one with "
                        "`dask scheduler`, and give its address as tcp://HOST:8786"
                    ) from error
                time.sleep(POLL_SECONDS)
