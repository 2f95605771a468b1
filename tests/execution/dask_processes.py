"""A Dask cluster of real processes on this machine, and what its workers run."""

import asyncio
import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from lstm_bench.execution._executor import Job, JobFinished, SeedFinished

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def sleep_and_answer(setup, packed):
    """Runs a job without training it: each seed takes 0.1 s."""
    job = pickle.loads(packed)
    seeds = job.seeds if isinstance(job, Job) else ()
    events = []
    for seed in seeds:
        time.sleep(0.1)
        events.append(SeedFinished(seed, (f"{job.training} {seed}".encode(),)))
    return (*events, JobFinished())


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Cluster:
    """The processes of a cluster, all of which end with the context."""

    def __init__(self, folder):
        self.folder, self.processes, self.workers = folder, [], []
        self.port, self.scheduler = free_port(), None

    @property
    def address(self):
        return f"tcp://127.0.0.1:{self.port}"

    def __enter__(self):
        self.start_scheduler()
        return self

    def __exit__(self, *_):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def start(self, module, *words):
        paths = os.pathsep.join([str(ROOT), str(HERE), os.environ.get("PYTHONPATH", "")])
        with (self.folder / "log.txt").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *words],
                env={**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"},
                cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def start_scheduler(self):
        words = ("--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")
        self.scheduler = self.start("dask_scheduler", *words)

    def start_worker(self, *more, address=None):
        words = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(self.folder))
        kind = () if "--nanny" in more else ("--no-nanny",)
        process = self.start("dask_worker", address or self.address, *words, *kind, *more)
        self.workers.append(process)
        return process


class Proxy:
    """Passes on what comes to a port, until it is cut: then nothing passes, and no end is told."""

    def __init__(self, target):
        self.port, self.target, self.cut = free_port(), target, False
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        def end():
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.call_later(0.5, self.loop.stop)

        self.loop.call_soon_threadsafe(end)
        self.thread.join()
        self.loop.close()

    def _serve(self):
        async def passing(reader, writer):
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    while self.cut:
                        await asyncio.sleep(0.1)
                    writer.write(data)
                    await writer.drain()

        async def both(reader, writer, there):
            try:
                await asyncio.gather(passing(reader, there[1]), passing(there[0], writer))
            finally:
                writer.close()
                there[1].close()

        async def accept(reader, writer):
            with contextlib.suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", self.target)
                await both(reader, writer, there)

        async def serve():
            async with await asyncio.start_server(accept, "127.0.0.1", self.port):
                await asyncio.Event().wait()

        self.serving = self.loop.create_task(serve())
        self.loop.run_forever()
